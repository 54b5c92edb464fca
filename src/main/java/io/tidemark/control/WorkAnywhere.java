package io.tidemark.control;

import io.tidemark.agent.Providers;
import io.tidemark.agent.RemembersWork;
import io.tidemark.domain.Operation;
import io.tidemark.spi.Handle;
import io.tidemark.spi.ProviderError;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.Step;
import io.tidemark.spi.StorageProvider;
import io.tidemark.spi.Volume;
import io.tidemark.spi.VolumeId;
import java.time.Duration;
import java.util.Optional;

/**
 * Work at storage that may be an agent's. It goes on there when the connection is lost or this process starts again, so
 * whoever follows it waits until the agent is back, and asks how far it is.
 */
final class WorkAnywhere {
    /**
     * How long an agent may be away at one time. A host is back from a start within minutes; one that stays away longer
     * needs its operator, who is told so.
     */
    static final Duration AWAY_MAXIMUM = Duration.ofHours(1);

    /** How soon a cancellation is seen, and a stop of the site. */
    private static final Duration LOOK = Duration.ofMillis(200);

    /** The longest time between two attempts: an agent that is there and cannot answer yet is not asked in a loop. */
    private static final Duration ATTEMPT_MAXIMUM = Duration.ofSeconds(2);

    private static final Duration ASK_MAXIMUM = Duration.ofSeconds(15);
    /** As that of local storage. */
    private static final Duration WORK_MAXIMUM = Duration.ofDays(2);

    private final Providers providers;
    private final Duration awayMaximum;

    WorkAnywhere(Providers providers) {
        this(providers, AWAY_MAXIMUM);
    }

    WorkAnywhere(Providers providers, Duration awayMaximum) {
        this.providers = providers;
        this.awayMaximum = awayMaximum;
    }

    /** Begins it; asked again it must be idempotent by what it makes, or have {@link Work#once}. */
    @FunctionalInterface
    interface Begin {
        Step<Volume> at(StorageProvider provider) throws ProviderException;
    }

    /** A question that changes nothing. */
    @FunctionalInterface
    interface Question<T> {
        T ask() throws ProviderException;
    }

    /**
     * How work was asked for. It may be asked for again as it was, by the same agent under the same id, and in no other way:
     * whoever was asked without an id does not know it by one.
     *
     * @param rememberedBy fingerprint of the agent that was given an id with it; empty where there was none
     */
    record Way(Optional<String> rememberedBy) {
        static final Way WITHOUT_ID = new Way(Optional.empty());
    }

    /** Of work that does harm when it is begun twice. */
    interface Once {
        /** How it was asked for first, by this process or one that is gone. */
        Optional<Way> asked();

        /** Writes down, durably and before it is asked for, how that is done. */
        void asking(Way way);

        /** Ends the operation where nobody can say whether it was begun; the reason is a phrase. */
        ControlException untold(String reason);
    }

    static final String WITHOUT_ID_REASON =
            "the answer was lost, and the software of the agent, or of the controller, was too old to tell when it was asked";

    /**
     * What is to be done.
     *
     * @param id the same whenever it is asked for, and never that of other work
     * @param object what is worked on, for progress and errors
     * @param once where beginning it twice may do harm
     */
    record Work(VolumeId volume, String id, String object, Optional<Once> once, Begin begin) {}

    /** What one piece of work has come to, as far as it is known here. */
    private static final class Course {
        /** Of a beginning; a question how far it is may be asked again. */
        boolean answerLost;

        Optional<Handle> handle = Optional.empty();
    }

    /**
     * Follows it to its end.
     *
     * @throws ProviderException what the storage says
     * @throws ControlException AgentAway at the limit, or when it is cancelled meanwhile; Stopping, for the next start to go
     *     on; StepTooLong; what {@link Work#once} says
     */
    Volume finish(Work work, OperationKind.Running running)
            throws ProviderException, ControlException, InterruptedException {
        if (work.volume().agent().isEmpty()) {
            var provider = providers.of(work.volume());
            work.once().ifPresent(once -> once.asking(Way.WITHOUT_ID));
            return StepRunner.finish(provider, work.begin().at(provider), Volume.class, work.object(), running);
        }
        long endNanos = System.nanoTime() + WORK_MAXIMUM.toNanos();
        var course = new Course();
        var asked = work.once().flatMap(Once::asked);
        if (asked.equals(Optional.of(Way.WITHOUT_ID))) {
            throw work.once().orElseThrow().untold(WITHOUT_ID_REASON);
        }
        while (true) {
            var step = whileAway(work.volume(), work.object(), running, () -> step(work, course));
            switch (step) {
                case Step.Done<?>(var result) -> {
                    return (Volume) result;
                }
                case Step.Running<?> now -> {
                    if (System.nanoTime() - endNanos >= 0) {
                        throw new ControlException(new ControlError.StepTooLong(work.object(), WORK_MAXIMUM));
                    }
                    course.handle = Optional.of(now.handle());
                    running.progress(
                            new Operation.Progress(work.object(), Math.round(now.progress() * 100), 100, "percent"));
                    pause(now.askAgainAfter(), running);
                }
            }
        }
    }

