package io.tidemark.transport;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** Levels against a machine, a line and blocks that are numbers: what a library of machine code took and kept. */
class CompressionLevelsTest {
    private static final int FRAME_BYTES = 256 << 10;
    private static final List<Integer> LEVELS = List.of(-7, 1, 3, 9);
    private static final double[] NANOS_PER_BYTE = {1.4, 2.2, 3.5, 16.5};
    private static final double[] KEPT_PART = {0.569, 0.363, 0.339, 0.320};
    private static final int AS_IT_IS = 0;

    private static final double LINE_OF_1_MB = 1_000;
    private static final double LINE_OF_200_MB = 5;
    private static final double LINE_OF_10_GB = 0.1;
    /** Where only what is as fast as LZ4 is of use. */
    private static final double LINE_OF_280_MB = 3.6;

    /** 32 MiB: what the pauses 4 to 64 take until the lowest level is reached. */
    private static final int FOLLOWED_FRAMES = 128;

    private final CompressionGain gain = new CompressionGain();
    private final Random random = new Random(5);

    private double sendNanosPerByte = LINE_OF_1_MB;
    private double busy = 1;
    private double noise;
    /** Of every frame, the level it was sent in, or {@link #AS_IT_IS}. */
    private final List<Integer> sentIn = new ArrayList<>();

    private int compressions;

    @Test
    void aSlowLineClimbsToTheHighestLevel() {
        send(FOLLOWED_FRAMES);

        assertThat(gain.levels().level()).isEqualTo(9);
    }

    @Test
    void aLineInBetweenStaysAtWhatTakesTheLeastTimeForAByte() {
        for (double line : new double[] {LINE_OF_280_MB, LINE_OF_200_MB, 20, 60, 300}) {
            sendNanosPerByte = line;
            send(10 * FOLLOWED_FRAMES);

            assertThat(nanosPerByte(gain.levels().level())).isLessThan(1.015 * leastNanosPerByte());
        }
    }

    @Test
    void aFastLineFallsToTheFastLevelAndThenToNone() {
        sendNanosPerByte = LINE_OF_10_GB;

        send(FOLLOWED_FRAMES);

        assertThat(gain.levels().level()).isEqualTo(-7);
        send(FOLLOWED_FRAMES);
        assertThat(sentAsItIs(FOLLOWED_FRAMES)).isGreaterThan(FOLLOWED_FRAMES * 9 / 10);
    }

    @Test
    void aFasterLineIsFollowedWithinItsFrames() {
        send(FOLLOWED_FRAMES);

        sendNanosPerByte = LINE_OF_10_GB;
        send(FOLLOWED_FRAMES);

        assertThat(gain.levels().level()).isEqualTo(-7);
        send(FOLLOWED_FRAMES);
        assertThat(sentAsItIs(FOLLOWED_FRAMES)).isGreaterThan(FOLLOWED_FRAMES * 9 / 10);
    }

    @Test
    void aSlowerLineIsFollowedWithinItsFrames() {
        sendNanosPerByte = LINE_OF_10_GB;
        send(10 * FOLLOWED_FRAMES);

        sendNanosPerByte = LINE_OF_1_MB;
        send(FOLLOWED_FRAMES);

        assertThat(gain.levels().level()).isEqualTo(9);
    }

    @Test
    void aSlowerLineCutsThePauseOfAFastOne() {
        sendNanosPerByte = LINE_OF_10_GB;
        send(10 * FOLLOWED_FRAMES);

        sendNanosPerByte = LINE_OF_200_MB;
        send(20);

        assertThat(sentAsItIs(10)).isZero();
    }

    @Test
    void aBusyProcessorFallsAndAnIdleOneClimbsAgain() {
        sendNanosPerByte = 100;
        send(4 * FOLLOWED_FRAMES);
        int idle = gain.levels().level();

        busy = 10;
        send(FOLLOWED_FRAMES);

        assertThat(gain.levels().level()).isLessThan(idle);
        assertThat(nanosPerByte(gain.levels().level())).isLessThan(1.015 * leastNanosPerByte());

        busy = 1;
        send(FOLLOWED_FRAMES);

        assertThat(gain.levels().level()).isEqualTo(idle);
    }

