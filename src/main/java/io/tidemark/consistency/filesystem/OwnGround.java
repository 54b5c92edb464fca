package io.tidemark.consistency.filesystem;

import io.tidemark.consistency.MountTable;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The files this process, and its guard, need while something is frozen. A file system that holds one of them is never
 * frozen: a log line, a page fault or a class loaded from it would wait for a thaw that waits for us.
 */
final class OwnGround {
    private static final Path PROC = Path.of("/proc");
    private static final int MAPS_PATH_FIELD = 6;

    private final Map<Path, String> reasonsByPath = new LinkedHashMap<>();

    /** @param named the files and folders that configuration named, with what they are for, as a phrase */
    OwnGround(Map<Path, String> named) {
        reasonsByPath.put(Path.of("/"), "it is the root file system");
        reasonsByPath.putAll(named);
        reasonsByPath.put(Path.of(System.getProperty("java.home")), "it holds the Java runtime");
        reasonsByPath.put(Path.of(System.getProperty("java.io.tmpdir")), "it holds the folder for temporary files");
        reasonsByPath.put(Path.of("").toAbsolutePath(), "it holds the working directory");
        for (var entry : System.getProperty("java.class.path").split(":", -1)) {
            if (!entry.isEmpty()) {
                reasonsByPath.put(Path.of(entry).toAbsolutePath(), "it holds Tidemark's program files");
            }
        }
    }

    /** For each file system we stand on, directly or through layers below, the reason, by {@code major:minor}. */
    Map<String, String> reasonsByDevice(MountTable mounts, BlockLayers layers) {
        var all = new LinkedHashMap<>(reasonsByPath);
        for (var swap : swapFiles()) {
            all.putIfAbsent(swap, "it holds the swap file " + swap);
        }
        for (var mapped : mappedFiles()) {
            all.putIfAbsent(mapped, "this process has %s mapped".formatted(mapped));
        }
        for (var open : openFiles()) {
            all.putIfAbsent(open, "this process has %s open".formatted(open));
        }
        var reasons = new LinkedHashMap<String, String>();
        all.forEach((path, reason) -> mounts.holdingFollowed(path).ifPresent(mount -> {
            for (var device : layers.fileSystemsUnder(mount)) {
                reasons.putIfAbsent(device, reason);
            }
        }));
        return reasons;
    }

    private static List<Path> swapFiles() {
        return readLines(PROC.resolve("swaps")).stream()
                .filter(line -> line.startsWith("/"))
                .map(line -> Path.of(line.substring(0, line.indexOf(' '))))
                .toList();
    }

    private static List<Path> mappedFiles() {
        var paths = new ArrayList<Path>();
        for (var line : readLines(PROC.resolve("self/maps"))) {
            var fields = line.split(" +", MAPS_PATH_FIELD);
            if (fields.length == MAPS_PATH_FIELD && fields[MAPS_PATH_FIELD - 1].startsWith("/")) {
                var path = Path.of(fields[MAPS_PATH_FIELD - 1]);
                if (paths.isEmpty() || !paths.getLast().equals(path)) {
                    paths.add(path);
                }
            }
        }
        return paths;
    }

    /** Logs, databases, standard streams that go to files: whatever a thread of ours may write to at any time. */
    private static List<Path> openFiles() {
        var paths = new ArrayList<Path>();
        try (var descriptors = Files.newDirectoryStream(PROC.resolve("self/fd"))) {
            for (var descriptor : descriptors) {
                // A pipe, a socket or a deleted file is no regular file by that name.
                if (Files.isRegularFile(descriptor)) {
                    paths.add(Files.readSymbolicLink(descriptor));
                }
            }
        } catch (IOException e) {
            // Closed between listing and looking: what is open no more needs no file system.
            return paths;
        }
        return paths;
    }

    private static List<String> readLines(Path file) {
        try {
            return Files.readAllLines(file, StandardCharsets.UTF_8);
        } catch (IOException e) {
            // Without /proc nothing can be mounted or frozen either.
            return List.of();
        }
    }
}
