package io.tidemark.system.lab;

import static org.assertj.core.api.Assertions.assertThat;

import io.tidemark.system.ground.Programs;
import java.io.IOException;
import java.util.List;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** The lab's device-mapper does what a provider for LVM needs: classic and thin snapshots, and their differences. */
@InLab
class LvmInLab {
    private static final String DISK = "/dev/ubda";
    /** Blocks of the pool, in which differences are told. */
    private static final int CHUNK_BYTES = 64 << 10;

    private static final Pattern DIFFERENCE =
            Pattern.compile("<(?:different|right_only) begin=\"(\\d+)\" length=\"(\\d+)\"");

    @BeforeEach
    void makeGroup() throws IOException {
        Programs.run("pvcreate", "-q", DISK);
        Programs.run("vgcreate", "-q", "vg", DISK);
    }

    @AfterEach
    void removeGroup() throws IOException {
        Programs.run("vgremove", "-q", "-f", "-y", "vg");
        Programs.run("pvremove", "-q", DISK);
    }

    @Test
    void differencesOfThinSnapshotsAreTheChunksWrittenBetweenThem() throws IOException {
        makeThinVolume();
        write("/dev/vg/thin", 0, 64);
        Programs.run("lvcreate", "-q", "-y", "-s", "-n", "older", "vg/thin");
        write("/dev/vg/thin", 3, 1);
        write("/dev/vg/thin", 40, 2);
        write("/dev/vg/thin", 1000, 1);
        Programs.run("lvcreate", "-q", "-y", "-s", "-n", "newer", "vg/thin");

        var differences = differences("older", "newer");

        assertThat(differences).containsExactly("3+1", "40+2", "1000+1");
    }

    @Test
    void thinSnapshotsKeepWhatTheirOriginLoses() throws IOException {
        makeThinVolume();
        write("/dev/vg/thin", 0, 16);
        String before = digest("/dev/vg/thin");
        Programs.run("lvcreate", "-q", "-y", "-s", "-n", "kept", "vg/thin");
        Programs.run("lvchange", "-q", "-ay", "-K", "vg/kept");

        write("/dev/vg/thin", 0, 16);

        assertThat(digest("/dev/vg/kept")).isEqualTo(before).isNotEqualTo(digest("/dev/vg/thin"));
    }

    @Test
    void classicSnapshotsCanBeMergedBack() throws IOException {
        Programs.run("lvcreate", "-q", "-y", "-n", "plain", "-L", "64M", "vg");
        write("/dev/vg/plain", 0, 16);
        String before = digest("/dev/vg/plain");
        Programs.run("lvcreate", "-q", "-y", "-s", "-n", "kept", "-L", "32M", "vg/plain");
        write("/dev/vg/plain", 0, 16);

        Programs.run("lvconvert", "-q", "-y", "-i", "1", "--merge", "vg/kept");

        assertThat(digest("/dev/vg/plain")).isEqualTo(before);
    }

    private static void makeThinVolume() throws IOException {
        Programs.run(
                "lvcreate", "-q", "-y", "--type", "thin-pool", "-c", "64k", "-Zn", "-L", "256M", "-n", "pool", "vg");
        Programs.run("lvcreate", "-q", "-y", "-V", "128M", "-T", "vg/pool", "-n", "thin");
    }

    private static void write(String device, int firstChunk, int chunkCount) throws IOException {
        Programs.run(
                "dd",
                "if=/dev/urandom",
                "of=" + device,
                "bs=" + CHUNK_BYTES,
                "seek=" + firstChunk,
                "count=" + chunkCount,
                "conv=fsync,notrunc",
                "status=none");
    }

    private static String digest(String device) throws IOException {
        return Programs.run("sha256sum", device).split(" ", 2)[0];
    }

    /** As {@code first+count} in chunks, from the metadata as they were when reserved. */
    private static List<String> differences(String older, String newer) throws IOException {
        Programs.run("dmsetup", "message", "vg-pool-tpool", "0", "reserve_metadata_snap");
        try {
            String answer = Programs.run(
                    "thin_delta",
                    "-m",
                    "--snap1",
                    thinId(older),
                    "--snap2",
                    thinId(newer),
                    "/dev/mapper/vg-pool_tmeta");
            return DIFFERENCE
                    .matcher(answer)
                    .results()
                    .map(found -> found.group(1) + "+" + found.group(2))
                    .toList();
        } finally {
            Programs.run("dmsetup", "message", "vg-pool-tpool", "0", "release_metadata_snap");
        }
    }

    private static String thinId(String volume) throws IOException {
        return Programs.run("lvs", "--noheadings", "-o", "thin_id", "vg/" + volume);
    }
}
