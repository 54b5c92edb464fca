package io.tidemark.system.lab;

import static org.assertj.core.api.Assertions.assertThat;

import io.tidemark.provider.conformance.ProviderContract;
import io.tidemark.provider.zfs.ZfsProviderFactory;
import io.tidemark.spi.HostRequirement;
import io.tidemark.spi.StorageProvider;
import io.tidemark.system.ground.Programs;
import java.io.IOException;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** What every provider must do, by the ZFS provider over a real pool. */
@InLab
class ZvolsInLab extends ProviderContract {
    private static final String POOL = "contract";
    private static int datasets;

    /** Each test's own: what one leaves behind, holds above all, is in the way of no other. */
    private final String dataset = POOL + "/below.it/volumes-" + datasets++;

    private boolean opened;

    @BeforeAll
    static void makePool() throws IOException {
        // Of a whole disk zpool makes a partition, and waits for udev, which does not run.
        Programs.run("losetup", "/dev/loop0", "/dev/ubda");
        Programs.run("zpool", "create", "-O", "mountpoint=none", POOL, "/dev/loop0");
        Programs.run("zfs", "create", POOL + "/below.it");
    }

    @AfterAll
    static void removePool() throws IOException {
        Programs.run("zpool", "destroy", POOL);
        Programs.run("losetup", "-d", "/dev/loop0");
    }

    @Override
    protected StorageProvider open() throws Exception {
        if (!opened) {
            opened = true;
            Programs.run("zfs", "create", dataset);
        }
        return new ZfsProviderFactory().create(Map.of("dataset", dataset));
    }

    @Test
    void checkOfTheHostFindsWhatTheProviderNeeds() {
        var factory = new ZfsProviderFactory();

        var found = factory.check(Map.of("dataset", dataset));
        var ofAnother = factory.check(Map.of("dataset", POOL + "/absent"));

        assertThat(found).isNotEmpty().allMatch(each -> each.state() == HostRequirement.State.MET);
        assertThat(ofAnother)
                .filteredOn(each -> each.state() == HostRequirement.State.LACKING)
                .singleElement()
                .satisfies(lacking -> assertThat(lacking.what()).contains("absent"));
    }

    /** A round is some twenty programs, which start slowly there. */
    @Override
    protected int rounds() {
        return 2;
    }
}
