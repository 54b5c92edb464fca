package io.tidemark.benchmark;

import io.tidemark.domain.Certificate;
import io.tidemark.domain.Consistency;
import io.tidemark.domain.ProgressListener;
import io.tidemark.domain.RecoveryPoint;
import io.tidemark.nativeblock.BlockKernels;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.RecoveryPointId;
import io.tidemark.system.ground.SequenceWriter;
import io.tidemark.system.recoverypoint.DatabaseOnImage;
import io.tidemark.system.recoverypoint.TakerOfImages;
import java.io.IOException;
import java.math.BigDecimal;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Cuts of one database under writes: recovery points, and what an administrator's shell does in their place. */
final class DatabaseCuts implements AutoCloseable {
    static final Duration LIMIT = Duration.ofSeconds(10);
    /** What the shell does, for the reports. */
    static final String SHELL = "CHECKPOINT, fsfreeze, btrfs, thaw";

    /** $1 port, $2 mount point, $3 subvolume, $4 snapshot; the shell's own clock, which costs no process. */
    private static final String SCRIPT = """
            psql -q -h 127.0.0.1 -p "$1" -U postgres -c CHECKPOINT || exit
            from=$EPOCHREALTIME
            fsfreeze -f "$2" || exit
            btrfs -q subvolume snapshot -r "$3" "$4"
            status=$?
            fsfreeze -u "$2" || exit
            echo "$from $EPOCHREALTIME"
            exit $status
            """;

    private final DatabaseOnImage database;
    private final SequenceWriter writer;
    private final TakerOfImages taker;
    private final Path image;
    private int cuts;

    /** One cut: the window in which its file system was frozen, and the longest a commit took that met any of its work. */
    record Held(double windowMillis, double stallMillis) {
        static double[] windows(List<Held> all) {
            return all.stream().mapToDouble(Held::windowMillis).sorted().toArray();
        }

        static double[] stalls(List<Held> all) {
            return all.stream().mapToDouble(Held::stallMillis).sorted().toArray();
        }
    }

    DatabaseCuts(DatabaseOnImage database) throws IOException, ProviderException, SQLException {
        this.database = database;
        this.taker = database.open();
        this.image = taker.provider().volume(DatabaseOnImage.VOLUME).device().orElseThrow();
        this.writer = SequenceWriter.start(database.server());
    }

    /** @throws Skipped naming what this machine lacks */
    static void need(BenchRun run, long bytes) throws IOException, Skipped {
        if (!System.getProperty("user.name").equals("root")) {
            throw new Skipped("mounting and freezing file systems needs root: run it with sudo");
        }
        Tool.of("mkfs.btrfs", "btrfs-progs");
        Tool.of("mkfs.ext4", "e2fsprogs");
        Tool.of("losetup", "mount");
        Tool.of("fsfreeze", "util-linux");
        Tool.of("psql", "postgresql-client");
        if (!Files.isDirectory(Path.of("/usr/lib/postgresql"))) {
            throw new Skipped("PostgreSQL is missing: apt-get install postgresql");
        }
        if (BlockKernels.hostCalls().isEmpty()) {
            throw new Skipped("no native library, so nothing guards the thaw: "
                    + BlockKernels.unavailableReason().orElse("it was not built"));
        }
        run.needs(bytes);
    }

    Path image() {
        return image;
    }

    /** A recovery point, {@code APPLICATION} or none. */
    Held recoveryPoint(RecoveryPointId id) throws Exception {
        long began = System.nanoTime();
        var plan = taker.taker().plan(id, database.group(LIMIT, Consistency.APPLICATION));
        var freeze = fileSystem(taker.taker().take(plan, ProgressListener.NONE));
        // From the plan on, as the shell's from its checkpoint on.
        return new Held((freeze.releasedNanos() - freeze.requestedNanos()) / 1e6, stallMillis(began));
    }

    void undo(RecoveryPointId id) throws Exception {
        taker.taker().undo(id);
    }

    private static Certificate.Freeze fileSystem(RecoveryPoint point) {
        return point.certificate().freezes().stream()
                .filter(freeze -> freeze.kind().equals(Certificate.FILE_SYSTEM))
                .findFirst()
                .orElseThrow();
    }

    /** What an administrator's shell does; its snapshot stays until the file system goes, or {@link #removeShell}. */
    Held byShell() throws Exception {
        var subvolume = parent(image.toAbsolutePath());
        long began = System.nanoTime();
        var said = Tool.of("bash", "bash")
                .output(
                        "-c",
                        SCRIPT,
                        "cut",
                        database.server().port(),
                        database.volume().mountPoint(),
                        subvolume,
                        shells(subvolume, cuts++));
        var times = said.strip().split(" ", -1);
        if (times.length != 2) {
            throw new IOException("the shell said no two times: " + said);
        }
        var window = new BigDecimal(times[1]).subtract(new BigDecimal(times[0])).movePointRight(3);
        return new Held(window.doubleValue(), stallMillis(began));
    }

    void removeShell() throws Exception {
        Tool.of("btrfs", "btrfs-progs").run("-q", "subvolume", "delete", shells(parent(image), cuts - 1));
    }

    private static Path shells(Path subvolume, int cut) {
        return parent(subvolume).resolve("shell-" + cut);
    }

    /** The longest a commit took that was under way at some time from then until now. */
    private double stallMillis(long sinceNanos) throws Exception {
        long until = System.nanoTime();
        writer.awaitMore(2);
        return writer.worstBetween(sinceNanos, until).toNanos() / 1e6;
    }

    private static Path parent(@Nullable Path path) {
        if (path == null || path.getParent() == null) {
            throw new IllegalStateException("the image lies in no subvolume of its own");
        }
        return path.getParent();
    }

    /** Of sorted values, the one that this share of them does not exceed. */
    static double percentile(double[] sorted, double share) {
        return sorted[Math.max(0, (int) Math.ceil(sorted.length * share) - 1)];
    }

    @Override
    public void close() throws SQLException {
        try {
            writer.close();
        } finally {
            taker.close();
        }
    }
}
