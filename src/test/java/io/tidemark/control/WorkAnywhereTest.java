package io.tidemark.control;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tidemark.agent.Providers;
import io.tidemark.agent.ProvidersElsewhere;
import io.tidemark.agent.Unlisted;
import io.tidemark.domain.Operation;
import io.tidemark.domain.OperationId;
import io.tidemark.spi.ProviderError;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.RecoveryPointId;
import io.tidemark.spi.StorageProvider;
import io.tidemark.spi.VolumeId;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** An agent that stays away. */
@Timeout(30)
class WorkAnywhereTest {
    private static final VolumeId THERE = new VolumeId("db1/image:orders");
    private static final VolumeId HERE = new VolumeId("image:orders");

    private final Providers providers = new Providers(List.of()).and(new ProvidersElsewhere() {
        @Override
        public StorageProvider of(VolumeId volume) throws ProviderException {
            throw new ProviderException(new ProviderError.Unreachable("agent db1", "it is not connected"));
        }

        @Override
        public List<StorageProvider> reachable() {
            return List.of();
        }

        @Override
        public List<Unlisted> unreachable() {
            return List.of(Unlisted.agent("db1", "it is not connected"));
        }
    });

    private final Course course = new Course();

    private static final class Course implements OperationKind.Running {
        private final List<Operation.Progress> told = new ArrayList<>();
        private boolean stopping;
        private boolean cancelled;

        @Override
        public Operation operation() {
            return new Operation(
                    new OperationId("op-1"),
                    CloneOperation.KIND,
                    "",
                    Operation.State.RUNNING,
                    "{}",
                    "started",
                    Operation.Progress.NONE,
                    Optional.empty(),
                    Optional.empty(),
                    Instant.EPOCH,
                    Instant.EPOCH);
        }

        @Override
        public void step(String name) {}

        @Override
        public boolean stopping() {
            return stopping;
        }

        @Override
        public void progress(Operation.Progress progress) {
            told.add(progress);
        }

        @Override
        public boolean cancelled() {
            return cancelled;
        }
    }

    private void finish(VolumeId volume, Duration awayMaximum) throws Exception {
        var unused = new WorkAnywhere(providers, awayMaximum)
                .finish(
                        new WorkAnywhere.Work(volume, "op-1", "clone", Optional.empty(), provider -> {
                            throw new AssertionError("it was not reached");
                        }),
                        course);
    }

    private static ControlError errorOf(Throwable failure) {
        return ((ControlException) failure).error();
    }

    @Test
    void agentThatStaysAwayLongerThanTheLimitEndsTheWaiting() {
        assertThatThrownBy(() -> finish(THERE, Duration.ofMillis(500)))
                .hasMessageContaining("agent db1")
                .satisfies(failure -> assertThat(errorOf(failure)).isInstanceOf(ControlError.AgentAway.class));
        assertThat(course.told)
                .hasSizeGreaterThan(1)
                .allMatch(progress -> progress.phase().contains("not connected"));
    }

    /** Not {@code Cancelled}, which would say that what it had made is undone. */
    @Test
    void cancellationMeanwhileDoesNotSayThatNothingIsLeft() {
        course.cancelled = true;

        assertThatThrownBy(() -> finish(THERE, Duration.ofMinutes(1)))
                .satisfies(failure -> assertThat(errorOf(failure)).isInstanceOf(ControlError.AgentAway.class));
    }

    @Test
    void stopLeavesItToTheNextStart() {
        course.stopping = true;
        course.cancelled = true;

        assertThatThrownBy(() -> finish(THERE, Duration.ofMinutes(1)))
                .satisfies(failure -> assertThat(errorOf(failure)).isInstanceOf(ControlError.Stopping.class));
    }

    private WorkAnywhere.Once askedFor(WorkAnywhere.Way way) {
        return new WorkAnywhere.Once() {
            @Override
            public Optional<WorkAnywhere.Way> asked() {
                return Optional.of(way);
            }

            @Override
            public void asking(WorkAnywhere.Way again) {
                throw new AssertionError("asked again");
            }

            @Override
            public ControlException untold(String reason) {
                return new ControlException(
                        new ControlError.RollbackUntold(new RecoveryPointId("rp-1"), THERE, reason));
            }
        };
    }

    /** Nothing that the agent says once it is back would help. */
    @Test
    void workThatAnEarlierProcessAskedForWithoutAnIdIsNotWaitedFor() {
        var once = askedFor(WorkAnywhere.Way.WITHOUT_ID);
        var work = new WorkAnywhere.Work(THERE, "op-1", "rollback", Optional.of(once), provider -> {
            throw new AssertionError("it was reached");
        });

        assertThatThrownBy(() -> new WorkAnywhere(providers, Duration.ofMinutes(1)).finish(work, course))
                .satisfies(failure -> assertThat(errorOf(failure)).isInstanceOf(ControlError.RollbackUntold.class));
        assertThat(course.told).isEmpty();
    }

    @Test
    void storageOfThisHostIsNotWaitedFor() {
        assertThatThrownBy(() -> finish(HERE, Duration.ofMinutes(1))).isInstanceOf(ProviderException.class);
    }
}
