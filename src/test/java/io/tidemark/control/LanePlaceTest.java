package io.tidemark.control;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tidemark.domain.Operation;
import io.tidemark.domain.OperationId;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;

class LanePlaceTest {
    private final Slots slots = new Slots(1);
    private final AtomicInteger waiting = new AtomicInteger();
    private final List<String> order = new CopyOnWriteArrayList<>();

    private interface Step {
        void run() throws Exception;
    }

    private Thread waiting(String name, Step step) {
        var thread = Thread.ofPlatform().start(() -> {
            try {
                step.run();
                order.add(name);
            } catch (Exception e) {
                order.add(name + " " + e.getClass().getSimpleName());
            }
        });
        Awaitility.await().until(() -> thread.getState() == Thread.State.WAITING);
        return thread;
    }

    @Test
    void whoHasLeftTheLaneComesBackBeforeWhoAsksLater() throws Exception {
        var back = new LanePlace(slots, waiting);
        back.take("b");
        back.leave();
        var other = new LanePlace(slots, waiting);
        other.take("b");
        var first = waiting("back", () -> back.takeAgain(live()));
        var second = waiting("later", () -> new LanePlace(slots, waiting).take("b"));

        other.leave();
        first.join();
        assertThat(order).containsExactly("back");

        back.leave();
        second.join();
        assertThat(order).containsExactly("back", "later");
        assertThat(slots.taken()).isEqualTo(1);
    }

    @Test
    void cancellationEndsTheWaitForTheWayBack() throws Exception {
        var back = new LanePlace(slots, waiting);
        back.take("b");
        back.leave();
        new LanePlace(slots, waiting).take("b");
        var operation = live();
        var thread = waiting("back", () -> back.takeAgain(operation));

        operation.requestCancel();

        thread.join();
        assertThat(order).containsExactly("back InterruptedException");
        assertThat(waiting).hasValue(0);
        assertThatThrownBy(() -> back.takeAgain(operation)).isInstanceOf(ControlException.class);
        assertThat(slots.taken()).isEqualTo(1);
    }

    private static LiveOperation live() {
        return new LiveOperation(new Operation(
                new OperationId("op-1"),
                "sync",
                "",
                Operation.State.RUNNING,
                "{}",
                "started",
                Operation.Progress.NONE,
                Optional.empty(),
                Optional.empty(),
                Instant.EPOCH,
                Instant.EPOCH));
    }
}
