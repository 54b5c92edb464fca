package io.tidemark.domain;

import io.tidemark.spi.RecoveryPointId;
import java.time.InstantSource;
import java.util.random.RandomGenerator;

/**
 * Makes ids that sort by the time they were made and do not collide between sites: 9 base-36 digits of milliseconds
 * since 1970 (enough until year 5188) and 11 of randomness (56 bits).
 */
public final class Ids {
    private static final int TIME_DIGITS = 9;
    private static final int RANDOM_DIGITS = 11;

    private final InstantSource clock;
    private final RandomGenerator random;

    public Ids(InstantSource clock, RandomGenerator random) {
        this.clock = clock;
        this.random = random;
    }

    public RecoveryPointId recoveryPoint() {
        return new RecoveryPointId("rp-" + body());
    }

    public OperationId operation() {
        return new OperationId("op-" + body());
    }

    public LinkId link() {
        return new LinkId("ln-" + body());
    }

    private String body() {
        var text = new StringBuilder(Long.toString(clock.millis(), Character.MAX_RADIX));
        while (text.length() < TIME_DIGITS) {
            text.insert(0, '0');
        }
        for (int digit = 0; digit < RANDOM_DIGITS; digit++) {
            text.append(Character.forDigit(random.nextInt(Character.MAX_RADIX), Character.MAX_RADIX));
        }
        return text.toString();
    }
}
