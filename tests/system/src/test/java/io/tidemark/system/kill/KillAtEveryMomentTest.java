package io.tidemark.system.kill;

import static org.assertj.core.api.Assertions.assertThat;

import io.tidemark.client.ClientException;
import io.tidemark.domain.Moment;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;

/**
 * Kills the source or the target at each named moment, by seed, restarts it, and asks: is each side at the old recovery
 * point or the new one, is nothing frozen, is nothing orphaned, does the next synchronisation bring both in step?
 * {@code -Dtidemark.kill.runs=N} and {@code -Dtidemark.kill.seed=S} choose other runs;
 * of these CI's hour has ten minutes.
 */
@Tag("system-image")
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class KillAtEveryMomentTest {
    private static final int RUNS = Integer.getInteger("tidemark.kill.runs", 70);
    private static final long FIRST_SEED = Long.getLong("tidemark.kill.seed", 1);
    /** A recovery point or a synchronisation may end another way before its moment: rarely. */
    private static final int DIED_PERCENT_MINIMUM = 95;

    private static final int RECOVERY_POINTS_KEPT = 3;
    /** Needs a database: the recovery-point tests kill there. Of link control: {@link LinkControlKillTest}. */
    private static final List<Moment> ELSEWHERE = List.of(
            Moment.DATABASE_FROZEN,
            Moment.DATABASE_HELD,
            Moment.ROLLBACK_WAITING,
            Moment.ROLLBACK_CLOSED,
            Moment.ROLLBACK_MEMBER_DONE,
            Moment.ROLLBACK_MEMBER_RECORDED,
            Moment.LINK_PAUSED,
            Moment.RESYNC_KEPT,
            Moment.REVERSAL_DRAINING,
            Moment.REVERSAL_DRAINED,
            Moment.REVERSAL_ANSWERED,
            Moment.LINK_PROMOTED);

    private static final List<Moment> AT_THE_TARGET = List.of(
            Moment.INGEST_STARTED,
            Moment.INGEST_PARTLY_SYNCED,
            Moment.INGEST_COMMITTED,
            Moment.INGEST_PARTLY_APPLIED,
            Moment.INGEST_APPLIED,
            Moment.TARGET_SNAPSHOT_CUT,
            Moment.TARGET_RECORDED);

    /** Met, or met again, only where more is sent than fits one frame or one sync of the log. */
    private static final List<Moment> IN_LONG_TRANSFERS =
            List.of(Moment.SYNC_PARTLY_SENT, Moment.INGEST_PARTLY_SYNCED, Moment.INGEST_PARTLY_APPLIED);

    /** 9 MiB in frames of 256 KiB. */
    private static final int LONG_TRANSFER_FRAMES = 36;

    private final Map<String, String> digests = new HashMap<>();
    private final Map<Moment, Integer> killed = new EnumMap<>(Moment.class);
    private Optional<TwoSites> sites = Optional.empty();

    @BeforeAll
    void build() throws Exception {
        sites = Optional.of(TwoSites.build());
    }

    @AfterAll
    void undo() throws Exception {
        if (sites.isPresent()) {
            sites.get().close();
        }
    }

    @Test
    void everyRestartEndsAtTheOldRecoveryPointOrTheNewOne() throws Exception {
        var moments = moments(sites.orElseThrow());
        synchronise(new Random(0));
        for (int run = 0; run < RUNS; run++) {
            var moment = moments.get(run % moments.size());
            long started = System.nanoTime();
            killAt(moment, FIRST_SEED + run);
            System.out.printf(
                    "kill run=%d moment=%s millis=%d%n",
                    run, moment, Duration.ofNanos(System.nanoTime() - started).toMillis());
        }

        System.out.println("kills by moment: " + killed);
        assertThat(killed.keySet()).as("every moment was met").containsAll(moments);
        assertThat(killed.values().stream().mapToInt(Integer::intValue).sum())
                .as("runs whose victim died at its moment")
                .isGreaterThanOrEqualTo(RUNS * DIED_PERCENT_MINIMUM / 100);
    }

    private static List<Moment> moments(TwoSites sites) {
        var moments = new ArrayList<Moment>();
        for (var moment : Moment.values()) {
            boolean needsMount = moment == Moment.GUARD_ARMED || moment == Moment.FILE_SYSTEM_FROZEN;
            if (!ELSEWHERE.contains(moment) && (!needsMount || sites.mounted().isPresent())) {
                moments.add(moment);
            }
        }
        return moments;
    }

    private void killAt(Moment moment, long seed) throws Exception {
        var random = new Random(seed);
        var site = AT_THE_TARGET.contains(moment) ? target() : source();
        var before = Replicated.newest(target().client());
        replicated().write(random, IN_LONG_TRANSFERS.contains(moment));
        String digest = replicated().sourceDigest();
        site.dieAt(moment, occurrence(moment, random));

        run(site);
        if (site.diedAsTold()) {
            killed.merge(moment, 1, Integer::sum);
            sites.orElseThrow().assertNothingFrozen(seed);
        } else {
            site.kill();
        }
        site.start();

        remember(digest);
        assertAtOldOrNew(before, moment, seed);
        converge(moment, seed);
    }

    /** Steps that happen many times in one synchronisation are met at a random one of the first. */
    private static int occurrence(Moment moment, Random random) {
        return switch (moment) {
            case OPERATION_RECORDED -> 1 + random.nextInt(2);
            case SYNC_PARTLY_SENT, INGEST_PARTLY_APPLIED -> 1 + random.nextInt(LONG_TRANSFER_FRAMES);
            default -> 1;
        };
    }

    /** Recovery point, then synchronisation; ends when both are done or the victim is dead. */
    private void run(RunningSite victim) throws IOException, InterruptedException {
        try {
            replicated().await(replicated().startRecoveryPoint());
            var operation = replicated().startSync();
            while (victim.alive()) {
                var document = source().client().get("/v1/operations/" + operation);
                if (io.tidemark.client.Operations.ended(document)) {
                    return;
                }
                Thread.sleep(10);
            }
        } catch (ClientException e) {
            // The victim died under the request: that is what this test is for.
            Thread.sleep(50);
        }
    }

    private void remember(String digest) throws Exception {
        Replicated.awaitQuiet(source().client());
        for (var point : Replicated.recoveryPoints(source().client())) {
            digests.putIfAbsent(point, digest);
        }
    }

    private void assertAtOldOrNew(Optional<String> before, Moment moment, long seed) throws Exception {
        Replicated.awaitQuiet(target().client());
        var now = Replicated.newest(target().client());
        var newestAtSource = Replicated.newest(source().client());

        assertThat(now).as("seed %d, %s", seed, moment).isPresent();
        assertThat(now).as("seed %d, %s", seed, moment).isIn(before, newestAtSource);
        assertThat(replicated().targetDigest(now.orElseThrow()))
                .as("seed %d, %s: bytes of %s", seed, moment, now)
                .isEqualTo(digests.get(now.orElseThrow()));
    }

    private void converge(Moment moment, long seed) throws Exception {
        synchronise(new Random(seed));
        assertThat(Replicated.newest(target().client()))
                .as("seed %d, %s", seed, moment)
                .isEqualTo(Replicated.newest(source().client()));
        assertThat(Replicated.orphans(source().client()))
                .as("seed %d, %s", seed, moment)
                .isEmpty();
        assertThat(Replicated.orphans(target().client()))
                .as("seed %d, %s", seed, moment)
                .isEmpty();
        assertThat(sites.orElseThrow().ingestLogs(target()))
                .as("seed %d, %s", seed, moment)
                .isEmpty();
        Replicated.prune(source().client(), RECOVERY_POINTS_KEPT);
        Replicated.prune(target().client(), RECOVERY_POINTS_KEPT);
    }

    private void synchronise(Random random) throws Exception {
        replicated().write(random, false);
        String digest = replicated().sourceDigest();
        var operation = replicated().await(replicated().startRecoveryPoint());
        String point = io.tidemark.client.Operations.result(operation)
                .at("recoveryPoint", "id")
                .text();
        digests.put(point, digest);
        replicated().await(replicated().startSync());
        assertThat(replicated().targetDigest(point)).isEqualTo(digest);
    }

    private Replicated replicated() {
        return sites.orElseThrow().replicated();
    }

    private RunningSite source() {
        return sites.orElseThrow().source();
    }

    private RunningSite target() {
        return sites.orElseThrow().target();
    }
}
