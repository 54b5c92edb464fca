package io.tidemark.quickstart;

/** Why the quickstart could not go on: a phrase for people, and what to do about it. */
final class QuickstartException extends Exception {
    private static final long serialVersionUID = 1;

    private final String advice;

    QuickstartException(String reason) {
        this(reason, "");
    }

    QuickstartException(String reason, String advice) {
        super(reason);
        this.advice = advice;
    }

    QuickstartException(String reason, Throwable cause) {
        super(reason, cause);
        advice = "";
    }

    String reason() {
        return String.valueOf(getMessage());
    }

    String advice() {
        return advice;
    }
}
