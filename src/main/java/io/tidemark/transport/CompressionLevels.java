package io.tidemark.transport;

/**
 * Which level of zstd takes the least time for a byte to be compressed and sent, by what the levels brought and cost a
 * moment ago. It moves one level at a time. A processor that others use makes compressing take longer, so that the
 * level falls without anybody asking for the load. Holds no clock.
 */
final class CompressionLevels {
    /**
     * -7 is as fast as LZ4, and as weak. 3 sends 1 to 7 % less than 1 for half as much time again, and 9 sends 1 to
     * 6 % less than 3 for five times as much. 6 is left out: too little better than 3 for a move, it would hide 9
     * behind it. Beyond 9 a frame of 256 KiB hardly shrinks further.
     */
    private static final int[] LEVELS = {-7, 1, 3, 9};

    /** Level 1: where most lines and machines end. */
    private static final int FIRST = 1;

    /** Frames until a neighbour is measured again after a move; doubles while nothing comes of it. */
    private static final int PROBE_FRAMES = 8;

    /** One frame in 64 is compressed twice, in turn above and below: up to 5 % of the compressor's time. */
    private static final int PROBE_FRAMES_MAXIMUM = 64;

    /** A neighbour has to be better by this part, lest two that are equal take turns. */
    private static final double MOVED_FOR = 0.01;

    /** Weight of the newest frame in the measures of the level it was compressed with. */
    private static final double NEWEST = 0.2;

    /** Weight of the newest probe: it compares levels by the same bytes, and comes seldom. */
    private static final double NEWEST_PROBE = 0.5;

    private final double[] nanosPerByte = new double[LEVELS.length];
    /** 0 for a level that was not measured yet. */
    private final double[] keptPart = new double[LEVELS.length];

    private int current = FIRST;
    /** {@link #current} when no probe is due. */
    private int probe = FIRST;

    private int probedBytes;
    private long probedNanos;
    private int probeFrames = PROBE_FRAMES;
    private int framesToProbe = PROBE_FRAMES;
    private boolean lowerProbedLast;

    static int[] all() {
        return LEVELS.clone();
    }

    /** What the next frame is sent in. */
    int level() {
        return LEVELS[current];
    }

    boolean probeDue() {
        return probe != current;
    }

    /** What the next frame is compressed with too, beforehand and only to measure, when that is due. */
    int probe() {
        return LEVELS[probe];
    }

    /** @param packedBytes as many as the frame has when it did not shrink enough */
    void probed(int packedBytes, long nanos) {
        probedBytes = packedBytes;
        probedNanos = Math.max(1, nanos);
    }

    /**
     * @param packedBytes as many as raw when it did not shrink enough
     * @param sendNanosPerByte what the connection takes
     */
    void tried(int rawBytes, int packedBytes, long tookNanos, double sendNanosPerByte) {
        long nanos = Math.max(1, tookNanos);
        follow((double) nanos / rawBytes, (double) packedBytes / rawBytes);
        // What did not shrink tells nothing of levels.
        if (probeDue() && packedBytes < rawBytes) {
            double nanosThere = nanosPerByte[current] * probedNanos / nanos;
            double keptThere = keptPart[current] * probedBytes / packedBytes;
            boolean known = keptPart[probe] > 0;
            nanosPerByte[probe] = known ? mix(nanosPerByte[probe], nanosThere, NEWEST_PROBE) : nanosThere;
            keptPart[probe] = known ? mix(keptPart[probe], keptThere, NEWEST_PROBE) : keptThere;
        }
        move(sendNanosPerByte);
        probe = nextProbe();
    }

    /** For a byte, at the level that is chosen. One thread compresses and sends, so it is the sum of both. */
    double nanosPerByte(double sendNanosPerByte) {
        return nanosPerByte(current, sendNanosPerByte);
    }

    private double nanosPerByte(int index, double sendNanosPerByte) {
        return nanosPerByte[index] + keptPart[index] * sendNanosPerByte;
    }

    /** Other blocks and a busier processor change all levels alike: what is known of one moves the others with it. */
    private void follow(double newestNanosPerByte, double newestKeptPart) {
        if (keptPart[current] == 0) {
            nanosPerByte[current] = newestNanosPerByte;
            keptPart[current] = newestKeptPart;
            return;
        }
        double slower = mix(nanosPerByte[current], newestNanosPerByte, NEWEST) / nanosPerByte[current];
        double larger = mix(keptPart[current], newestKeptPart, NEWEST) / keptPart[current];
        for (int index = 0; index < LEVELS.length; index++) {
            nanosPerByte[index] *= slower;
            keptPart[index] *= larger;
        }
    }

    private void move(double sendNanosPerByte) {
        int best = current;
        double least = nanosPerByte(current, sendNanosPerByte) * (1 - MOVED_FOR);
        for (int index = lower(); index <= higher(); index++) {
            if (keptPart[index] > 0 && nanosPerByte(index, sendNanosPerByte) < least) {
                best = index;
                least = nanosPerByte(index, sendNanosPerByte);
            }
        }
        if (best != current) {
            current = best;
            probeFrames = PROBE_FRAMES;
            framesToProbe = PROBE_FRAMES;
        }
    }

    private int nextProbe() {
        if (keptPart[lower()] == 0) {
            return lower();
        }
        if (keptPart[higher()] == 0) {
            return higher();
        }
        framesToProbe--;
        if (framesToProbe > 0) {
            return current;
        }
        probeFrames = Math.min(2 * probeFrames, PROBE_FRAMES_MAXIMUM);
        framesToProbe = probeFrames;
        lowerProbedLast = !lowerProbedLast;
        return lowerProbedLast ? lower() : higher();
    }

    private int lower() {
        return Math.max(current - 1, 0);
    }

    private int higher() {
        return Math.min(current + 1, LEVELS.length - 1);
    }

    private static double mix(double before, double now, double weight) {
        return before + weight * (now - before);
    }
}
