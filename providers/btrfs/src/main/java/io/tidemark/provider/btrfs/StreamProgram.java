package io.tidemark.provider.btrfs;

import io.tidemark.provider.commands.Command;
import io.tidemark.provider.commands.CommandException;
import io.tidemark.provider.commands.CommandRunner;
import io.tidemark.provider.commands.CommandStream;
import io.tidemark.provider.devices.DurableFiles;
import io.tidemark.spi.ProviderException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** The program {@code btrfs}, which makes and takes send streams. */
final class StreamProgram {
    static final String NAME = "btrfs";
    static final String PACKAGE = "btrfs-progs";

    /**
     * Without a byte going either way, which comparing large trees that are equal, or deleting a huge file, takes a part
     * of; then something is stuck.
     */
    static final Duration STALLED = Duration.ofMinutes(10);

    static final String UNSHARE = "unshare";

    /**
     * {@code chroot} alone does not keep root from a disk: a stream may make a device's node, and write to it. The folder
     * is the shell's first argument, never its text. As the mount's root receive may be told any subvolume: paths of
     * others are counted from there.
     */
    private static final String CONFINED =
            "mount -o bind,nodev,nosuid,noexec \"$1\" \"$1\" && exec btrfs receive -q -C -m \"$1\" \"$1\"";

    /** Complaints are a line a command at most, and the first one ends the program. */
    private static final int COMPLAINTS_BYTES_MAXIMUM = 1 << 20;

    private static final Path KERNELS_VERSION = Path.of("/sys/fs/btrfs/features/send_stream_version");

    /** The first version in which data travel as they are compressed on the disk. */
    private static final int VERSION_OF_COMPRESSED = 2;

    private final CommandRunner runner;
    private final Path kernelsVersion;

    StreamProgram(CommandRunner runner) {
        this(runner, KERNELS_VERSION);
    }

    StreamProgram(CommandRunner runner, Path kernelsVersion) {
        this.runner = runner;
        this.kernelsVersion = kernelsVersion;
    }

    CommandStream send(Optional<Path> older, Path newer) throws ProviderException {
        var argv = new ArrayList<>(List.of(NAME, "send", "-q"));
        if (sendsCompressed()) {
            argv.addAll(List.of("--proto", String.valueOf(VERSION_OF_COMPRESSED), "--compressed-data"));
        }
        older.ifPresent(path -> argv.addAll(List.of("-p", path.toString())));
        argv.add(newer.toString());
        try {
            return runner.source(new Command(argv, STALLED, COMPLAINTS_BYTES_MAXIMUM));
        } catch (CommandException e) {
            throw BtrfsErrors.of("btrfs send", e);
        }
    }

    /** What differs, without the bytes of files. */
    CommandStream compare(Path older, Path newer) throws ProviderException {
        var argv = List.of(NAME, "send", "-q", "--no-data", "-p", older.toString(), newer.toString());
        try {
            return runner.source(new Command(argv, STALLED, COMPLAINTS_BYTES_MAXIMUM));
        } catch (CommandException e) {
            throw BtrfsErrors.of("btrfs send --no-data", e);
        }
    }

    /**
     * Confined to a subvolume, in which what it builds upon lies, too; it sees that through a mount of its own, which
     * dies with it, and on which no device can be opened.
     *
     * @param folder the root of a subvolume
     */
    CommandStream receive(Path folder) throws ProviderException {
        // What the host unmounts meanwhile is to be unmounted here, too, and not kept in use.
        var argv = List.of(UNSHARE, "--mount", "--propagation", "slave", "sh", "-c", CONFINED, "sh", folder.toString());
        try {
            return runner.sink(new Command(argv, STALLED, COMPLAINTS_BYTES_MAXIMUM));
        } catch (CommandException e) {
            throw BtrfsErrors.of("btrfs receive", e);
        }
    }

    /** Highest version of a stream that is understood here. */
    int receives() throws ProviderException {
        return helpOf("receive").contains("--force-decompress") ? VERSION_OF_COMPRESSED : 1;
    }

    private boolean sendsCompressed() throws ProviderException {
        return kernelsVersion() >= VERSION_OF_COMPRESSED && helpOf("send").contains("--compressed-data");
    }

    /** 1, which all know, of a kernel that does not tell. */
    private int kernelsVersion() {
        try {
            return DurableFiles.isFile(kernelsVersion)
                    ? Integer.parseInt(Files.readString(kernelsVersion).strip())
                    : 1;
        } catch (IOException | NumberFormatException e) {
            return 1;
        }
    }

    private String helpOf(String command) throws ProviderException {
        try {
            var outcome = runner.run(Command.of(NAME, command, "--help"));
            return outcome.stdout() + outcome.stderr();
        } catch (CommandException e) {
            throw BtrfsErrors.of("btrfs " + command, e);
        }
    }
}
