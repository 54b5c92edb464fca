package io.tidemark.simulation;

import io.tidemark.replication.protocol.ProtocolVersion;
import java.util.random.RandomGenerator;

/**
 * How often what goes wrong in one world. Each seed draws its own: about half of the hazards are absent from a world,
 * so that a rare one is not always hidden behind a frequent one.
 *
 * @param crash one in so many effects finds its host dead; 0: never. The others likewise:
 * @param cut of events breaks the newest connection, each side learning of it in its own time
 * @param oneWay of events silences one direction of it
 * @param damage of frames has a bit flipped
 * @param loss of frames is left out of the stream
 * @param doubling of frames comes twice
 * @param reordering of frames comes behind the next one
 * @param stall of storage calls takes seconds to minutes
 * @param full of events fills the target's storage for a while
 * @param retention of events deletes a snapshot, if nobody holds it
 * @param operator of events deletes the source's base in spite of its hold
 * @param clockJump of events sets a host's wall clock forwards or backwards
 * @param writer of events somebody writes to the target's volume
 * @param application of events somebody writes to the source's volume, besides what is written between recovery points
 * @param pause of events pauses the link at one of its sides, for a while
 * @param promotion of events makes the target the source, without asking the other side
 * @param planned one in so many recovery points is sent by a planned reversal
 * @param slowDiskMillis the longest that a write or a sync of what arrives takes more than other work
 * @param skew whether the hosts begin with versions of their own, and change them when they restart
 */
record Hazards(
        int crash,
        int cut,
        int oneWay,
        int damage,
        int loss,
        int doubling,
        int reordering,
        int stall,
        int full,
        int retention,
        int operator,
        int clockJump,
        int writer,
        int application,
        int pause,
        int promotion,
        int planned,
        int slowDiskMillis,
        boolean skew) {

    static final ProtocolVersion.Range PLAIN = new ProtocolVersion.Range(1, 1);
    private static final int NEWEST_EVER = 3;

    /** Nothing goes wrong, but retention goes on. */
    static final Hazards KIND = new Hazards(0, 0, 0, 0, 0, 0, 0, 0, 0, 20, 0, 0, 0, 0, 0, 0, 0, 5, false);

    static Hazards draw(RandomGenerator random) {
        return new Hazards(
                often(random, 150),
                often(random, 80),
                often(random, 160),
                often(random, 120),
                often(random, 150),
                often(random, 150),
                often(random, 150),
                often(random, 100),
                often(random, 200),
                often(random, 20),
                often(random, 600),
                often(random, 150),
                often(random, 150),
                often(random, 150),
                often(random, 300),
                random.nextInt(4) == 0 ? often(random, 600) : 0,
                random.nextBoolean() ? 0 : 1 + random.nextInt(3),
                random.nextBoolean() ? 1 : 60,
                random.nextInt(4) == 0);
    }

    private static int often(RandomGenerator random, int oneIn) {
        return random.nextBoolean() ? 0 : oneIn / 2 + random.nextInt(2 * oneIn);
    }

    static boolean strikes(int oneIn, RandomGenerator random) {
        return oneIn > 0 && random.nextInt(oneIn) == 0;
    }

    ProtocolVersion.Range versions(RandomGenerator random) {
        if (!skew) {
            return PLAIN;
        }
        int oldest = 1 + random.nextInt(NEWEST_EVER);
        return new ProtocolVersion.Range(oldest, oldest + random.nextInt(NEWEST_EVER - oldest + 1));
    }
}