    @Test
    void aProcessorTooBusyForAnyLevelSendsAsItIs() {
        sendNanosPerByte = LINE_OF_200_MB;
        send(2 * FOLLOWED_FRAMES);
        assertThat(sentAsItIs(FOLLOWED_FRAMES)).isZero();

        busy = 10;
        send(2 * FOLLOWED_FRAMES);

        assertThat(sentAsItIs(FOLLOWED_FRAMES)).isGreaterThan(FOLLOWED_FRAMES * 9 / 10);
    }

    /** Where TLS is all that sending takes, a busy processor slows both: what was right stays right. */
    @Test
    void aProcessorThatSlowsSendingTooChangesNothing() {
        sendNanosPerByte = LINE_OF_200_MB;
        send(4 * FOLLOWED_FRAMES);
        int idle = gain.levels().level();

        busy = 10;
        sendNanosPerByte = 10 * LINE_OF_200_MB;
        send(4 * FOLLOWED_FRAMES);

        assertThat(gain.levels().level()).isEqualTo(idle);
    }

    @Test
    void whatIsSettledStaysAmongNeighbours() {
        noise = 0.5;
        for (double line : new double[] {LINE_OF_280_MB, LINE_OF_200_MB, 50, LINE_OF_1_MB}) {
            sendNanosPerByte = line;
            send(4 * FOLLOWED_FRAMES);
            int settled = LEVELS.indexOf(gain.levels().level());

            int seen = sentIn.size();
            send(40 * FOLLOWED_FRAMES);

            var indexes = sentIn.subList(seen, sentIn.size()).stream()
                    .filter(level -> level != AS_IT_IS)
                    .map(LEVELS::indexOf)
                    .toList();
            assertThat(indexes).allMatch(index -> Math.abs(index - settled) <= 1);
        }
    }

    @Test
    void itMovesOneLevelAtATime() {
        noise = 0.5;
        for (int change = 0; change < 100; change++) {
            sendNanosPerByte = Math.pow(10, random.nextDouble(-1, 4));
            busy = Math.pow(10, random.nextDouble());
            send(random.nextInt(FOLLOWED_FRAMES));
        }

        var levels = sentIn.stream()
                .filter(level -> level != AS_IT_IS)
                .map(LEVELS::indexOf)
                .toList();
        assertThat(levels).contains(0, 1, 2, 3);
        assertThat(IntStream.range(1, levels.size())
                        .map(frame -> Math.abs(levels.get(frame) - levels.get(frame - 1)))
                        .max())
                .hasValue(1);
    }

    @Test
    void probesOfWhatIsSettledAreFew() {
        send(10 * FOLLOWED_FRAMES);
        compressions = 0;

        send(64 * 10);

        assertThat(compressions).isBetween(64 * 10 + 1, 64 * 10 + 11);
    }

    private void send(int frames) {
        for (int frame = 0; frame < frames; frame++) {
            double wire = FRAME_BYTES;
            int level = AS_IT_IS;
            if (gain.worthTrying()) {
                var levels = gain.levels();
                double blocks = 1 + noise * random.nextDouble(-1, 1);
                if (levels.probeDue()) {
                    levels.probed(packedBytes(levels.probe(), blocks), compressNanos(levels.probe()));
                    compressions++;
                }
                level = levels.level();
                wire = packedBytes(level, blocks);
                gain.tried(FRAME_BYTES, (int) wire, compressNanos(level));
                compressions++;
            }
            sentIn.add(level);
            gain.sent((long) wire, (long) (wire * sendNanosPerByte));
        }
    }

    private static int packedBytes(int level, double blocks) {
        return (int) (FRAME_BYTES * KEPT_PART[LEVELS.indexOf(level)] * blocks);
    }

    /** Preempted by others, a frame takes longer; none takes less. */
    private long compressNanos(int level) {
        return (long)
                (FRAME_BYTES * NANOS_PER_BYTE[LEVELS.indexOf(level)] * busy * (1 + noise * random.nextDouble() / 5));
    }

    private double nanosPerByte(int level) {
        return NANOS_PER_BYTE[LEVELS.indexOf(level)] * busy + KEPT_PART[LEVELS.indexOf(level)] * sendNanosPerByte;
    }

    private double leastNanosPerByte() {
        return LEVELS.stream().mapToDouble(this::nanosPerByte).min().orElseThrow();
    }

    private long sentAsItIs(int newestFrames) {
        return sentIn.subList(sentIn.size() - newestFrames, sentIn.size()).stream()
                .filter(level -> level == AS_IT_IS)
                .count();
    }
}
