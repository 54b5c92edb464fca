package io.tidemark.provider.zfs;

import io.tidemark.spi.ProviderError;
import io.tidemark.spi.ProviderException;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/** One instance a dataset on a host: another one would take work of this one for what a crash has left. */
final class DatasetLock implements AutoCloseable {
    private static final Path FOLDER = Path.of("/run");
    private static final Duration RETRY = Duration.ofSeconds(5);

    /** Asked before a file is opened: closing any channel of it drops this process's lock, whichever took it. */
    private static final Set<Path> TAKEN = ConcurrentHashMap.newKeySet();

    private final Path file;
    private final FileChannel channel;

    private DatasetLock(Path file, FileChannel channel) {
        this.file = file;
        this.channel = channel;
    }

    /** The file stays; the lock goes with this process. Not in /run/lock, where anybody may make files. */
    static DatasetLock take(String dataset) throws ProviderException {
        return take(FOLDER, dataset);
    }

    static DatasetLock take(Path folder, String dataset) throws ProviderException {
        var file = folder.resolve("tidemark-zfs-" + ZfsNames.digest(dataset) + ".lock");
        if (!TAKEN.add(file)) {
            throw busy(dataset, file);
        }
        DatasetLock taken = null;
        try {
            taken = new DatasetLock(file, locked(dataset, file));
            return taken;
        } finally {
            if (taken == null) {
                TAKEN.remove(file);
            }
        }
    }

    private static FileChannel locked(String dataset, Path file) throws ProviderException {
        FileChannel channel = null;
        boolean locked = false;
        try {
            channel = FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
            locked = channel.tryLock() != null;
        } catch (OverlappingFileLockException e) {
            locked = false;
        } catch (IOException e) {
            throw new ProviderException(new ProviderError.Denied("dataset " + dataset, "writing to " + file), e);
        } finally {
            if (!locked && channel != null) {
                closed(channel);
            }
        }
        if (!locked || channel == null) {
            throw busy(dataset, file);
        }
        return channel;
    }

    private static ProviderException busy(String dataset, Path file) {
        return new ProviderException(
                new ProviderError.Busy("dataset " + dataset, "another Tidemark, by its lock " + file, RETRY));
    }

    /** Once: a second time it would be somebody else's. */
    @Override
    public void close() {
        if (channel.isOpen()) {
            closed(channel);
            TAKEN.remove(file);
        }
    }

    private static void closed(FileChannel channel) {
        try {
            channel.close();
        } catch (IOException e) {
            System.getLogger(DatasetLock.class.getName())
                    .log(System.Logger.Level.WARNING, "zfs.unlock_failed reason={0}", e.getMessage());
        }
    }
}
