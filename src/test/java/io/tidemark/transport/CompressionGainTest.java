package io.tidemark.transport;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class CompressionGainTest {
    private static final int FRAME_BYTES = 256 << 10;
    private static final int FRAMES = 1_000;

    private final CompressionGain gain = new CompressionGain();

    @Test
    void whatNeverShrinksIsHardlyEverTried() {
        assertThat(tries(FRAME_BYTES, 200_000, 1_000_000)).isLessThan(FRAMES / 40);
    }

    @Test
    void whatShrinksOnASlowLinkIsAlwaysTried() {
        assertThat(tries(FRAME_BYTES / 2, 200_000, 1_000_000)).isGreaterThan(FRAMES * 9 / 10);
    }

    @Test
    void whatShrinksOnALinkFasterThanTheCompressorIsSentAsItIs() {
        assertThat(tries(FRAME_BYTES / 2, 200_000, 100_000)).isLessThan(FRAMES / 40);
    }

    @Test
    void blocksThatBeginToShrinkAreFoundWithinItsLongestPause() {
        tries(FRAME_BYTES, 200_000, 1_000_000);

        assertThat(tries(FRAME_BYTES / 2, 200_000, 1_000_000)).isGreaterThan(FRAMES / 2);
    }

    @Test
    void whatASampleFindsNotToShrinkIsSampledInOneOfSixtyFourFrames() {
        int samples = 0;
        for (int frame = 0; frame < 10 * FRAMES; frame++) {
            if (gain.worthTrying()) {
                samples++;
                gain.doesNotShrink();
            }
            gain.sent(FRAME_BYTES, 1_000_000);
        }

        assertThat(samples).isBetween(10 * FRAMES / 65, 10 * FRAMES / 60);
    }

    @Test
    void aliveAndGreetingsDoNotMakeALineSlow() {
        for (int message = 0; message < FRAMES; message++) {
            gain.sent(40, 20_000);
            gain.sent(FRAME_BYTES, 26_000);
        }

        assertThat(tries(FRAME_BYTES / 2, 200_000, 26_000)).isLessThan(FRAMES / 40);
    }

    /** @param sendNanos of a whole frame; a smaller one takes less */
    private int tries(int packedBytes, long compressNanos, long sendNanos) {
        int tries = 0;
        for (int frame = 0; frame < FRAMES; frame++) {
            int wireBytes = FRAME_BYTES;
            if (gain.worthTrying()) {
                tries++;
                gain.tried(FRAME_BYTES, packedBytes, compressNanos);
                wireBytes = packedBytes;
            }
            gain.sent(wireBytes, sendNanos * wireBytes / FRAME_BYTES);
        }
        return tries;
    }
}
