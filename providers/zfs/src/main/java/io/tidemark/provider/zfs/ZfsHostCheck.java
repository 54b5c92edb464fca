package io.tidemark.provider.zfs;

import io.tidemark.nativeblock.HostCallException;
import io.tidemark.nativeblock.ZfsCore;
import io.tidemark.provider.commands.CommandRunner;
import io.tidemark.provider.commands.HostCheck;
import io.tidemark.spi.HostRequirement;
import io.tidemark.spi.HostRequirement.State;
import io.tidemark.spi.ProviderException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/** What ZFS volumes need of a host. */
final class ZfsHostCheck {
    /** Made by the kernel's module. */
    private static final Path CONTROL = Path.of("/dev/zfs");

    private ZfsHostCheck() {}

    static List<HostRequirement> of(Map<String, String> settings, CommandRunner runner) {
        var check = new HostCheck(runner);
        check.programs("zfsutils-linux", List.of("zfs"));
        check.programs("util-linux", List.of("blkdiscard"));
        check.programs("mount", List.of("mount", "umount"));
        check.administrator(State.LACKING, "Snapshots of frozen file systems, and devices of volumes, are root's");
        if (Files.exists(CONTROL)) {
            check.met("kernel module", CONTROL + " is there");
            library(check);
        } else {
            check.lacking("kernel module", CONTROL + " is missing. Load it: modprobe zfs (package zfs-dkms)");
        }
        if (!settings.isEmpty()) {
            storage(check, settings, runner);
        }
        return check.found();
    }

    private static void library(HostCheck check) {
        try {
            ZfsCore.load();
            check.met("libzfs_core.so.3", "loaded");
        } catch (HostCallException | UnsatisfiedLinkError e) {
            check.lacking("libzfs_core.so.3", "cuts go through it: " + e.getMessage());
        }
    }

    private static void storage(HostCheck check, Map<String, String> settings, CommandRunner runner) {
        final ZfsConfig config;
        try {
            config = ZfsConfig.of(settings);
        } catch (IllegalArgumentException e) {
            check.lacking("settings", String.valueOf(e.getMessage()));
            return;
        }
        var what = "dataset " + config.dataset();
        if (!check.works()) {
            check.lacking(what, "cannot be looked at before what is above is mended");
            return;
        }
        try {
            int volumes = new VolumeCatalog(new ZfsCommands(runner).list(config.dataset()))
                    .volumes()
                    .size();
            check.met(what, volumes + " volumes and file systems below it");
        } catch (ProviderException e) {
            check.lacking(what, e.error().message());
        }
    }
}
