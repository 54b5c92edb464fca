package io.tidemark.provider.lvm;

import static org.assertj.core.api.Assertions.assertThat;

import io.tidemark.provider.commands.CommandError;
import io.tidemark.provider.commands.CommandException;
import io.tidemark.provider.commands.Outcome;
import io.tidemark.spi.ProviderError;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Texts as captured in the storage lab: LVM 2.03.16(2), thin-provisioning-tools 0.9.0 (Debian 12), Linux 6.1. */
class LvmFailuresTest {
    private static final int LVM_FAILED = 5;

    private static ProviderError of(String stderr) {
        return LvmFailures.of(List.of("lvcreate", "-y", "-s", "vg/a"), new Outcome(LVM_FAILED, "", stderr))
                .error();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "  Volume group \"vg\" has insufficient free space (255 extents): 2560 required.",
                "  WARNING: Thin pool vg/pool is out of data space.\n"
                        + "  Cannot create new thin volume, free space in thin pool vg/pool reached threshold.",
                "  WARNING: Remaining free space in metadata of thin pool vg/pool is too low (81.25% >= 75.00%)."
                        + " Resize is recommended.\n"
                        + "  Cannot create new thin volume, free space in thin pool vg/pool reached threshold.",
                "  WARNING: Thin pool vg/pool has read-only metadata.\n"
                        + "  Cannot create new thin volume, free space in thin pool vg/pool reached threshold.",
                "  Cannot send messages to thin pool vg-pool-tpool (254:2) with read only metadata.\n"
                        + "  Failed to suspend vg/pool with queued messages.\n  Failed to update pool vg/pool."
            })
    void lackOfRoomIsNamedWithTheLineThatSaysSo(String stderr) {
        assertThat(of(stderr))
                .isInstanceOfSatisfying(
                        ProviderError.OutOfSpace.class,
                        error -> assertThat(error.object())
                                .startsWith("vg/a (")
                                .contains("vg")
                                .doesNotContain("\n"));
    }

    /** More room is no help against it. */
    @Test
    void poolThatNeedsACheckIsNotOutOfSpace() {
        assertThat(of("  WARNING: Thin pool vg/pool needs check has read-only metadata.\n"
                        + "  Cannot create new thin volume, free space in thin pool vg/pool reached threshold."))
                .isInstanceOfSatisfying(
                        ProviderError.Unexpected.class,
                        error -> assertThat(error.answer()).contains("needs check"));
    }

    @Test
    void poolThatIsBehindIsNotOutOfSpace() {
        assertThat(of("  WARNING: Thin pool vg/pool has unexpected transaction id 5, expecting 7 or lower by 1.\n"
                        + "  Cannot create new thin volume, free space in thin pool vg/pool reached threshold."))
                .isInstanceOfSatisfying(
                        ProviderError.Unexpected.class,
                        error -> assertThat(error.answer())
                                .contains("unexpected transaction id 5, expecting 7")
                                .contains("lvm-provider.md"));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "  WARNING: Running as a non-root user. Functionality may be unavailable.\n"
                        + "  /run/lock/lvm/V_vg:aux: open failed: Permission denied\n  Can't get lock for vg.",
                "/dev/mapper/control: open failed: Permission denied\n"
                        + "Failure to communicate with kernel device-mapper driver."
            })
    void lackOfRightsIsDenied(String stderr) {
        assertThat(of(stderr)).isInstanceOf(ProviderError.Denied.class);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "  Logical volume vg/a in use.",
                "  Logical volume vg/a contains a filesystem in use.",
                "device-mapper: message ioctl on vg-pool-tpool  failed: Device or resource busy\nCommand failed."
            })
    void whatSomebodyElseUsesIsBusy(String stderr) {
        assertThat(of(stderr)).isInstanceOf(ProviderError.Busy.class).returns(true, ProviderError::retryable);
    }

    @Test
    void nameThatIsTakenIsAConflict() {
        assertThat(of("  Logical Volume \"a\" already exists in volume group \"vg\""))
                .isInstanceOfSatisfying(
                        ProviderError.Conflict.class,
                        error -> assertThat(error.reason()).contains("\"a\""));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "  Failed to find logical volume \"vg/none\"",
                "  device-mapper: reload ioctl on  (254:5) failed: No data available",
                "  Thin pool vg-pool-tpool (254:2) already contain thin device with device_id 2.",
                ""
            })
    void anythingElseIsUnexpectedWithItsText(String stderr) {
        assertThat(of(stderr))
                .isInstanceOfSatisfying(
                        ProviderError.Unexpected.class,
                        error -> assertThat(error.answer())
                                .startsWith("exit status 5: ")
                                .contains(stderr.lines()
                                        .findFirst()
                                        .orElse("")
                                        .strip()
                                        .replaceAll("\\s+", " ")));
    }

    @ParameterizedTest
    @CsvSource({
        "lvs,lvm2",
        "thin_delta,thin-provisioning-tools",
        "thin_ls,thin-provisioning-tools",
        "dmsetup,dmsetup",
        "blkdiscard,util-linux",
        "sync,coreutils"
    })
    void programThatIsMissingIsNamedWithItsPackage(String program, String debianPackage) {
        var failure = new CommandException(new CommandError.NotStarted(program, "it is not an executable file"));

        assertThat(LvmFailures.of(program, failure))
                .hasMessageContainingAll(program, "apt-get install " + debianPackage);
    }

    @Test
    void groupThatThereIsNotIsToldWithWhereToLook() {
        assertThat(of("  Volume group \"vg\" not found\n  Cannot process volume group vg"))
                .isInstanceOfSatisfying(
                        ProviderError.Unexpected.class,
                        error -> assertThat(error.answer())
                                .isEqualTo("Volume group \"vg\" not found; vgs lists those there are"));
    }

    @Test
    void onlySignalsCountAsKilled() {
        assertThat(LvmFailures.killed(new Outcome(137, "", ""))).isTrue();
        assertThat(LvmFailures.killed(new Outcome(LVM_FAILED, "", ""))).isFalse();
    }
}
