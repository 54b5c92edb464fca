package io.tidemark.transport;

/**
 * Whether compressing is worth it, from what it brought and cost a moment ago: bytes that leave faster than the
 * compressor works are better sent as they are, and what did not shrink is not tried again for a while. Which level is
 * tried is told by {@link CompressionLevels}. Holds no clock.
 */
final class CompressionGain {
    /** Frames sent as they are after one that did not shrink; doubles with each further one. */
    private static final int PAUSE_FRAMES = 4;

    /** 16 MiB in a stream that never shrinks: one try in 64 frames costs 1 % of the compressor's time. */
    private static final int PAUSE_FRAMES_MAXIMUM = 64;

    /** Weight of the newest send of {@link #WHOLE_SEND_BYTES} or more. */
    private static final double NEWEST = 0.2;

    /** What is smaller weighs less: its time is that of the call more than that of its bytes. */
    private static final double WHOLE_SEND_BYTES = 64 << 10;

    private final CompressionLevels levels = new CompressionLevels();
    private int pause = PAUSE_FRAMES;
    private int framesToPass;
    /** Whether what was tried last did: then a line that became slower is worth a try at once. */
    private boolean shrinks;
    /** Rises from 0: the greetings, which are small and slow, say nothing of the line. */
    private double sendNanosPerByte;

    /** Whether the next frame should be tried. */
    boolean worthTrying() {
        if (framesToPass > 0 && !(shrinks && pays())) {
            framesToPass--;
            return false;
        }
        return true;
    }

    CompressionLevels levels() {
        return levels;
    }

    /** @param packedBytes as many as raw when it did not shrink enough */
    void tried(int rawBytes, int packedBytes, long nanos) {
        levels.tried(rawBytes, packedBytes, nanos, sendNanosPerByte);
        shrinks = packedBytes < rawBytes;
        if (shrinks && pays()) {
            pause = PAUSE_FRAMES;
            framesToPass = 0;
        } else {
            pass();
        }
    }

    /** Its sample says that the next frame does not shrink; of levels that tells nothing. */
    void doesNotShrink() {
        shrinks = false;
        pass();
    }

    private void pass() {
        framesToPass = pause;
        pause = Math.min(2 * pause, PAUSE_FRAMES_MAXIMUM);
    }

    private boolean pays() {
        return levels.nanosPerByte(sendNanosPerByte) < sendNanosPerByte;
    }

    void sent(long wireBytes, long nanos) {
        if (wireBytes > 0) {
            double newest = (double) nanos / wireBytes;
            double weight = NEWEST * Math.min(1, wireBytes / WHOLE_SEND_BYTES);
            sendNanosPerByte += weight * (newest - sendNanosPerByte);
        }
    }
}
