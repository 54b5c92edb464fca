package io.tidemark.provider.lvm;

import io.tidemark.nativeblock.BlockKernels;
import io.tidemark.provider.commands.CommandRunner;
import io.tidemark.provider.commands.HostCheck;
import io.tidemark.spi.HostRequirement;
import io.tidemark.spi.HostRequirement.State;
import io.tidemark.spi.ProviderException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/** What volumes of LVM need of a host. */
final class LvmHostCheck {
    /** Made by the device mapper when it is loaded: linux/dm-ioctl.h. */
    private static final Path CONTROL = Path.of("/dev/mapper/control");

    private LvmHostCheck() {}

    static List<HostRequirement> of(Map<String, String> settings, CommandRunner runner) {
        var check = new HostCheck(runner);
        LvmFailures.PROGRAMS.forEach(check::programs);
        check.administrator(State.LACKING, "LVM and the device mapper serve administrators only");
        BlockKernels.unavailableReason()
                .ifPresentOrElse(
                        reason -> check.lacking("native library", "cuts go through it: " + reason),
                        () -> check.met("native library", "loaded"));
        if (Files.exists(CONTROL)) {
            check.met("device mapper", CONTROL + " is there");
        } else {
            check.lacking(
                    "device mapper",
                    CONTROL + " is missing. Load it: modprobe dm-thin-pool, or dm-snapshot for classic volumes");
        }
        if (!settings.isEmpty()) {
            storage(check, settings, runner);
        }
        return check.found();
    }

    private static void storage(HostCheck check, Map<String, String> settings, CommandRunner runner) {
        final LvmConfig config;
        try {
            config = LvmConfig.of(settings);
        } catch (IllegalArgumentException e) {
            check.lacking("settings", String.valueOf(e.getMessage()));
            return;
        }
        var what = config.makesThin()
                ? "pool %s/%s".formatted(config.group(), config.pool())
                : "volume group " + config.group();
        if (!check.works()) {
            check.lacking(what, "cannot be looked at before what is above is mended");
            return;
        }
        try {
            var volumes = new LvmCommands(runner, config.group()).list();
            if (!config.makesThin()) {
                var room = new LvmCommands(runner, config.group()).room();
                check.met(what, "%d bytes in no volume, for classic snapshots".formatted(room.freeBytes()));
                return;
            }
            var pool = new LvmCatalog(config.group(), volumes).pool(config.pool());
            check.met(
                    what,
                    "%.2f %% of data and %.2f %% of metadata in use"
                            .formatted(pool.dataPercent(), pool.metadataPercent()));
        } catch (ProviderException e) {
            check.lacking(what, e.error().message());
        }
    }
}
