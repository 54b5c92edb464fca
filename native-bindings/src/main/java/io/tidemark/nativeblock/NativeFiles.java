package io.tidemark.nativeblock;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Locale;

/**
 * Where the library and the guard are on this machine: the folder named by the operator, else a private copy of what
 * this jar carries.
 *
 * <p>The copy is in a folder of mode 0700 that goes with the process. A process that is killed leaves its folder; the
 * next one finds it unlocked and deletes it.
 */
record NativeFiles(Path library, Path thawGuard) {
    static final String LIBRARY = "libtidemark_block.so";
    static final String THAW_GUARD = "thaw-guard";

    private static final String FOLDER_PREFIX = "tidemark-native-";
    private static final String LOCK = "in-use";

    /** A folder younger than this may belong to a process that has made its lock file and not locked it yet. */
    private static final Duration ABANDONED_AFTER = Duration.ofMinutes(1);

    /** Files of an operator's folder, or of one {@code linux-<arch>} folder in it. */
    static NativeFiles inDirectory(Path directory) {
        var nested = directory.resolve(platform());
        var folder = Files.exists(nested.resolve(LIBRARY)) ? nested : directory;
        return new NativeFiles(folder.resolve(LIBRARY), folder.resolve(THAW_GUARD));
    }

    /**
     * Copies the resources to a private folder in {@code parent}.
     *
     * @throws IOException also when this jar was built without them
     */
    static NativeFiles extracted(Path parent) throws IOException {
        if (NativeFiles.class.getResource(resource(LIBRARY)) == null) {
            throw new IOException("this build carries no native library for " + platform()
                    + " (gcc or libxxhash-dev was missing when it was built)");
        }
        deleteAbandoned(parent);
        var folder = Files.createTempDirectory(
                parent,
                FOLDER_PREFIX,
                PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
        var lock = lock(folder);
        Runtime.getRuntime()
                .addShutdownHook(new Thread(() -> deleteWith(lock, folder), "tidemark-native-files-deletion"));
        for (var name : List.of(LIBRARY, THAW_GUARD)) {
            copy(name, folder.resolve(name));
        }
        return new NativeFiles(folder.resolve(LIBRARY), folder.resolve(THAW_GUARD));
    }

    /** {@code linux-x86_64}, as build.sh names its output folder. */
    static String platform() {
        var system = System.getProperty("os.name").toLowerCase(Locale.ROOT);
        var machine = System.getProperty("os.arch");
        return system + "-"
                + switch (machine) {
                    case "amd64" -> "x86_64";
                    case "arm64" -> "aarch64";
                    default -> machine;
                };
    }

    private static String resource(String name) {
        return "/native/%s/%s".formatted(platform(), name);
    }

    private static void copy(String name, Path target) throws IOException {
        try (var resource = NativeFiles.class.getResourceAsStream(resource(name))) {
            if (resource == null) {
                throw new IOException("this build carries no " + name + " for " + platform());
            }
            Files.copy(resource, target);
        }
        Files.setPosixFilePermissions(target, PosixFilePermissions.fromString("rwx------"));
    }

    /** Held until the process ends, however it ends. */
    private static FileLock lock(Path folder) throws IOException {
        var channel = FileChannel.open(folder.resolve(LOCK), StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE);
        return channel.lock();
    }

    /** Folders of killed processes. Best effort: what cannot be deleted, another user's too, stays. */
    private static void deleteAbandoned(Path parent) {
        try (DirectoryStream<Path> folders = Files.newDirectoryStream(parent, FOLDER_PREFIX + "*")) {
            for (var folder : folders) {
                deleteIfUnlocked(folder);
            }
        } catch (IOException e) {
            System.getLogger(NativeFiles.class.getName())
                    .log(System.Logger.Level.DEBUG, "native.sweep-failed folder=" + parent, e);
        }
    }

    private static void deleteIfUnlocked(Path folder) {
        var lockFile = folder.resolve(LOCK);
        try (var channel = FileChannel.open(lockFile, StandardOpenOption.WRITE);
                var lock = channel.tryLock()) {
            var made = Files.getLastModifiedTime(lockFile).toInstant();
            if (lock != null && made.isBefore(Instant.now().minus(ABANDONED_AFTER))) {
                deleteWith(lock, folder);
            }
        } catch (IOException | OverlappingFileLockException e) {
            System.getLogger(NativeFiles.class.getName())
                    .log(System.Logger.Level.DEBUG, "native.sweep-skipped folder=" + folder, e);
        }
    }

    /** The lock is still held, so that nobody else deletes the same folder at once. */
    private static void deleteWith(FileLock lock, Path folder) {
        try {
            for (var name : List.of(LIBRARY, THAW_GUARD, LOCK)) {
                Files.deleteIfExists(folder.resolve(name));
            }
            Files.deleteIfExists(folder);
            lock.release();
        } catch (IOException e) {
            System.getLogger(NativeFiles.class.getName())
                    .log(System.Logger.Level.DEBUG, "native.deletion-failed folder=" + folder, e);
        }
    }
}
