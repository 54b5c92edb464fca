package io.tidemark.quickstart;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/**
 * The file system that the demo's volumes lie on: one that can snapshot a file in constant time if at all possible,
 * made in a sparse file and mounted from it.
 *
 * @param kind {@code btrfs}, {@code xfs}, or {@code plain} when nothing could be mounted
 * @param folder where the volumes of both sites go
 * @param note why it is not better; empty when it is the best there is
 */
record StoragePool(String kind, Path folder, String note) {
    /** Sparse: what is not written takes no room. */
    private static final long POOL_BYTES = 6L << 30;

    static StoragePool make(DemoFolder demo, Programs programs) throws QuickstartException {
        Path mountPoint = demo.folder("pool");
        String note = "";
        for (var kind : List.of("btrfs", "xfs")) {
            if (Programs.find("mkfs." + kind).isEmpty()) {
                note = note + "mkfs." + kind + " is not installed; ";
                continue;
            }
            try {
                mountNew(demo, programs, kind, mountPoint);
                return new StoragePool(kind, mountPoint, note);
            } catch (QuickstartException e) {
                note = note + kind + ": " + e.reason() + "; ";
            }
        }
        return new StoragePool("plain", mountPoint, note);
    }

    static StoragePool plain(DemoFolder demo, String why) throws QuickstartException {
        return new StoragePool("plain", demo.folder("pool"), why);
    }

    private static void mountNew(DemoFolder demo, Programs programs, String kind, Path mountPoint)
            throws QuickstartException {
        Path image = demo.file("pool.image");
        try {
            Files.deleteIfExists(image);
            try (var file = new RandomAccessFile(image.toFile(), "rw")) {
                file.setLength(POOL_BYTES);
            }
        } catch (IOException e) {
            throw new QuickstartException("%s could not be made: %s".formatted(image, e.getMessage()), e);
        }
        programs.run(List.of("mkfs." + kind, "-q", image.toString()));
        programs.run(List.of("mount", "-o", "loop,noatime", "-t", kind, image.toString(), mountPoint.toString()));
    }

    boolean mounted() {
        return !kind.equals("plain");
    }
}
