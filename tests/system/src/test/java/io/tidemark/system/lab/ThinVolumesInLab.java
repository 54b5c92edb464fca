package io.tidemark.system.lab;

import io.tidemark.provider.conformance.ProviderContract;
import io.tidemark.provider.lvm.LvmProviderFactory;
import io.tidemark.spi.StorageProvider;
import io.tidemark.system.ground.Programs;
import java.io.IOException;
import java.util.Map;
import org.junit.jupiter.api.BeforeAll;

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

    /** A round is some twenty programs, which start slowly there. */
    @Override
    protected int rounds() {
        return 1;
    }
}
