package io.tidemark.replication.live;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayDeque;
import java.util.Deque;
import org.junit.jupiter.api.Test;

/** The controller over a line of a known rate, which confirms what it has carried: each step is a millisecond. */
class ResyncPaceTest {
    private static final long MILLISECOND = 1_000_000;
    private static final int MESSAGE = 64 << 10;
    private static final long MIB = 1 << 20;

    private final Deque<Integer> line = new ArrayDeque<>();
    private long now;
    private long credit;
    private long foreground;
    private long confirmed;

    /**
     * @param lineBytes that the line carries a second
     * @param clientBytes that clients ask for a second
     * @return what was confirmed in the last half of the time, a second
     */
    private long run(ResyncPace pace, int milliseconds, long lineBytes, long clientBytes) {
        long before = 0;
        for (int each = 0; each < milliseconds; each++) {
            if (each == milliseconds / 2) {
                before = confirmed;
            }
            now += MILLISECOND;
            foreground += clientBytes / 1_000;
            credit = line.isEmpty() ? 0 : credit + lineBytes / 1_000;
            while (!line.isEmpty() && credit >= line.getFirst()) {
                int bytes = line.removeFirst();
                credit -= bytes;
                confirmed += bytes;
                pace.confirmed(bytes);
            }
            pace.at(now, foreground);
            while (pace.isOpen() && line.size() < 4_096) {
                pace.asked(MESSAGE);
                line.add(MESSAGE);
            }
        }
        return (confirmed - before) * 2_000 / milliseconds;
    }

    private static ResyncPace pace(ResyncRate rate) {
        var pace = new ResyncPace(rate);
        pace.begin(0, 0);
        return pace;
    }

    @Test
    void theLineIsFullAndNoFullerThanTheTarget() {
        var pace = pace(new ResyncRate(2 * MIB, 1_000_000_000L, 0, 0));

        long rate = run(pace, 20_000, 20 * MIB, 0);

        assertThat(rate).isBetween(19 * MIB, 21 * MIB);
        // By the step's end most of what it asked for has been carried; the target is what is left then.
        assertThat((long) line.size() * MESSAGE).isLessThan(5 * MIB);
    }

    @Test
    void aLineThatSlowsDownIsNotFilledUp() {
        var pace = pace(new ResyncRate(2 * MIB, 1_000_000_000L, 0, 0));
        run(pace, 10_000, 40 * MIB, 0);

        long rate = run(pace, 10_000, 5 * MIB, 0);

        assertThat(rate).isBetween(4 * MIB, 6 * MIB);
        assertThat((long) line.size() * MESSAGE).isLessThan(4 * MIB);
    }

    @Test
    void theCeilingHolds() {
        assertThat(run(pace(new ResyncRate(8 * MIB, 1_000_000_000L, 0, 10 * MIB)), 20_000, 100 * MIB, 0))
                .isBetween(9 * MIB, 10 * MIB + MESSAGE);
    }

    @Test
    void theCeilingAloneCountsWhereNothingIsPlanned() {
        assertThat(run(pace(new ResyncRate(0, 0, 0, 10 * MIB)), 10_000, 100 * MIB, 0))
                .isBetween(9 * MIB, 10 * MIB + MESSAGE);
    }

    @Test
    void itGivesWayToClientsDownToTheFloorAndComesBack() {
        var pace = pace(new ResyncRate(8 * MIB, 500_000_000L, MIB, 50 * MIB));
        assertThat(run(pace, 10_000, 100 * MIB, 0)).isGreaterThan(40 * MIB);

        assertThat(run(pace, 10_000, 100 * MIB, 10 * MIB)).isBetween(MIB - MESSAGE, MIB + MESSAGE);
        assertThat(run(pace, 10_000, 100 * MIB, 0)).isGreaterThan(40 * MIB);
    }

    @Test
    void aFewReadsOfClientsAreNothingToGiveWayTo() {
        var pace = pace(new ResyncRate(8 * MIB, 500_000_000L, MIB, 50 * MIB));

        assertThat(run(pace, 10_000, 100 * MIB, 100 << 10)).isGreaterThan(40 * MIB);
    }

    @Test
    void aTickThatComesLateMakesUpForItself() {
        var pace = pace(new ResyncRate(0, 0, 0, 10 * MIB));
        pace.asked(MIB);
        assertThat(pace.isOpen()).isFalse();

        pace.at(1_000 * MILLISECOND, 0);
        pace.asked(10 * MIB - MESSAGE);
        assertThat(pace.isOpen()).isTrue();
        pace.asked(2 * MESSAGE);
        assertThat(pace.isOpen()).isFalse();
    }

    @Test
    void whatContradictsItselfIsRefused() {
        assertThatThrownBy(() -> new ResyncRate(MIB, 1_000_000_000L, 2 * MIB, MIB))
                .hasMessage("a resync's floor of 2097152 bytes a second is above its ceiling of 1048576");
        assertThatThrownBy(() -> new ResyncRate(MIB, 5, 0, 0))
                .hasMessage("a resync plans for 100000000 to 30000000000 nanoseconds, or 0, not 5");
        assertThatThrownBy(() -> new ResyncRate(0, 1_000_000_000L, 0, 0))
                .hasMessage("a resync that plans has 1 to 4294967296 bytes under way, not 0");
    }
}
