package io.tidemark.control;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tidemark.agent.Providers;
import io.tidemark.agent.ProvidersElsewhere;
import io.tidemark.agent.Unlisted;
import io.tidemark.spi.Handle;
import io.tidemark.spi.ProviderError;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.RecoveryPointId;
import io.tidemark.spi.Step;
import io.tidemark.spi.StorageProvider;
import io.tidemark.spi.Volume;
import io.tidemark.spi.VolumeId;
import java.lang.reflect.Proxy;
import java.time.Duration;
import java.util.Collections;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
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

    private final FakeRunning course = new FakeRunning(CloneOperation.KIND, "started");

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

    private static final class Remembered implements WorkAnywhere.Once {
        private Optional<WorkAnywhere.Way> way = Optional.empty();

        @Override
        public Optional<WorkAnywhere.Way> asked() {
            return way;
        }

        @Override
        public void asking(WorkAnywhere.Way now) {
            way = Optional.of(now);
        }

        @Override
        public ControlException untold(String reason) {
            return new ControlException(new ControlError.RollbackUntold(new RecoveryPointId("rp-1"), THERE, reason));
        }
    }

    /** An agent that gives no ids: what it says of the work, one after the other, when it is asked how far it is. */
    private static Providers saying(Iterator<Object> answers) {
        var agent = (StorageProvider) Proxy.newProxyInstance(
                WorkAnywhereTest.class.getClassLoader(),
                new Class<?>[] {StorageProvider.class},
                (proxy, method, given) -> {
                    assertThat(method.getName()).isEqualTo("resume");
                    var answer = answers.next();
                    if (answer instanceof ProviderError error) {
                        throw new ProviderException(error);
                    }
                    return answer;
                });
        return new Providers(List.of()).and(new ProvidersElsewhere() {
            @Override
            public StorageProvider of(VolumeId volume) {
                return agent;
            }

            @Override
            public List<StorageProvider> reachable() {
                return List.of(agent);
            }

            @Override
            public List<Unlisted> unreachable() {
                return List.of();
            }
        });
    }

    /** It is under way there: whoever asks how far it is does not begin it a second time. */
    @Test
    void lostAnswerToAQuestionHowFarItIsIsAskedForAgain() throws Exception {
        var volume = new Volume(THERE, 1 << 20, Set.of(), Optional.empty(), List.of(), Map.of());
        var unreachable = new ProviderError.Unreachable("Amazon", "it does not answer");
        var agent = saying(List.<Object>of(unreachable, new Step.Done<>(volume)).iterator());
        var begun = new AtomicInteger();
        var work = new WorkAnywhere.Work(THERE, "op-1", "rollback", Optional.of(new Remembered()), provider -> {
            begun.incrementAndGet();
            return new Step.Running<>(new Handle("image", "rollback"), 0.5, Duration.ZERO);
        });

        assertThat(new WorkAnywhere(agent, Duration.ofMinutes(1)).finish(work, course))
                .isEqualTo(volume);
        assertThat(begun).hasValue(1);
    }

    @Test
    void workWhoseBeginningIsNotAnsweredWithoutAnIdIsNotBegunAgain() {
        var begun = new AtomicInteger();
        var work = new WorkAnywhere.Work(THERE, "op-1", "rollback", Optional.of(new Remembered()), provider -> {
            begun.incrementAndGet();
            throw new ProviderException(new ProviderError.Unreachable("agent db1", "the line broke"));
        });

        assertThatThrownBy(() -> new WorkAnywhere(saying(Collections.emptyIterator()), Duration.ofMinutes(1))
                        .finish(work, course))
                .satisfies(failure -> assertThat(errorOf(failure)).isInstanceOf(ControlError.RollbackUntold.class));
        assertThat(begun).hasValue(1);
    }

    @Test
    void storageOfThisHostIsNotWaitedFor() {
        assertThatThrownBy(() -> finish(HERE, Duration.ofMinutes(1))).isInstanceOf(ProviderException.class);
    }
}
