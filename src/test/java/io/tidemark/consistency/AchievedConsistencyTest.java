package io.tidemark.consistency;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tidemark.consistency.AchievedConsistency.Application;
import io.tidemark.consistency.AchievedConsistency.Wanted;
import io.tidemark.domain.Certificate;
import io.tidemark.domain.Consistency;
import io.tidemark.spi.RecoveryPointId;
import io.tidemark.spi.SnapshotId;
import io.tidemark.spi.VolumeId;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

class AchievedConsistencyTest {
    private static final RecoveryPointId POINT = new RecoveryPointId("rp-1");
    private static final VolumeId ORDERS = new VolumeId("image:orders");
    private static final VolumeId LOGS = new VolumeId("image:logs");
    private static final Application DATABASE = new Application("postgresql", "127.0.0.1:5432/postgres");

    private static final Certificate.Freeze DATABASE_HELD = freeze(DATABASE.kind(), DATABASE.subject(), 10, 100);
    private static final Certificate.Freeze ORDERS_HELD = freeze(Certificate.FILE_SYSTEM, "/orders", 20, 90);
    private static final Certificate.Freeze LOGS_HELD = freeze(Certificate.FILE_SYSTEM, "/logs", 30, 80);

    private static Certificate.Freeze freeze(String kind, String subject, long acknowledged, long thawed) {
        return new Certificate.Freeze(
                kind, subject, acknowledged - 1, acknowledged, thawed, thawed + 1, true, Map.of());
    }

    private static Certificate.CutTimes cut(VolumeId volume, long started, long finished) {
        return new Certificate.CutTimes(new SnapshotId(volume, POINT), started, finished);
    }

    private static Certificate certificate(List<Certificate.Freeze> freezes, Certificate.CutTimes... cuts) {
        return new Certificate("host", "boot", freezes, List.of(cuts), false, List.of());
    }

    private static final Wanted BOTH =
            new Wanted(Map.of(ORDERS, List.of("/orders"), LOGS, List.of("/logs")), Set.of(), List.of(DATABASE));
    private static final Wanted ONE = new Wanted(Map.of(ORDERS, List.of("/orders")), Set.of(), List.of(DATABASE));

    @Test
    void everythingFrozenAndHeldOverEveryCutIsApplication() {
        var certificate =
                certificate(List.of(DATABASE_HELD, ORDERS_HELD, LOGS_HELD), cut(ORDERS, 40, 50), cut(LOGS, 55, 70));

        var verdict = AchievedConsistency.decide(certificate, BOTH);

        assertThat(verdict.consistency()).isEqualTo(Consistency.APPLICATION);
        assertThat(verdict.reasons()).isEmpty();
        assertThat(certificate.everyCutLiesInsideEveryFreeze()).isTrue();
    }

    @Test
    void groupWithoutApplicationsIsFileSystemAtBest() {
        var certificate = certificate(List.of(ORDERS_HELD), cut(ORDERS, 40, 50));

        var verdict = AchievedConsistency.decide(
                certificate, new Wanted(Map.of(ORDERS, List.of("/orders")), Set.of(), List.of()));

        assertThat(verdict.consistency()).isEqualTo(Consistency.FILESYSTEM);
        assertThat(verdict.reasons()).containsExactly("the group names no application to freeze");
    }

    private static Certificate atomic(List<Certificate.Freeze> freezes, Certificate.CutTimes... cuts) {
        return new Certificate("host", "boot", freezes, List.of(cuts), true, List.of());
    }

    @Test
    void volumeThatIsAFileSystemNeedsNoFreeze() {
        var alone = new Wanted(Map.of(), Set.of(ORDERS), List.of());
        var besideFrozen = new Wanted(Map.of(LOGS, List.of("/logs")), Set.of(ORDERS), List.of(DATABASE));

        var ofOne = AchievedConsistency.decide(certificate(List.of(), cut(ORDERS, 40, 50)), alone);
        var ofBoth = AchievedConsistency.decide(
                certificate(List.of(DATABASE_HELD, LOGS_HELD), cut(ORDERS, 40, 50), cut(LOGS, 55, 70)), besideFrozen);

        assertThat(ofOne.consistency()).isEqualTo(Consistency.FILESYSTEM);
        assertThat(ofOne.reasons()).containsExactly("the group names no application to freeze");
        assertThat(ofBoth.consistency()).isEqualTo(Consistency.APPLICATION);
    }

    @Test
    void fileSystemsThatNobodyHoldsNeedOneInstant() {
        var both = new Wanted(Map.of(), Set.of(ORDERS, LOGS), List.of());
        var oneAfterTheOther = certificate(List.of(), cut(ORDERS, 40, 50), cut(LOGS, 55, 70));
        var together = atomic(List.of(), cut(ORDERS, 40, 50), cut(LOGS, 40, 50));

        assertThat(AchievedConsistency.decide(oneAfterTheOther, both).consistency())
                .isEqualTo(Consistency.CRASH);
        assertThat(AchievedConsistency.decide(oneAfterTheOther, both).reasons())
                .contains("volumes were cut one after the other with nothing held back between them");
        assertThat(AchievedConsistency.decide(together, both).consistency()).isEqualTo(Consistency.FILESYSTEM);
    }

