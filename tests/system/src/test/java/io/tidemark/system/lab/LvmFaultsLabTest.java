package io.tidemark.system.lab;

import java.io.IOException;
import java.time.Duration;
import java.util.Collections;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;

/** The provider of thin volumes under faults and many callers, on real LVM. */
@Tag("system-lab")
class LvmFaultsLabTest {
    /** As many as the kernel knows; each test takes the next one. */
    private static final int DISKS = 16;

    /** What takes half a minute on an idle machine takes several on one whose cores are all in use. */
    private static final Duration LIMIT = Duration.ofMinutes(15);

    private final StorageLab lab = StorageLab.withDisks(
                    Collections.nCopies(DISKS, "300M").toArray(String[]::new))
            .within(LIMIT);

    @BeforeEach
    void requirePackages() throws IOException {
        StorageLab.require();
    }

    @Test
    @Execution(ExecutionMode.CONCURRENT)
    void faultsAndCrowdsLoseNothing() throws Exception {
        // The longest first, for two run at once.
        lab.testEach(
                ThinCrowdInLab.class,
                ThinKillsInLab.class,
                ThinFaultsInLab.class,
                ClassicFaultsInLab.class,
                ThinKilledProcessInLab.class);
    }

    @Test
    @Execution(ExecutionMode.CONCURRENT)
    void recoveryPointsAreWholeWhereverThePowerFails() throws Exception {
        StorageLab.withDisks(PowerCuts.DISK_SIZES.toArray(String[]::new))
                .within(LIMIT)
                .testEach(ThinPowerCutsInLab.class, DatabasePowerCutsInLab.class);
    }
}
