package io.tidemark.replication;

import io.tidemark.spi.RecoveryPointId;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.regex.Pattern;

/**
 * Ids of what resyncs have kept. They sort before every real id, so that none of them looks like a newer recovery point
 * of the volume.
 */
public final class KeptPoints {
    private static final String PREFIX = "rp-0kept";
    /** Of the offered recovery point's id, which has 40 characters at most; the rest is left to the counter. */
    private static final int BODY_CHARACTERS_MAXIMUM = 30;

    /** Behind another body there are other characters: a recovery point's id may begin as another one's. */
    private static final Pattern COUNTER = Pattern.compile("[0-9]{3,6}");

    private KeptPoints() {}

    public static boolean is(RecoveryPointId point) {
        return point.value().startsWith(PREFIX);
    }

    /** What earlier tries to resync to the offered recovery point have kept and nobody has deleted, oldest first. */
    public static List<RecoveryPointId> earlier(Collection<RecoveryPointId> points, RecoveryPointId offered) {
        String beginning = beginning(offered);
        return points.stream()
                .filter(point -> point.value().startsWith(beginning)
                        && COUNTER.matcher(point.value().substring(beginning.length()))
                                .matches())
                .sorted(Comparator.comparingInt(point -> number(point, beginning)))
                .toList();
    }

    /** An id that no other has and that sorts last of the {@linkplain #earlier earlier} ones; some may be deleted. */
    public static RecoveryPointId next(List<RecoveryPointId> earlier, RecoveryPointId offered) {
        String beginning = beginning(offered);
        int number = earlier.isEmpty() ? 0 : number(earlier.getLast(), beginning) + 1;
        return new RecoveryPointId("%s%03d".formatted(beginning, number));
    }

    private static int number(RecoveryPointId point, String beginning) {
        return Integer.parseInt(point.value().substring(beginning.length()));
    }

    private static String beginning(RecoveryPointId offered) {
        String body = offered.value().substring("rp-".length());
        return PREFIX + body.substring(0, Math.min(body.length(), BODY_CHARACTERS_MAXIMUM));
    }
}
