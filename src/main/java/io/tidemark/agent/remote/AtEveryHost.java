package io.tidemark.agent.remote;

import io.tidemark.agent.HostTake;
import io.tidemark.consistency.ConsistencyError;
import io.tidemark.consistency.ConsistencyException;
import io.tidemark.domain.ProgressListener;
import io.tidemark.spi.RecoveryPointId;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

/** One step of a recovery point at all of its hosts at the same time. */
final class AtEveryHost {
    private static final long ASK_CANCELLED_MILLIS = 50;

    private AtEveryHost() {}

    interface Step<T> {
        T of(HostTake take) throws ConsistencyException;
    }

    private record Answer<T>(String host, Optional<T> value, Optional<ConsistencyException> failure) {}

    /**
     * Returns once every host has answered, and throws as soon as one has failed: the others are then to be ended by who
     * asked.
     *
     * @return answers by host, in the hosts' order
     */
    static <T> Map<String, T> ask(
            RecoveryPointId id, Map<String, HostTake> takes, Step<T> step, ProgressListener listener)
            throws ConsistencyException {
        BlockingQueue<Answer<T>> answers = new LinkedBlockingQueue<>();
        takes.forEach((host, take) ->
                Thread.ofVirtual().name("tidemark-at-host").start(() -> answers.add(answer(host, take, step))));
        Map<String, T> found = new LinkedHashMap<>();
        try {
            while (found.size() < takes.size()) {
                var answer = answers.poll(ASK_CANCELLED_MILLIS, TimeUnit.MILLISECONDS);
                if (answer == null) {
                    if (listener.cancelled()) {
                        throw new ConsistencyException(new ConsistencyError.Cancelled(id));
                    }
                    continue;
                }
                if (answer.failure().isPresent()) {
                    throw answer.failure().get();
                }
                found.put(answer.host(), answer.value().orElseThrow());
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new ConsistencyException(new ConsistencyError.NotTogether("it was interrupted"), e);
        }
        Map<String, T> inOrder = new LinkedHashMap<>();
        takes.keySet().forEach(host -> inOrder.put(host, Objects.requireNonNull(found.get(host))));
        return inOrder;
    }

    private static <T> Answer<T> answer(String host, HostTake take, Step<T> step) {
        try {
            return new Answer<>(host, Optional.of(step.of(take)), Optional.empty());
        } catch (ConsistencyException e) {
            return new Answer<>(host, Optional.empty(), Optional.of(e));
        } catch (RuntimeException e) {
            return new Answer<>(
                    host,
                    Optional.empty(),
                    Optional.of(new ConsistencyException(new ConsistencyError.NotTogether(host + ": " + e), e)));
        }
    }

    /** Closes all at the same time, and returns once all are closed. */
    static void close(Collection<HostTake> takes) {
        var threads = takes.stream()
                .map(take -> Thread.ofVirtual().name("tidemark-at-host").start(take::close))
                .toList();
        for (var thread : threads) {
            try {
                thread.join();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                return;
            }
        }
    }
}
