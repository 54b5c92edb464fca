package io.tidemark.control;

import java.util.Locale;

/** What a rollback does where a volume is open: mounted, attached, or used by a process. */
public enum WhenOpen {
    /** It fails at once, and no volume of the recovery point is rolled back. */
    REFUSE,
    /** It waits until all volumes of the recovery point are closed, for {@link ClosedVolumes#LIMIT} at most. */
    DEFER;

    /** As requests have it. */
    public String word() {
        return name().toLowerCase(Locale.ROOT);
    }

    /** @throws IllegalArgumentException for any other word */
    public static WhenOpen of(String word) {
        for (var each : values()) {
            if (each.word().equals(word)) {
                return each;
            }
        }
        throw new IllegalArgumentException("is neither refuse nor defer");
    }
}
