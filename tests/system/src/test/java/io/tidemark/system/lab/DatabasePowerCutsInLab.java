package io.tidemark.system.lab;

import static org.assertj.core.api.Assertions.assertThat;

import io.tidemark.system.ground.PostgresServer;
import io.tidemark.system.ground.Programs;
import io.tidemark.system.ground.SequenceWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

/** The power fails at any write while recovery points of a running PostgreSQL are cut: it starts from each listed one. */
@InLab
class DatabasePowerCutsInLab {
    private static final long VOLUME_BYTES = 256 << 20;
    private static final int CUTS = 4;
    private static final int COMMITS_BETWEEN = 20;
    /** The log of a database that is seldom at a checkpoint would fill the volume. */
    private static final String LOG_LIMIT = "max_wal_size=48MB";

    private record Commits(SequenceWriter writer) implements PowerCuts.Sequence {
        @Override
        public long acknowledged() {
            return writer.commits().getLast().number();
        }

        @Override
        public long begun() {
            return acknowledged() + 1;
        }
    }

    @Test
    void postgresStartsFromListedRecoveryPointsWhereverThePowerFails() throws Exception {
        var cuts = PowerCuts.begin("340M", VOLUME_BYTES);
        var data = cuts.mountPoint().resolve("data");
        PostgresServer.init(data);
        // Which syncs nothing of the files that it makes.
        Programs.run("sync", "-f", data.toString());
        try (var provider = cuts.open()) {
            try (var server = PostgresServer.start(data, LOG_LIMIT);
                    var writer = SequenceWriter.start(server)) {
                writer.awaitMore(COMMITS_BETWEEN);
                cuts.ready();
                for (int number = 1; number <= CUTS; number++) {
                    cuts.cut(provider, "rp-" + number, number % 2 == 0, new Commits(writer));
                    writer.awaitMore(COMMITS_BETWEEN);
                    if (number > 1) {
                        cuts.delete(provider, "rp-" + (number - 1));
                    }
                }
            }
            cuts.hold(provider, "rp-" + CUTS);
        }
        cuts.end();
        cuts.replay(mountPoint -> lastCommitIn(mountPoint.resolve("data")));
    }

    /** The last one, if the table holds each from the first on, and its pages and indexes are whole. */
    private static long lastCommitIn(Path data) throws Exception {
        Files.delete(data.resolve("postmaster.pid"));
        try (var server = PostgresServer.start(data, LOG_LIMIT)) {
            long last = server.number("SELECT max(number) FROM sequence_written");
            assertThat(server.number("SELECT count(*) FROM sequence_written")).isEqualTo(last);
            server.checkStructures();
            server.stopAndCheckPages();
            return last;
        }
    }
}