    private Step<?> step(Work work, Course course) throws ProviderException, ControlException {
        var provider = providers.of(work.volume());
        var remembering =
                provider instanceof RemembersWork agent ? agent.under(work.id()) : Optional.<StorageProvider>empty();
        if (work.once().isPresent()) {
            var rememberedBy = provider instanceof RemembersWork agent && remembering.isPresent()
                    ? Optional.of(agent.rememberedBy())
                    : Optional.<String>empty();
            refuseSecond(work.once().orElseThrow(), new Way(rememberedBy), course);
        }
        if (remembering.isEmpty() && course.handle.isPresent()) {
            return provider.resume(course.handle.orElseThrow());
        }
        boolean answered = false;
        try {
            var step = work.begin().at(remembering.orElse(provider));
            answered = true;
            return step;
        } finally {
            course.answerLost = course.answerLost || !answered;
        }
    }

    /** What the agent is now does not matter but for this: the same as it was when the work was asked for first. */
    private static void refuseSecond(Once once, Way now, Course course) throws ControlException {
        var first = once.asked();
        if (first.isEmpty()) {
            once.asking(now);
            return;
        }
        var before = first.orElseThrow().rememberedBy();
        if (before.isEmpty()) {
            // Under an id it would be other work, and be begun.
            if (now.rememberedBy().isPresent() || course.answerLost) {
                throw once.untold(WITHOUT_ID_REASON);
            }
        } else if (now.rememberedBy().isEmpty()) {
            throw once.untold("the software of the agent is older than when it was asked, and too old to tell");
        } else if (!now.rememberedBy().equals(before)) {
            throw once.untold("the agent was installed anew since it was asked, and knows nothing of it");
        }
    }

    private interface Attempt<T> {
        T ask() throws ProviderException, ControlException;
    }

    /**
     * Asks, and asks again where the agent cannot be reached, or cannot answer yet, until it can.
     *
     * @param object what is asked for, for progress and errors
     */
    <T> T answered(VolumeId volume, String object, OperationKind.Running running, Question<T> question)
            throws ProviderException, ControlException, InterruptedException {
        return whileAway(volume, object, running, question::ask);
    }

    private <T> T whileAway(VolumeId volume, String object, OperationKind.Running running, Attempt<T> attempt)
            throws ProviderException, ControlException, InterruptedException {
        long endNanos = System.nanoTime() + awayMaximum.toNanos();
        var pause = LOOK;
        while (true) {
            try {
                return attempt.ask();
            } catch (ProviderException e) {
                if (volume.agent().isEmpty() || !(e.error() instanceof ProviderError.Unreachable away)) {
                    throw e;
                }
                if (System.nanoTime() - endNanos >= 0) {
                    throw away(volume, object, "it was waited for %d s".formatted(awayMaximum.toSeconds()), e);
                }
                running.progress(new Operation.Progress("%s waits: %s".formatted(object, away.message()), 0, 0, ""));
                for (long waited = 0; waited < pause.toNanos(); waited += LOOK.toNanos()) {
                    leaveWhenStopping(running);
                    if (running.cancelled()) {
                        throw away(volume, object, "it was cancelled while it waited for the agent", e);
                    }
                    Thread.sleep(LOOK);
                }
                var longer = pause.multipliedBy(2);
                pause = longer.compareTo(ATTEMPT_MAXIMUM) > 0 ? ATTEMPT_MAXIMUM : longer;
            }
        }
    }

    private static ControlException away(VolumeId volume, String object, String reason, ProviderException cause) {
        var failure =
                new ControlException(new ControlError.AgentAway(volume.agent().orElseThrow(), object, reason));
        failure.initCause(cause);
        return failure;
    }

    /** A stop that has granted its time leaves the work to the agent, and the asking to the next start. */
    private static void leaveWhenStopping(OperationKind.Running running) throws ControlException {
        if (running.stopping()) {
            throw new ControlException(new ControlError.Stopping());
        }
    }

    private static void pause(Duration asked, OperationKind.Running running)
            throws ControlException, InterruptedException {
        var bounded = asked.compareTo(LOOK) < 0 ? LOOK : asked.compareTo(ASK_MAXIMUM) > 0 ? ASK_MAXIMUM : asked;
        long endNanos = System.nanoTime() + bounded.toNanos();
        while (System.nanoTime() - endNanos < 0) {
            if (running.cancelled()) {
                leaveWhenStopping(running);
            }
            Thread.sleep(LOOK);
        }
    }
}
