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

/** What every provider must do, by the LVM provider over a real thin pool. */
@InLab
class ThinVolumesInLab extends ProviderContract {
    private static final String GROUP = "contract-1.a";
    private static final String POOL = "thin-pool_1";

    private boolean opened;

    /** Names with hyphens, dots and underscores: the device mapper has others for them. */
    @BeforeAll
    static void makePool() throws IOException {
        Programs.run("pvcreate", "-y", "/dev/ubda");
        Programs.run("vgcreate", GROUP, "/dev/ubda");
        Programs.run("lvcreate", "-y", "--type", "thin-pool", "-L", "512M", "-n", POOL, GROUP);
    }

    @Override
    protected StorageProvider open() throws Exception {
        if (!opened) {
            opened = true;
            Programs.run("lvremove", "-y", "-S", "segtype=thin", GROUP);
        }
        return new LvmProviderFactory().create(Map.of("group", GROUP, "pool", POOL));
    }

    @Test
    void checkOfTheHostFindsWhatTheProviderNeeds() {
        var factory = new LvmProviderFactory();

        var found = factory.check(Map.of("group", GROUP, "pool", POOL));
        var ofAnotherPool = factory.check(Map.of("group", GROUP, "pool", "no-such-pool"));

        assertThat(found).isNotEmpty().allMatch(each -> each.state() == HostRequirement.State.MET);
        assertThat(ofAnotherPool)
                .filteredOn(each -> each.state() == HostRequirement.State.LACKING)
                .singleElement()
                .satisfies(lacking -> assertThat(lacking.detail()).contains("no-such-pool"));
    }

    /** A round is some twenty programs, which start slowly there. */
    @Override
    protected int rounds() {
        return 1;
    }
}
