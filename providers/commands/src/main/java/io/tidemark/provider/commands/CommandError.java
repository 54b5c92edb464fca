package io.tidemark.provider.commands;

import java.time.Duration;

/** Why a program gave no usable answer. A program that ran and exited with any status is no error here. */
public sealed interface CommandError {

    /** One lower-case phrase without a full stop; names the program. */
    String message();

    /** The program is not installed, or not executable by this account. */
    record NotStarted(String program, String reason) implements CommandError {
        @Override
        public String message() {
            return "%s could not be started: %s".formatted(program, reason);
        }
    }

    /** It ran longer than allowed, and was killed. */
    record TimedOut(String program, Duration timeLimit) implements CommandError {
        @Override
        public String message() {
            return "%s did not end within %s".formatted(program, timeLimit);
        }
    }

    /** It wrote more than allowed, and was killed. */
    record TooMuchOutput(String program, int bytesMaximum) implements CommandError {
        @Override
        public String message() {
            return "%s wrote more than %d bytes".formatted(program, bytesMaximum);
        }
    }

    /** The waiting thread was interrupted; the program was killed. */
    record Interrupted(String program) implements CommandError {
        @Override
        public String message() {
            return "waiting for %s was interrupted".formatted(program);
        }
    }
}
