package io.tidemark.transport;

/**
 * Whether compressing is worth it, from what it brought and cost a moment ago: bytes that leave faster than the
 * compressor works are better sent as they are, and what did not shrink is not tried again for a while. Holds no clock.
 */
final class CompressionGain {
    /** Frames sent as they are after one that did not shrink; doubles with each further one. */
    private static final int PAUSE_FRAMES = 4;

    /** 16 MiB in a stream that never shrinks: one try in 64 frames costs 1 % of the compressor's time. */
    private static final int PAUSE_FRAMES_MAXIMUM = 64;

    /** Weight of the newest measure. */
    private static final double NEWEST = 0.2;

    private int pause = PAUSE_FRAMES;
    private int framesToPass;
    private double sendNanosPerByte;
    private double compressNanosPerByte;
    private double keptPart = 1;

    /** Whether the next frame should be tried. */
    boolean worthTrying() {
        if (framesToPass > 0) {
            framesToPass--;
            return false;
        }
        return true;
    }

    /** @param packedBytes as many as raw when it did not shrink enough */
    void tried(int rawBytes, int packedBytes, long nanos) {
        compressNanosPerByte = mix(compressNanosPerByte, (double) nanos / rawBytes);
        keptPart = mix(keptPart, (double) packedBytes / rawBytes);
        boolean shrank = packedBytes < rawBytes;
        if (shrank && pays()) {
            pause = PAUSE_FRAMES;
        } else {
            framesToPass = pause;
            pause = Math.min(2 * pause, PAUSE_FRAMES_MAXIMUM);
        }
    }

    void sent(long wireBytes, long nanos) {
        if (wireBytes > 0) {
            sendNanosPerByte = mix(sendNanosPerByte, (double) nanos / wireBytes);
        }
    }

    /** One thread compresses and sends, so its time for a byte is the sum of both. */
    private boolean pays() {
        double newestPart = keptPart;
        return compressNanosPerByte + newestPart * sendNanosPerByte < sendNanosPerByte;
    }

    private static double mix(double before, double now) {
        return before == 0 ? now : before + NEWEST * (now - before);
    }
}
