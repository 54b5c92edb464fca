package io.tidemark.provider.image;

import io.tidemark.nativeblock.BlockKernels;
import io.tidemark.provider.commands.CommandRunner;
import io.tidemark.provider.commands.HostCheck;
import io.tidemark.spi.HostRequirement;
import io.tidemark.spi.HostRequirement.State;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/** What image files need of a host. The folders' abilities are tried by the provider itself, when it starts. */
final class ImageHostCheck {
    private ImageHostCheck() {}

    static List<HostRequirement> of(Map<String, String> settings, CommandRunner runner) {
        var check = new HostCheck(runner);
        BlockKernels.unavailableReason()
                .ifPresentOrElse(
                        reason -> check.limited("native library", "every cut is a whole copy, for " + reason),
                        () -> check.met("native library", "loaded"));
        boolean btrfs = false;
        if (!settings.isEmpty()) {
            try {
                for (var folder : ImageConfig.of(settings).folders()) {
                    btrfs |= folder(check, folder);
                }
            } catch (IllegalArgumentException e) {
                check.lacking("settings", String.valueOf(e.getMessage()));
            }
        }
        if (btrfs || settings.isEmpty()) {
            check.optionalPrograms(
                    "On Btrfs, changes are found by comparing extents in place of btrfs send",
                    "btrfs-progs",
                    List.of("btrfs"));
            check.administrator(State.LIMITED, "On Btrfs, a cut is a reflink copy in place of a subvolume's snapshot");
        }
        return check.found();
    }

    /** @return whether it lies on Btrfs */
    private static boolean folder(HostCheck check, Path folder) {
        var what = "folder " + folder;
        if (!Files.isDirectory(folder)) {
            check.lacking(what, "does not exist. Make it: mkdir -p " + folder);
            return false;
        }
        if (!Files.isWritable(folder)) {
            check.lacking(what, "this account may not write there. Give it the folder, or run as its owner");
            return false;
        }
        try {
            var type = Files.getFileStore(folder).type();
            boolean shares = type.equals("btrfs") || type.equals("xfs");
            if (shares) {
                check.met(what, "on " + type + ", where files share extents");
            } else {
                check.limited(what, "on " + type + ": every cut is a whole copy. XFS and Btrfs cut at once");
            }
            return type.equals("btrfs");
        } catch (IOException e) {
            check.lacking(what, "cannot be asked for its file system: " + e.getMessage());
            return false;
        }
    }
}
