package io.tidemark.provider.zfs;

import io.tidemark.spi.ProviderError;
import io.tidemark.spi.ProviderException;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;

/** One instance a dataset on a host: another one would take work of this one for what a crash has left. */
final class DatasetLock implements AutoCloseable {
    private static final Path FOLDER = Path.of("/run");
    private static final Duration RETRY = Duration.ofSeconds(5);

    private final FileChannel channel;

    private DatasetLock(FileChannel channel) {
        this.channel = channel;
    }

    /** The file stays; the lock goes with this process. Not in /run/lock, where anybody may make files. */
    static DatasetLock take(String dataset) throws ProviderException {
        var file = FOLDER.resolve("tidemark-zfs-" + ZfsNames.digest(dataset) + ".lock");
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
            throw new ProviderException(
                    new ProviderError.Busy("dataset " + dataset, "another Tidemark, by its lock " + file, RETRY));
        }
        return new DatasetLock(channel);
    }

    @Override
    public void close() {
        closed(channel);
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
