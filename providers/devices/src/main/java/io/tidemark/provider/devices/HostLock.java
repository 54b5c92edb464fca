package io.tidemark.provider.devices;

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

/** One instance on a host that manages a group or a dataset: another would take work of this one for what a crash has left. */
public final class HostLock implements AutoCloseable {
    private static final Path FOLDER = Path.of("/run");
    private static final Duration RETRY = Duration.ofSeconds(5);

    /** Asked before a file is opened: closing any channel of it drops this process's lock, whichever took it. */
    private static final Set<Path> TAKEN = ConcurrentHashMap.newKeySet();

    private final Path file;
    private final FileChannel channel;

    private HostLock(Path file, FileChannel channel) {
        this.file = file;
        this.channel = channel;
    }

    /**
     * The file stays; the lock goes with this process. Not in /run/lock, where anybody may make files.
     *
     * @param name a part of the file's name: of the provider and of what it manages
     * @param subject for people: what is locked
     * @throws ProviderException Busy while somebody has it, in this process too; Denied where the file cannot be made
     */
    public static HostLock take(String name, String subject) throws ProviderException {
        return take(FOLDER, name, subject);
    }

    /** The same with the lock's file in another folder, which only root may write to. */
    public static HostLock take(Path folder, String name, String subject) throws ProviderException {
        var file = folder.resolve("tidemark-" + name + ".lock");
        if (!TAKEN.add(file)) {
            throw busy(subject, file);
        }
        HostLock taken = null;
        try {
            taken = new HostLock(file, locked(subject, file));
            return taken;
        } finally {
            if (taken == null) {
                TAKEN.remove(file);
            }
        }
    }

    private static FileChannel locked(String subject, Path file) throws ProviderException {
        FileChannel channel = null;
        boolean locked = false;
        try {
            channel = FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
            locked = channel.tryLock() != null;
        } catch (OverlappingFileLockException e) {
            locked = false;
        } catch (IOException e) {
            throw new ProviderException(
                    new ProviderError.Denied(subject, "the rights of root: its lock is " + file), e);
        } finally {
            if (!locked && channel != null) {
                closed(channel);
            }
        }
        if (!locked || channel == null) {
            throw busy(subject, file);
        }
        return channel;
    }

    private static ProviderException busy(String subject, Path file) {
        return new ProviderException(new ProviderError.Busy(subject, "another Tidemark, by its lock " + file, RETRY));
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
            System.getLogger(HostLock.class.getName())
                    .log(System.Logger.Level.WARNING, "host.unlock_failed reason={0}", e.getMessage());
        }
    }
}
