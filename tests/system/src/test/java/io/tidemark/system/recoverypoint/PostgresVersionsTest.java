package io.tidemark.system.recoverypoint;

import static org.assertj.core.api.Assertions.assertThat;

import io.tidemark.domain.Moments;
import io.tidemark.spi.RecoveryPointId;
import io.tidemark.system.ground.Ground;
import io.tidemark.system.ground.PostgresBinaries;
import java.time.Duration;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Every major version that the quiescer claims beyond Debian's, which {@link ApplicationConsistentTest} runs. */
@Tag("system-image")
class PostgresVersionsTest {
    private static final long IMAGE_BYTES = 1L << 29;
    private static final Duration PAUSE = Duration.ofMillis(50);

    /** The versions are those that the build fetches: see this module's pom. */
    @ParameterizedTest
    @ValueSource(strings = {"14.24.0", "16.15.0", "17.11.0", "18.6.0"})
    void recoveryPointOfEveryMajorVersionHoldsWhatWasAcknowledgedAndNothingLater(String version) throws Exception {
        Ground.requireRootAnd("losetup", "mkfs.ext4", "mkfs.btrfs", "setpriv", "fsfreeze", "tar", "xz");
        try (var database =
                        new DatabaseOnImage(IMAGE_BYTES, ground -> PostgresBinaries.unpack(version, ground.folder()));
                var taker = database.open()) {
            var major = version.substring(0, version.indexOf('.'));

            var cut = CutUnderWrites.take(database, taker, new RecoveryPointId("rp-major" + major), PAUSE);

            System.out.printf("postgresql=%s %s%n", version, cut.figures());
            assertThat(cut.freeze("postgresql").facts().get("version")).startsWith(major + ".");
            cut.checkRecovered();
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"14.24.0", "16.15.0", "17.11.0", "18.6.0"})
    void standbyOfEveryMajorVersionIsHeldAndRecovered(String version) throws Exception {
        Ground.requireRootAnd("losetup", "mkfs.ext4", "mkfs.btrfs", "setpriv", "fsfreeze", "tar", "xz");
        try (var database = new StandbyOnImage(ground -> PostgresBinaries.unpack(version, ground.folder()));
                var taker = database.open(Moments.NONE)) {
            database.grant(version.startsWith("14.") ? StandbyOnImage.RIGHTS_OF_14 : StandbyOnImage.RIGHTS);

            StandbyCut.takeAndRecover(
                    database, taker, new RecoveryPointId("rp-standbymajor" + version.substring(0, 2)));
        }
    }
}
