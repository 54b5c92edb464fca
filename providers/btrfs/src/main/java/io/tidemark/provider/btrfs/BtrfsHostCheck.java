package io.tidemark.provider.btrfs;

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

/** What subvolumes as volumes need of a host. */
final class BtrfsHostCheck {
    static final String WITHOUT_RIGHTS = "Snapshots of others' subvolumes, and who uses them, are root's";

    static final String PROCESSES_RIGHT = "CAP_SYS_PTRACE, without which it does not see who uses a volume";

    private static final Path STATUS = Path.of("/proc/self/status");
    private static final String EFFECTIVE_SET = "CapEff:";

    /** Bit of {@code CAP_SYS_PTRACE}: linux/capability.h. Files of other processes are shown to who has it, proc(5). */
    private static final int CAP_SYS_PTRACE = 19;

    private static final int HEXADECIMAL = 16;

    private BtrfsHostCheck() {}

    /** What cannot be read is not granted. */
    static boolean seesProcesses() {
        try (var lines = Files.lines(STATUS)) {
            return lines.filter(line -> line.startsWith(EFFECTIVE_SET))
                    .map(line -> line.substring(EFFECTIVE_SET.length()).strip())
                    .anyMatch(set -> (Long.parseUnsignedLong(set, HEXADECIMAL) >>> CAP_SYS_PTRACE & 1) == 1);
        } catch (IOException | NumberFormatException e) {
            return false;
        }
    }

    static List<HostRequirement> of(Map<String, String> settings, CommandRunner runner) {
        var check = new HostCheck(runner);
        BlockKernels.unavailableReason()
                .ifPresentOrElse(
                        reason -> check.lacking("native library", "the kernel is called through it: " + reason),
                        () -> check.met("native library", "loaded"));
        check.administrator(State.LACKING, WITHOUT_RIGHTS);
        if (seesProcesses()) {
            check.met("processes", "CAP_SYS_PTRACE is in the effective set of this account");
        } else {
            check.lacking("processes", "it lacks " + PROCESSES_RIGHT + ". Run it as root");
        }
        check.optionalPrograms(
                "Its volumes are not replicated, nor their sizes told",
                StreamProgram.PACKAGE,
                List.of(StreamProgram.NAME));
        check.optionalPrograms(
                "Its volumes are not a replication's target", "util-linux", List.of(StreamProgram.UNSHARE));
        if (!settings.isEmpty()) {
            try {
                folder(check, BtrfsConfig.of(settings).folder());
            } catch (IllegalArgumentException e) {
                check.lacking("settings", String.valueOf(e.getMessage()));
            }
        }
        return check.found();
    }

    private static void folder(HostCheck check, Path folder) {
        var what = "folder " + folder;
        if (!Files.isDirectory(folder)) {
            check.lacking(what, "does not exist. Name a folder on a mounted Btrfs");
            return;
        }
        try {
            var store = Files.getFileStore(folder);
            if (!store.type().equals("btrfs")) {
                check.lacking(what, "lies on %s. Name a folder on a mounted Btrfs".formatted(store.type()));
            } else if (store.isReadOnly()) {
                check.lacking(what, "its file system is mounted read-only. Mount it writable");
            } else if (BtrfsFolder.isOfImages(folder)) {
                check.lacking(what, BtrfsFolder.OF_IMAGES);
            } else {
                check.met(what, "on btrfs");
            }
        } catch (IOException e) {
            check.lacking(what, "cannot be asked for its file system: " + e.getMessage());
        }
    }
}
