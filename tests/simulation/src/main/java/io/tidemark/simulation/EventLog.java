package io.tidemark.simulation;

import java.util.ArrayDeque;
import java.util.stream.Collectors;

/** What happened in a world, for people: time, host, event, state. Kept only where someone will read it. */
public final class EventLog {
    /** Lines of a failure that are shown: what led to it is near its end. */
    private static final int LINES_MAXIMUM = 400;

    private record Line(long atMillis, String host, Object event, Object state) {
        @Override
        public String toString() {
            String what = event.toString();
            return "%10d ms  %-7s %-14s %s"
                    .formatted(atMillis, host, state, what.length() <= 300 ? what : what.substring(0, 300) + "…");
        }
    }

    private final boolean kept;
    private final ArrayDeque<Line> lines = new ArrayDeque<>();

    public EventLog(boolean kept) {
        this.kept = kept;
    }

    public boolean isKept() {
        return kept;
    }

    /** Texts are made when they are read: most worlds never fail. */
    public void note(long atMillis, String host, Object event, Object state) {
        if (!kept) {
            return;
        }
        if (lines.size() == LINES_MAXIMUM) {
            lines.removeFirst();
        }
        lines.add(new Line(atMillis, host, event, state));
    }

    @Override
    public String toString() {
        return lines.stream().map(Line::toString).collect(Collectors.joining(System.lineSeparator()));
    }
}
