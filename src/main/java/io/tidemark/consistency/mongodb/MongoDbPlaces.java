package io.tidemark.consistency.mongodb;

import io.tidemark.consistency.ApplicationPlaces;
import io.tidemark.spi.Volume;
import java.io.IOException;
import java.nio.file.FileVisitOption;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * All places where a server on this host keeps data: its {@code dbPath}, and every folder below it, for the journal, a
 * database ({@code directoryPerDB}) or indexes ({@code directoryForIndexes}) may be a link, or a file system of its
 * own.
 */
final class MongoDbPlaces {
    /** Source: MongoDB manual, "Configuration File Options", storage.dbPath, Linux. */
    private static final String DB_PATH_DEFAULT = "/data/db";
    /** What is written there no start needs: metrics, and what sorts spill. */
    private static final Set<String> NOT_NEEDED = Set.of("diagnostic.data", "_tmp");
    /** {@code dbPath/database/index/file}; deeper ones are none of the server's. */
    private static final int DEPTH_MAXIMUM = 4;
    /** A server with more files than this is looked at in part: each costs a call of the kernel. */
    private static final int FILES_MAXIMUM = 200_000;

    private final ApplicationPlaces volumesOfHost;
    private final int filesMaximum;

    MongoDbPlaces(ApplicationPlaces volumesOfHost) {
        this(volumesOfHost, FILES_MAXIMUM);
    }

    MongoDbPlaces(ApplicationPlaces volumesOfHost, int filesMaximum) {
        this.volumesOfHost = volumesOfHost;
        this.filesMaximum = filesMaximum;
    }

    /** @param options what the server was started with */
    ApplicationPlaces.Finding find(Answer options, List<Volume> volumes) throws IOException {
        var told = options.text("storage.dbPath");
        var data = Path.of(told.isEmpty() ? DB_PATH_DEFAULT : told).normalize();
        if (!data.isAbsolute()) {
            return ApplicationPlaces.Finding.unverified(
                    "dbPath %s is of a folder that the server does not tell (give it an absolute path), so nobody checked"
                                    .formatted(data)
                            + " that it lies on the volumes");
        }
        var walk = new Walk(data, filesMaximum);
        walk.places.put(data, "dbPath");
        if (Files.exists(data)) {
            Files.walkFileTree(data, Set.of(FileVisitOption.FOLLOW_LINKS), DEPTH_MAXIMUM, walk);
        }
        var finding = volumesOfHost.find(walk.places, volumes);
        walk.unverified.addAll(0, finding.unverified());
        return new ApplicationPlaces.Finding(finding.outside(), walk.unverified);
    }

    private static final class Walk extends SimpleFileVisitor<Path> {
        final Map<Path, String> places = new LinkedHashMap<>();
        final List<String> unverified = new ArrayList<>();
        private final Path data;
        private final int filesMaximum;
        private int files;

        Walk(Path data, int filesMaximum) {
            this.data = data;
            this.filesMaximum = filesMaximum;
        }

        @Override
        public FileVisitResult preVisitDirectory(Path folder, BasicFileAttributes attributes) {
            if (data.equals(folder.getParent()) && NOT_NEEDED.contains(String.valueOf(folder.getFileName()))) {
                return FileVisitResult.SKIP_SUBTREE;
            }
            places.putIfAbsent(folder, folder.endsWith("journal") ? "journal" : "folder of the data");
            return FileVisitResult.CONTINUE;
        }

        @Override
        public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) throws IOException {
            if (files == filesMaximum) {
                unverified.add("more than %d files are in dbPath %s: nobody checked where all lie"
                        .formatted(filesMaximum, data));
                return FileVisitResult.TERMINATE;
            }
            files++;
            if (Files.isSymbolicLink(file) && !Files.exists(file)) {
                unverified.add("%s is a link to what cannot be seen from here".formatted(file));
            } else if (Files.isSymbolicLink(file)) {
                places.putIfAbsent(file.toRealPath(), "file of the data, by the link %s,".formatted(file));
            } else if (attributes.isDirectory()) {
                // At the greatest depth folders come here.
                places.putIfAbsent(file, "folder of the data");
            }
            return FileVisitResult.CONTINUE;
        }

        /** Gone meanwhile, a link to nowhere, or not to be looked into. */
        @Override
        public FileVisitResult visitFileFailed(Path file, IOException e) {
            if (Files.exists(file)) {
                unverified.add("%s cannot be looked into (%s), so nobody checked where all of it lies"
                        .formatted(file, e.getClass().getSimpleName()));
            }
            return FileVisitResult.CONTINUE;
        }

        @Override
        public FileVisitResult postVisitDirectory(Path folder, @Nullable IOException e) {
            if (e != null) {
                unverified.add("%s cannot be listed (%s), so nobody checked where all of it lies"
                        .formatted(folder, e.getMessage()));
            }
            return FileVisitResult.CONTINUE;
        }
    }
}
