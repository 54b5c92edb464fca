package io.tidemark.system.lab;

import static org.assertj.core.api.Assertions.assertThat;

import io.tidemark.provider.conformance.ProviderContract;
import io.tidemark.provider.lvm.LvmProviderFactory;
import io.tidemark.spi.HostRequirement;
import io.tidemark.spi.StorageProvider;
import io.tidemark.system.ground.Programs;
import java.io.IOException;
import java.util.Map;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** What every provider must do, by the LVM provider over classic volumes and their snapshots. */
@InLab
class ClassicVolumesInLab extends ProviderContract {
    private static final String GROUP = "classic-1.a";
    private static final Map<String, String> SETTINGS = Map.of("group", GROUP, "classicSnapshotPercent", "100");

    private boolean opened;

    /** Names with hyphens, dots and underscores: the device mapper has others for them. */
    @BeforeAll
    static void makeGroup() throws IOException {
        Programs.run("pvcreate", "-y", "/dev/ubda");
        Programs.run("vgcreate", "-s", "128k", GROUP, "/dev/ubda");
    }

    @Override
    protected StorageProvider open() throws Exception {
        if (!opened) {
            opened = true;
            Programs.run("vgremove", "-f", "-y", GROUP);
            makeGroup();
        }
        return new LvmProviderFactory().create(SETTINGS);
    }

    @Test
    void checkOfTheHostFindsWhatTheProviderNeeds() {
        var found = new LvmProviderFactory().check(SETTINGS);

        assertThat(found).isNotEmpty().allMatch(each -> each.state() == HostRequirement.State.MET);
    }

    /** A round is some twenty programs, which start slowly there. */
    @Override
    protected int rounds() {
        return 1;
    }
}
