package io.tidemark.provider.btrfs;

import io.tidemark.provider.commands.Command;
import io.tidemark.provider.commands.CommandError;
import io.tidemark.provider.commands.CommandException;
import io.tidemark.provider.commands.CommandRunner;
import io.tidemark.provider.commands.Outcome;
import io.tidemark.provider.devices.Mounts;
import io.tidemark.spi.ProviderError;
import io.tidemark.spi.ProviderException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Bytes that subvolumes refer to, which Btrfs counts where quotas are on. The kernel shows them in sysfs by number (Linux
 * 5.9): nothing is read there that somebody has named. That somebody has it count anew it does not show: a program says
 * that, one for a report, however many subvolumes it is of.
 */
final class QuotaGroups {
    private static final Path SYSTEM = Path.of("/sys/fs/btrfs");
    private static final String COUNTS_AGAIN = "rescan operation running";
    private static final String COUNTS_NOT = "no rescan operation in progress";

    /** An unsigned number of the kernel's, as far as a file system can be. */
    private static final String BYTES = "[0-9]{1,18}";

    private final Path folder;
    private final CommandRunner runner;

    /** @param folder any of the file system; absolute and without symbolic links */
    QuotaGroups(Path folder, CommandRunner runner) {
        this.folder = folder;
        this.runner = runner;
    }

    /**
     * What is counted at a time.
     *
     * @param groups where in sysfs; empty where no size is told
     * @param told for people: why none is, or {@code on}
     */
    record Counts(Optional<Path> groups, String told) {
        /** 0 where it is not told: also of a subvolume whose group somebody has deleted. */
        long bytesOf(long subvolume) throws ProviderException {
            if (groups.isEmpty()) {
                return 0;
            }
            var file = groups.get().resolve("0_" + subvolume).resolve("referenced");
            var text = content(file);
            if (text.filter(bytes -> !bytes.matches(BYTES)).isPresent()) {
                throw unexpected(file, text.get());
            }
            return text.map(Long::parseLong).orElse(0L);
        }

        private static Counts none(String why) {
            return new Counts(Optional.empty(), why + ", so no size is told");
        }
    }

    /** For a list, or a volume that is looked at. */
    Counts report() throws ProviderException {
        var shown = shown();
        return shown.groups().isEmpty() ? shown : unlessAnew(shown);
    }

    private Counts unlessAnew(Counts shown) throws ProviderException {
        try {
            return isCountingAnew(
                            runner.run(Command.of(StreamProgram.NAME, "quota", "rescan", "-s", folder.toString())))
                    ? Counts.none("being counted anew (btrfs quota rescan -w %s waits for it)".formatted(folder))
                    : shown;
        } catch (CommandException e) {
            if (e.error() instanceof CommandError.NotStarted) {
                return Counts.none(
                        "whether they are being counted anew only the program btrfs tells, which is missing");
            }
            throw BtrfsErrors.of("btrfs quota rescan -s", e);
        }
    }

    /** Of {@code btrfs quota rescan -s}. */
    static boolean isCountingAnew(Outcome outcome) throws ProviderException {
        var said = outcome.stdout().strip();
        if (outcome.succeeded() && said.startsWith(COUNTS_AGAIN)) {
            return true;
        }
        if (outcome.succeeded() && said.equals(COUNTS_NOT)) {
            return false;
        }
        throw new ProviderException(new ProviderError.Unexpected("btrfs quota rescan -s", outcome.evidence()));
    }

    /** Starts no program; what is being counted anew is told as far as it has been counted. */
    Counts shown() throws ProviderException {
        try {
            var found = shownOf(folder);
            if (found.isEmpty()) {
                return Counts.none("the file system is not found in " + SYSTEM);
            }
            return of(found.get().resolve("qgroups"), folder);
        } catch (IOException e) {
            throw BtrfsErrors.of("looking for quota groups", SYSTEM, e);
        }
    }

    /** The file system's folder in sysfs: by the devices on which whatever is mounted there lies. None where two are. */
    private static Optional<Path> shownOf(Path folder) throws IOException {
        var mounts = Mounts.ofHost();
        var point = BtrfsMounts.ofHost().pointOf(folder);
        var found = new ArrayList<Path>();
        for (var fileSystem : Mounts.entries(SYSTEM)) {
            if (point.isPresent() && isMountedAt(point.get(), fileSystem, mounts)) {
                found.add(fileSystem);
            }
        }
        return found.size() == 1 ? Optional.of(found.getFirst()) : Optional.empty();
    }

    private static boolean isMountedAt(Path point, Path fileSystem, Mounts mounts) throws IOException {
        try {
            for (var device : Mounts.entries(fileSystem.resolve("devices"))) {
                if (mounts.ofSystem(device).contains(point)) {
                    return true;
                }
            }
            return false;
        } catch (IOException e) {
            if (BtrfsErrors.isGone(e)) {
                // Another one, which was unmounted while we looked.
                return false;
            }
            throw e;
        }
    }

    /** @param groups is there as long as quotas are on; some of its files only since Linux 6.1 and 6.7 */
    static Counts of(Path groups, Path folder) throws ProviderException {
        if (!Files.isDirectory(groups)
                || one(groups, "enabled", List.of("1", "0")).equals("0")) {
            return Counts.none("off (btrfs quota enable %s)".formatted(folder));
        }
        if (one(groups, "mode", List.of("qgroup", "squota", "disabled")).equals("squota")) {
            return Counts.none("simple, which do not count what is shared");
        }
        if (one(groups, "inconsistent", List.of("0", "1")).equals("1")) {
            return Counts.none("inconsistent (btrfs quota rescan -w %s)".formatted(folder));
        }
        return new Counts(Optional.of(groups), "on");
    }

    /** @param known the first one where there is no such file */
    private static String one(Path groups, String name, List<String> known) throws ProviderException {
        var file = groups.resolve(name);
        var text = content(file).orElse(known.getFirst());
        if (!known.contains(text)) {
            throw unexpected(file, text);
        }
        return text;
    }

    private static Optional<String> content(Path file) throws ProviderException {
        try {
            return Optional.of(Files.readString(file).strip());
        } catch (IOException e) {
            if (BtrfsErrors.isGone(e)) {
                return Optional.empty();
            }
            throw BtrfsErrors.of("reading a quota group", file, e);
        }
    }

    private static ProviderException unexpected(Path file, String text) {
        return new ProviderException(new ProviderError.Unexpected("reading " + file, text));
    }
}
