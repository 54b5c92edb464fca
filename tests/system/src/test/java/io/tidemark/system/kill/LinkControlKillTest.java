package io.tidemark.system.kill;

import static org.assertj.core.api.Assertions.assertThat;

import io.tidemark.client.ClientError;
import io.tidemark.client.ClientException;
import io.tidemark.domain.Moment;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.Timeout;

/**
 * Kills a site at each moment of link control, restarts it, and holds what {@code docs/design/link-control.md} says in
 * "process dies at" against both sites: who is the source, what is in which state, that nothing which somebody wrote is
 * gone, and that the images are equal once what died was asked for again. Each reversal turns the link, so each site is
 * killed as source and as target. {@code -Dtidemark.kill.link.rounds=N} and {@code -Dtidemark.kill.seed=S} choose other
 * runs.
 */
@Tag("system-image")
@Timeout(600)
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class LinkControlKillTest {
    /** An even number ends each test with the roles it began with. */
    private static final int ROUNDS = Integer.getInteger("tidemark.kill.link.rounds", 2);

    private static final long FIRST_SEED = Long.getLong("tidemark.kill.seed", 1);
    private static final int RECOVERY_POINTS_KEPT = 3;
    /** 9 MiB take nine seconds at it: a pause comes in between. */
    private static final String SLOW = "1MiB/s";

    private static final String FAST = "1GiB/s";
    private static final Map<String, ?> NOTHING = Map.of();
    private static final Map<String, ?> PLANNED = Map.of("mode", "PLANNED");
    private static final int IN_USE = 409;
    private static final int DELETED = 204;

    private Optional<TwoSites> sites = Optional.empty();
    private List<LinkSide> sides = List.of();

    @BeforeAll
    void build() throws Exception {
        var built = TwoSites.build();
        sites = Optional.of(built);
        String link = built.replicated().link();
        sides = List.of(
                new LinkSide(built.source(), Replicated.VOLUME, link),
                new LinkSide(built.target(), Replicated.COPY, link));
        // The target has no link before the first synchronisation has opened it.
        sides.getFirst().take();
        sides.getFirst().succeeded(sides.getFirst().ask("syncs", NOTHING));
    }

    @AfterAll
    void undo() throws Exception {
        if (sites.isPresent()) {
            sites.get().close();
        }
    }

    private interface Round {
        /** @param odd which of the two ways a moment may be met in */
        void run(Random random, boolean odd) throws Exception;
    }

    private void rounds(Moment moment, Round round) throws Exception {
        for (int index = 0; index < ROUNDS; index++) {
            long started = System.nanoTime();
            // Of its own for each: the bytes of another moment's round may still be there.
            var random = new Random(31L * moment.name().hashCode() + FIRST_SEED + index);
            round.run(random, index % 2 == 1);
            converge(random);
            System.out.printf(
                    "kill round=%d moment=%s millis=%d%n",
                    index, moment, Duration.ofNanos(System.nanoTime() - started).toMillis());
        }
    }

    private LinkSide source() throws Exception {
        return sides.get(sides.getFirst().role().equals("SOURCE") ? 0 : 1);
    }

    private LinkSide target() throws Exception {
        return other(source());
    }

    private LinkSide other(LinkSide side) {
        return sides.get(1 - sides.indexOf(side));
    }

    /** After a kill and what follows it: one source, one target, both active; nothing is left but the images, equal. */
    private void converge(Random random) throws Exception {
        var source = source();
        var target = other(source);
        assertThat(List.of(source.role(), target.role())).containsExactly("SOURCE", "TARGET");
        assertThat(List.of(source.state(), target.state())).containsOnly("ACTIVE");
        Replicated.write(source.image(), random, false);
        String digest = Replicated.digest(source.image());

        String point = source.take();
        source.succeeded(source.ask("syncs", NOTHING));

        assertThat(source.inStep()).contains(point);
        assertThat(target.inStep()).contains(point);
        assertThat(Replicated.digest(target.image())).as("images").isEqualTo(digest);
        for (var side : sides) {
            assertThat(side.digest(point)).isEqualTo(digest);
            assertThat(Replicated.orphans(side.site().client())).isEmpty();
            Replicated.prune(side.site().client(), RECOVERY_POINTS_KEPT);
        }
    }

    /** Killed at its moment; only then does what was asked for end, unanswered. */
    private static void died(LinkSide victim) throws Exception {
        victim.awaitDeath();
        assertThat(victim.site().diedAsTold()).isTrue();
    }

    private static void restart(LinkSide victim) throws Exception {
        victim.site().start();
    }

    private interface Request {
        void send() throws Exception;
    }

    /** What asks for the victim's death is not answered. */
    private static void unanswered(Request request) throws Exception {
        try {
            request.send();
        } catch (ClientException e) {
            assertThat(e.error()).isInstanceOf(ClientError.Unreachable.class);
        }
    }

    @Test
    void aPauseThatDiedHolds() throws Exception {
        rounds(Moment.LINK_PAUSED, (random, atTheTarget) -> {
            var source = source();
            var target = target();
            var before = target.inStep();
            String digest = Replicated.digest(target.image());
            Replicated.write(source.image(), random, true);
            String point = source.take();
            source.pace(SLOW);
            String sync = source.ask("syncs", NOTHING);
            awaitSent(source, sync);
            var victim = atTheTarget ? target : source;
            victim.site().dieAt(Moment.LINK_PAUSED, 1);

            unanswered(victim::pause);
            died(victim);
            restart(victim);

            assertThat(victim.state()).isEqualTo("PAUSED");
            assertThat(source.problem(sync)).isPresent();
            source.pace(FAST);
            if (atTheTarget) {
                assertThat(source.problem(source.ask("syncs", NOTHING))).contains("link-paused-at-peer");
            } else {
                assertThat(source.problem(sync)).contains("link-state");
                assertThat(source.document().at("underway").optional()).contains(point);
            }
            assertThat(target.inStep()).isEqualTo(before);
            assertThat(Replicated.digest(target.image())).as("nothing arrived").isEqualTo(digest);

            victim.resume();
            if (!atTheTarget) {
                Replicated.awaitQuiet(source.site().client());
                assertThat(target.inStep()).as("sent by resuming alone").contains(point);
            }
        });
    }

    private static void awaitSent(LinkSide source, String sync) throws Exception {
        while (source.site()
                        .client()
                        .get("/v1/operations/" + sync)
                        .at("progress", "doneUnits")
                        .number()
                == 0) {
            Thread.sleep(10);
        }
    }

    @Test
    void whatAResyncKeptIsKeptOnceAndNothingWasOverwrittenBefore() throws Exception {
        rounds(Moment.RESYNC_KEPT, (random, writtenAgain) -> {
            var source = source();
            var target = target();
            Replicated.write(source.image(), random, false);
            source.take();
            Replicated.write(target.image(), random, false);
            String foreign = Replicated.digest(target.image());
            assertThat(source.problem(source.ask("syncs", NOTHING))).contains("target-written");
            target.site().dieAt(Moment.RESYNC_KEPT, 1);

            String resync = source.ask("resyncs", Map.of("overwriteTarget", true));
            died(target);
            assertThat(source.problem(resync)).isPresent();
            var image = sites.orElseThrow();
            restart(target);

            assertThat(image.ingestLogs(target.site())).isEmpty();
            assertThat(Replicated.digest(target.image())).as("not overwritten").isEqualTo(foreign);
            var kept = target.kept();
            assertThat(kept).hasSize(1);
            assertThat(target.digest(kept.getFirst())).isEqualTo(foreign);
            assertThat(target.delete(kept.getFirst())).as("held").isEqualTo(IN_USE);
            var expected = new ArrayList<>(List.of(foreign));
            if (writtenAgain) {
                Replicated.write(target.image(), random, false);
                expected.add(Replicated.digest(target.image()));
            }

            source.succeeded(source.ask("resyncs", Map.of("overwriteTarget", true)));

            var keptNow = target.kept().stream().sorted().toList();
            assertThat(keptNow).hasSameSizeAs(expected);
            for (int index = 0; index < keptNow.size(); index++) {
                assertThat(target.digest(keptNow.get(index))).isEqualTo(expected.get(index));
                assertThat(target.delete(keptNow.get(index)))
                        .as("let go of after the resync")
                        .isEqualTo(DELETED);
            }
        });
    }

    @Test
    void aReversalThatDiedDrainingDrainsAgainWithWhatWasWrittenSince() throws Exception {
        rounds(Moment.REVERSAL_DRAINING, (random, written) -> {
            var source = source();
            var target = target();
            Replicated.write(source.image(), random, false);
            var image = source.image();
            source.site().dieAt(Moment.REVERSAL_DRAINING, 1);

            String reversal = source.ask("reversals", PLANNED);
            died(source);
            assertThat(target.role()).isEqualTo("TARGET");
            if (written) {
                Replicated.write(image, random, false);
            }
            restart(source);

            source.succeeded(reversal);
            assertHandedOver(source, target);
        });
    }

    @Test
    void aReversalThatDiedDrainedTellsThePeerUnlessTheVolumeWasWritten() throws Exception {
        rounds(Moment.REVERSAL_DRAINED, (random, written) -> {
            var source = source();
            var target = target();
            Replicated.write(source.image(), random, false);
            var image = source.image();
            source.site().dieAt(Moment.REVERSAL_DRAINED, 1);

            String reversal = source.ask("reversals", PLANNED);
            died(source);
            assertThat(target.role()).as("not told").isEqualTo("TARGET");
            if (written) {
                Replicated.write(image, random, false);
            }
            restart(source);

            if (written) {
                assertThat(source.problem(reversal)).contains("volume-written");
                assertThat(List.of(source.role(), source.state())).containsExactly("SOURCE", "ACTIVE");
                assertThat(target.role()).isEqualTo("TARGET");
                source.succeeded(source.ask("reversals", PLANNED));
            } else {
                source.succeeded(reversal);
            }
            assertHandedOver(source, target);
        });
    }

    /** What the old source's volume was is at the new source, wholly. */
    private static void assertHandedOver(LinkSide from, LinkSide to) throws Exception {
        assertThat(List.of(from.role(), to.role())).containsExactly("TARGET", "SOURCE");
        assertThat(from.inStep()).isPresent().isEqualTo(to.inStep());
        assertThat(Replicated.digest(to.image())).isEqualTo(Replicated.digest(from.image()));
    }

    @Test
    void aPeerThatDiedPromotedAnswersTheSameWhenAskedAgain() throws Exception {
        rounds(Moment.LINK_PROMOTED, (random, unplanned) -> {
            if (unplanned) {
                promotedWithoutItsSource(random);
                return;
            }
            var source = source();
            var target = target();
            Replicated.write(source.image(), random, false);
            target.site().dieAt(Moment.LINK_PROMOTED, 1);

            String reversal = source.ask("reversals", PLANNED);
            died(target);
            assertThat(source.problem(reversal)).as("not answered").isPresent();
            assertThat(List.of(source.role(), source.state())).containsExactly("SOURCE", "HANDING_OVER");
            restart(target);

            assertThat(target.role()).isEqualTo("SOURCE");
            source.succeeded(source.ask("reversals", PLANNED));
            assertHandedOver(source, target);
        });
    }

    /** Both sides are the source; neither takes the other's; nothing that the old one wrote is lost. */
    private void promotedWithoutItsSource(Random random) throws Exception {
        var old = source();
        var promoted = target();
        Replicated.write(old.image(), random, false);
        String left = Replicated.digest(old.image());
        promoted.site().dieAt(Moment.LINK_PROMOTED, 1);

        String reversal = promoted.ask("reversals", Map.of("mode", "UNPLANNED"));
        died(promoted);
        restart(promoted);

        promoted.succeeded(reversal);
        assertThat(List.of(old.role(), promoted.role())).containsOnly("SOURCE");
        Replicated.write(promoted.image(), random, false);
        promoted.take();
        assertThat(promoted.problem(promoted.ask("syncs", NOTHING))).contains("no-target");
        old.take();
        assertThat(old.problem(old.ask("syncs", NOTHING))).contains("no-target");
        old.succeeded(old.ask("reversals", Map.of("mode", "FOLLOW")));
        overruled(promoted, old, left);
    }

    @Test
    void aReversalThatDiedAnsweredBecomesTheTargetWhateverWasWrittenSince() throws Exception {
        rounds(Moment.REVERSAL_ANSWERED, (random, written) -> {
            var source = source();
            var target = target();
            Replicated.write(source.image(), random, false);
            var image = source.image();
            source.site().dieAt(Moment.REVERSAL_ANSWERED, 1);

            String reversal = source.ask("reversals", PLANNED);
            died(source);
            assertThat(target.role()).isEqualTo("SOURCE");
            if (written) {
                Replicated.write(image, random, false);
            }
            String left = Replicated.digest(image);
            restart(source);

            source.succeeded(reversal);
            assertThat(source.role()).isEqualTo("TARGET");
            if (written) {
                Replicated.write(target.image(), random, false);
                target.take();
                overruled(target, source, left);
            } else {
                assertHandedOver(source, target);
            }
        });
    }

    /** The first synchronisation back shows what the old source wrote; the resync keeps it. */
    private static void overruled(LinkSide promoted, LinkSide follower, String left) throws Exception {
        assertThat(promoted.problem(promoted.ask("syncs", NOTHING))).get().isIn("target-written", "diverged");
        assertThat(Replicated.digest(follower.image())).as("not overwritten").isEqualTo(left);

        promoted.succeeded(promoted.ask("resyncs", Map.of("overwriteTarget", true)));

        assertThat(follower.kept()).hasSize(1);
        assertThat(follower.digest(follower.kept().getFirst())).isEqualTo(left);
        assertThat(follower.delete(follower.kept().getFirst())).isEqualTo(DELETED);
    }
}
