package io.tidemark.system.live;

import static org.assertj.core.api.Assertions.assertThat;

import io.tidemark.attach.Attachments;
import io.tidemark.system.ground.AttachedDevice;
import io.tidemark.system.ground.Ground;
import io.tidemark.system.ground.Kept;
import io.tidemark.system.ground.LoopVolume;
import io.tidemark.system.ground.PostgresServer;
import io.tidemark.system.ground.Programs;
import io.tidemark.system.ground.SequenceWriter;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Random;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * PostgreSQL in an ext4 on an attached live export, and its secondary promoted at arbitrary instants, while the primary is
 * written: the server starts on what the secondary has, after no more than its own recovery, and misses no commit that was
 * answered (C), or those alone that the send buffer had room for (A). {@code -Dtidemark.promotions=N} promotes N times.
 */
@Tag("system-image")
@Timeout(7_200)
class LivePostgresTest {
    private static final long VOLUME_BYTES = 256L << 20;
    /** As {@link LiveSites} makes its link. */
    private static final long BUFFER_BYTES = 1 << 20;
    /** Of the log: what one commit of one client writes at least, before it is answered. */
    private static final long PAGE_BYTES = 8_192;

    private static final int PROMOTIONS = Integer.getInteger("tidemark.promotions", 2);
    private static final Duration AWAY_LIMIT = Duration.ofMinutes(1);
    private static final int PAUSE_MAXIMUM_MILLIS = 900;
    private static final int COMMITS_BEFORE = 20;

    @BeforeAll
    static void require() {
        Ground.requireRootAnd("nbdfuse", "losetup", "mkfs.ext4", "mount");
        PostgresServer.require();
        if (!Files.exists(Path.of("/dev/fuse"))) {
            Ground.lacking("no /dev/fuse");
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"C", "A"})
    void aSecondaryPromotedAtAnyInstantIsADatabaseThatStarts(String protocol) throws Exception {
        long seed = Ground.seeds().findFirst().orElse(1);
        try (var sites = new LiveSites(VOLUME_BYTES, protocol)) {
            sites.promote(0, false);
            sites.awaitInStep();
            try {
                run(sites, protocol, new Random(seed));
            } catch (Exception | AssertionError e) {
                throw new AssertionError("seed %d: %s%n%s".formatted(seed, e.getMessage(), sites.logs()), e);
            }
        }
    }

    private static void run(LiveSites sites, String protocol, Random random) throws Exception {
        var attachments = new Attachments(Files.createDirectory(sites.folder().resolve("attached")));
        var mountPoint = Files.createDirectory(sites.folder().resolve("mounted"));
        try (var kept = new Kept()) {
            var made = attachments.attach(sites.export(), sites.socket(0), AWAY_LIMIT);
            var device = kept.keep(new AttachedDevice(made, mountPoint));
            Programs.run("mkfs.ext4", "-q", "-F", made.device().toString());
            Programs.run("mount", made.device().toString(), mountPoint.toString());
            long commits = promoteUnder(sites, protocol, random, mountPoint.resolve("data"));
            Programs.run("umount", mountPoint.toString());
            attachments.detach(made, false);
            device.detached();
            sites.awaitInStep();
            sites.demote(0);
            assertThat(Files.mismatch(sites.side(0).image(), sites.side(1).image()))
                    .as("both copies are equal")
                    .isEqualTo(-1);
            assertThat(commitsIn(sites, 1)).isGreaterThanOrEqualTo(commits);
        }
    }

    /** @return commits that were answered */
    private static long promoteUnder(LiveSites sites, String protocol, Random random, Path data) throws Exception {
        PostgresServer.init(data);
        // Whoever makes it leaves that to the kernel.
        Programs.run("sync", "-f", data.toString());
        try (var server = PostgresServer.start(data);
                var writer = SequenceWriter.start(server)) {
            for (int promotion = 1; promotion <= PROMOTIONS; promotion++) {
                writer.awaitMore(COMMITS_BEFORE);
                Thread.sleep(random.nextInt(PAUSE_MAXIMUM_MILLIS));
                long answered = answered(writer);
                sites.line().cut();
                sites.promote(1, true);
                long found = commitsIn(sites, 1);
                sites.demote(1);
                sites.line().heal();
                long lost = Math.max(0, answered - found);
                System.err.printf(
                        "promotion %d, protocol %s: %d commits answered, %d found%n",
                        promotion, protocol, answered, found);
                assertThat(lost)
                        .as("commits lost of %d", answered)
                        .isLessThanOrEqualTo(protocol.equals("C") ? 0 : BUFFER_BYTES / PAGE_BYTES);
                sites.awaitInStep();
            }
            writer.close();
            return answered(writer);
        }
    }

    private static long answered(SequenceWriter writer) {
        return writer.commits().getLast().number();
    }

    /** Of the content that a side has at this moment; each page of it is read. */
    private static long commitsIn(LiveSites sites, int side) throws IOException, SQLException {
        var copy = sites.folder().resolve("copy");
        Programs.run("cp", "--sparse=always", sites.side(side).image().toString(), copy.toString());
        try (var volume = LoopVolume.mount(copy, sites.folder().resolve("looked-at"))) {
            var data = volume.mountPoint().resolve("data");
            Files.deleteIfExists(data.resolve("postmaster.pid"));
            try (var server = PostgresServer.start(data);
                    var connection = server.connect();
                    var query = connection.createStatement();
                    var row = query.executeQuery("SELECT count(*), coalesce(max(number), 0) FROM sequence_written")) {
                assertThat(row.next()).isTrue();
                assertThat(row.getLong(1))
                        .as("no commit is missing between others")
                        .isEqualTo(row.getLong(2));
                long found = row.getLong(2);
                server.stopAndCheckPages();
                return found;
            }
        } finally {
            Files.delete(copy);
        }
    }
}