    @Test
    void fileSystemWithoutACutIsNoCertificateOfTheGroup() {
        var wanted = new Wanted(Map.of(), Set.of(ORDERS), List.of());

        assertThatThrownBy(() -> AchievedConsistency.decide(certificate(List.of(), cut(LOGS, 40, 50)), wanted))
                .hasMessageContaining(ORDERS.toString());
    }

    @Test
    void applicationThatDidNotHoldLeavesFileSystem() {
        var certificate = certificate(List.of(DATABASE_HELD.notHeld(), ORDERS_HELD), cut(ORDERS, 40, 50));

        var verdict = AchievedConsistency.decide(certificate, ONE);

        assertThat(verdict.consistency()).isEqualTo(Consistency.FILESYSTEM);
        assertThat(verdict.reasons()).singleElement().asString().contains("did not hold");
    }

    @Test
    void applicationThatWasNotFrozenLeavesFileSystem() {
        var verdict = AchievedConsistency.decide(certificate(List.of(ORDERS_HELD), cut(ORDERS, 40, 50)), ONE);

        assertThat(verdict.consistency()).isEqualTo(Consistency.FILESYSTEM);
        assertThat(verdict.reasons()).containsExactly("postgresql 127.0.0.1:5432/postgres was not frozen");
    }

    @Test
    void fileSystemThatDidNotHoldIsCrash() {
        var certificate = certificate(List.of(DATABASE_HELD, ORDERS_HELD.notHeld()), cut(ORDERS, 40, 50));

        assertThat(AchievedConsistency.decide(certificate, ONE).consistency()).isEqualTo(Consistency.CRASH);
    }

    @Test
    void oneFileSystemOfManyThatWasNotFrozenIsCrash() {
        var certificate = certificate(List.of(DATABASE_HELD, ORDERS_HELD), cut(ORDERS, 40, 50), cut(LOGS, 55, 70));

        var verdict = AchievedConsistency.decide(certificate, BOTH);

        assertThat(verdict.consistency()).isEqualTo(Consistency.CRASH);
        assertThat(verdict.reasons())
                .contains("file system /logs of volume image:logs was not frozen")
                .contains("volumes were cut one after the other with nothing held back between them");
    }

    @Test
    void volumeWithNothingMountedIsCrashBecauseNobodyHeldItsWriters() {
        var certificate = certificate(List.of(DATABASE_HELD), cut(ORDERS, 40, 50));

        var verdict = AchievedConsistency.decide(
                certificate, new Wanted(Map.of(ORDERS, List.of()), Set.of(), List.of(DATABASE)));

        assertThat(verdict.consistency()).isEqualTo(Consistency.CRASH);
        assertThat(verdict.reasons()).singleElement().asString().startsWith("nothing is mounted from volume");
    }

    @Test
    void cutThatBeganBeforeTheLastFreezeWasAcknowledgedIsCrash() {
        var certificate =
                certificate(List.of(DATABASE_HELD, ORDERS_HELD, LOGS_HELD), cut(ORDERS, 25, 50), cut(LOGS, 55, 70));

        assertThat(AchievedConsistency.decide(certificate, BOTH).consistency()).isEqualTo(Consistency.CRASH);
    }

    @Test
    void cutThatEndedAfterTheFirstThawIsCrash() {
        var certificate =
                certificate(List.of(DATABASE_HELD, ORDERS_HELD, LOGS_HELD), cut(ORDERS, 40, 50), cut(LOGS, 55, 85));

        assertThat(AchievedConsistency.decide(certificate, BOTH).consistency()).isEqualTo(Consistency.CRASH);
    }

    @Test
    void certificateWithoutACutOfAVolumeIsRefused() {
        var certificate = certificate(List.of(ORDERS_HELD), cut(ORDERS, 40, 50));

        assertThatThrownBy(() -> AchievedConsistency.decide(certificate, BOTH))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("image:logs");
    }

    /** Whatever the times, more than CRASH is claimed only where the certificate's own rule holds. */
    @Test
    void nothingAboveCrashIsEverClaimedWithoutTheProof() {
        for (long seed = 0; seed < 5_000; seed++) {
            var random = new SplittableRandom(seed);
            var certificate = certificate(
                    List.of(
                            any(random, DATABASE.kind(), DATABASE.subject()),
                            any(random, Certificate.FILE_SYSTEM, "/orders"),
                            any(random, Certificate.FILE_SYSTEM, "/logs")),
                    cut(ORDERS, random.nextLong(10), 10 + random.nextLong(10)),
                    cut(LOGS, random.nextLong(10), 10 + random.nextLong(10)));

            var verdict = AchievedConsistency.decide(certificate, BOTH);

            assertThat(verdict.consistency() == Consistency.APPLICATION)
                    .as("seed %d", seed)
                    .isEqualTo(certificate.everyCutLiesInsideEveryFreeze());
            assertThat(verdict.reasons().isEmpty())
                    .as("seed %d", seed)
                    .isEqualTo(verdict.consistency() == Consistency.APPLICATION);
        }
    }

    private static Certificate.Freeze any(SplittableRandom random, String kind, String subject) {
        long acknowledged = random.nextLong(6);
        long thawed = 15 + random.nextLong(15);
        return new Certificate.Freeze(kind, subject, 0, acknowledged, thawed, thawed, random.nextInt(8) > 0, Map.of());
    }
}
