package io.tidemark.control;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.tidemark.domain.Operation;
import io.tidemark.domain.ProgressListener;
import java.util.List;

/** What an operation of one kind does, and what a restart does with one that was cut off. */
public interface OperationKind {

    /** {@link Operation#kind()}. */
    String name();

    /** What it needs for itself while it runs. */
    List<Claim> claims(ObjectNode request);

    /** Operations of one lane wait for each other when there are many. */
    default String lane(ObjectNode request) {
        return "common";
    }

    /**
     * Acts, on a virtual thread, and answers the result document. Its own failures end the operation as {@code FAILED};
     * whoever reads {@link Running#cancelled()} as true undoes what it must and ends with a {@code Cancelled} error.
     */
    ObjectNode carryOut(ObjectNode request, Running running) throws Exception;

    /** Decides about an operation that the last process did not finish. */
    Resumption resume(Operation operation, ObjectNode request) throws Exception;

    /** The operation from inside. */
    interface Running extends ProgressListener {
        Operation operation();

        /** Writes down that a step was reached. */
        void step(String name);

        /**
         * Whether the site is being stopped. What only waits then ends with {@code Stopping}, and the next start goes on
         * with it; what acts has the stop timeout to come to its end.
         */
        boolean stopping();

        /** Lets others of its lane run, for a wait in which it uses nothing of what the lane stands for. */
        default void leaveLane() {}

        /**
         * Waits for its turn in the lane it has left; without a word where it is in it.
         *
         * @throws ControlException Cancelled
         */
        default void enterLane() throws ControlException, InterruptedException {}
    }

    /** What becomes of an operation that was cut off. */
    sealed interface Resumption {
        /** It had done its work; only its end was not written down. */
        record Finished(ObjectNode result) implements Resumption {}

        /** Every step may run twice: it runs again. */
        record Again() implements Resumption {}

        /** What it had made is gone. */
        record Undone() implements Resumption {}
    }
}
