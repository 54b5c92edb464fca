package io.tidemark.provider.lvm;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class LvmCommandsTest {
    @Test
    void onlyWhatLvmHasMadeForTheGroupAndIsSuspendedIsResumed() {
        var report = """
                vg-a/LVM-uuid1/Suspended
                vg-pool-tpool/LVM-uuid2-tpool/Suspended
                vg-b/LVM-uuid3/Active
                vg-crypt/CRYPT-LUKS2-uuid/Suspended
                vg-bare//Suspended
                vg--1-a/LVM-uuid4/Suspended
                """;

        assertThat(LvmCommands.suspended(report, "vg")).containsExactly("vg-a", "vg-pool-tpool");
        assertThat(LvmCommands.suspended(report, "vg-1")).containsExactly("vg--1-a");
    }
}
