package io.tidemark.control;

/** Turns what ended an operation into the problem document that is kept with it. */
@FunctionalInterface
public interface ProblemWriter {
    /** An RFC 9457 document; never holds secrets or stack traces. */
    String problemJson(Throwable failure);
}
