package io.tidemark.system.lab;

import static org.assertj.core.api.Assertions.assertThat;

import io.tidemark.system.ground.Programs;
import org.junit.jupiter.api.Test;

/** Many callers of the provider of ZFS's volumes at once. */
@InLab
class ZfsCrowdInLab {

    @Test
    void whatManyThreadsMakeAtOnceIsThereOnce() throws Exception {
        var pool = LabZpool.make();
        try (var provider = pool.open()) {
            new Crowd(provider, LabZpool::volume).run();

            // Every rollback is done with, and has left nothing half made.
            assertThat(Programs.run("zfs", "list", "-H", "-o", "name", "-t", "volume", "-r", pool.name()))
                    .doesNotContain("tidemark-r-");
        }
    }
}
