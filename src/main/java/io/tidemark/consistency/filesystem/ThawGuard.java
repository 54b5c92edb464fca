package io.tidemark.consistency.filesystem;

import java.io.IOException;
import java.io.Serial;
import java.time.Duration;
import java.util.Optional;

/**
 * The client of one {@code thaw-guard}: {@code ready}, {@code freeze}, {@code ask}, {@code thaw}, in this order. All
 * times are CLOCK_MONOTONIC nanoseconds, which is what {@code System.nanoTime()} reads on Linux.
 *
 * <p>An {@code expired} line may come at any time after the freeze; once seen, nothing has held.
 */
final class ThawGuard {
    /** Opening a descriptor for each mount point and locking a few pages: milliseconds; a loaded host needs longer. */
    static final Duration READY_LIMIT = Duration.ofSeconds(10);
    /** The guard answers from memory. */
    static final Duration ASK_LIMIT = Duration.ofSeconds(2);
    /**
     * {@code FIFREEZE} writes out what is dirty and cannot be stopped, {@code FITHAW} waits for it: both may outlast
     * the freeze limit on slow storage, and until they return nobody else could thaw either.
     */
    static final Duration IOCTL_LIMIT = Duration.ofSeconds(30);

    /** Its last word: all is thawed. */
    static final String DONE = "done";

    private final GuardChannel channel;
    private final int count;
    private boolean expired;

    /** @param count how many mount points the guard was started with */
    ThawGuard(GuardChannel channel, int count) {
        this.channel = channel;
        this.count = count;
    }

    /** The guard did not do as it was asked. What is frozen now is not known. */
    static final class GuardException extends Exception {
        @Serial
        private static final long serialVersionUID = 1L;

        private final int index;
        private final int errno;

        GuardException(String message) {
            this(message, -1, 0);
        }

        private GuardException(String message, int index, int errno) {
            super(message);
            this.index = index;
            this.errno = errno;
        }

        /** Which mount point failed; -1 when it was the guard. */
        int index() {
            return index;
        }

        int errno() {
            return errno;
        }
    }

    record Acknowledged(long requestedNanos, long acknowledgedNanos) {}

    /** @param held whether the guard itself vouches that nothing thawed it before */
    record Thawed(long startedNanos, long endedNanos, boolean held) {}

    void awaitReady() throws GuardException {
        var words = words(line(READY_LIMIT, "start"));
        if (!words[0].equals("ready")) {
            throw failure("refused", words);
        }
    }

    /** In order of the mount points. When it throws with an index, the guard has thawed what it froze. */
    Acknowledged[] freeze(Duration limit) throws GuardException {
        send("freeze");
        var answers = new Acknowledged[count];
        var patience = limit.plus(IOCTL_LIMIT);
        while (true) {
            var words = words(line(patience, "freeze"));
            switch (words[0]) {
                case "frozen" -> answers[index(words)] = new Acknowledged(number(words, 2), number(words, 3));
                case "all-frozen" -> {
                    return whole(answers, "all-frozen");
                }
                case "expired" -> expired = true;
                default -> throw failure("failed", words);
            }
        }
    }

    /** Whether every freeze has held until now. */
    boolean ask() throws GuardException {
        send("ask");
        var words = words(line(ASK_LIMIT, "ask"));
        switch (words[0]) {
            case "held" -> {
                return !expired;
            }
            case "expired" -> {
                expired = true;
                return false;
            }
            default -> throw new GuardException("guard answered %s to ask".formatted(words[0]));
        }
    }

    /** In order of the mount points; thawed in reverse. The guard ends. */
    Thawed[] thaw() throws GuardException {
        send("thaw");
        var answers = new Thawed[count];
        while (true) {
            var words = words(line(IOCTL_LIMIT, "thaw"));
            switch (words[0]) {
                case "thawed" ->
                    answers[index(words)] =
                            new Thawed(number(words, 2), number(words, 3), number(words, 4) == 1 && !expired);
                case DONE -> {
                    return whole(answers, DONE);
                }
                case "expired" -> expired = true;
                default -> throw new GuardException("guard answered %s to thaw".formatted(words[0]));
            }
        }
    }

    /** As {@link GuardChannel#end}. */
    boolean end() {
        return channel.end();
    }

    void kill() {
        channel.kill();
    }

    private void send(String command) throws GuardException {
        try {
            channel.send(command);
        } catch (IOException e) {
            throw new GuardException("guard is gone: " + e.getMessage());
        }
    }

    private String line(Duration limit, String command) throws GuardException {
        Optional<String> line = channel.receive(limit);
        if (line.isEmpty()) {
            throw new GuardException("guard ended or said nothing to " + command);
        }
        return line.get();
    }

    private static GuardException failure(String expectedWord, String[] words) throws GuardException {
        if (!words[0].equals(expectedWord) || words.length != 3) {
            return new GuardException("guard said " + String.join(" ", words));
        }
        long errno = number(words, 2);
        return new GuardException("errno " + errno, (int) number(words, 1), (int) errno);
    }

    private int index(String[] words) throws GuardException {
        long index = number(words, 1);
        if (index < 0 || index >= count) {
            throw new GuardException("guard named mount point %d of %d".formatted(index, count));
        }
        return (int) index;
    }

    private static <T> T[] whole(T[] answers, String word) throws GuardException {
        for (var answer : answers) {
            if (answer == null) {
                throw new GuardException("guard said %s before every mount point".formatted(word));
            }
        }
        return answers;
    }

    /** Splits at spaces without a regular expression: this runs while writers are held. */
    private static String[] words(String line) {
        return line.split(" ", -1);
    }

    private static long number(String[] words, int position) throws GuardException {
        try {
            return Long.parseLong(words[position]);
        } catch (ArrayIndexOutOfBoundsException | NumberFormatException e) {
            throw new GuardException("guard said " + String.join(" ", words));
        }
    }
}
