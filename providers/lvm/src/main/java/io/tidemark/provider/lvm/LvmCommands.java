package io.tidemark.provider.lvm;

import io.tidemark.provider.commands.Command;
import io.tidemark.provider.commands.CommandException;
import io.tidemark.provider.commands.CommandRunner;
import io.tidemark.provider.commands.CommandStream;
import io.tidemark.provider.commands.Outcome;
import io.tidemark.spi.BlockRange;
import io.tidemark.spi.ProviderError;
import io.tidemark.spi.ProviderException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;

/** LVM's and the device mapper's programs, each call one argument list. Interprets exit statuses, and no text. */
class LvmCommands {
    /** {@code thin_delta} reads the whole mapping of two volumes: 48 bytes a chunk. */
    private static final Duration METADATA_LIMIT = Duration.ofMinutes(10);

    private final CommandRunner runner;
    private final String group;

    LvmCommands(CommandRunner runner, String group) {
        this.runner = runner;
        this.group = group;
    }

    /** All volumes of the group, pools and parts too, by one process. */
    List<LogicalVolume> list() throws ProviderException {
        var json = done(
                "lvs", "-a", "--reportformat", "json", "--units", "b", "--nosuffix", "-o", LvmReport.FIELDS, group);
        return LvmReport.parse(json);
    }

    /** Active when it returns; reads as zeros. */
    void create(String name, String pool, long sizeBytes, List<String> tags) throws ProviderException {
        var size = sizeBytes + "b";
        done(with(tags, "lvcreate", "-y", "-V", size, "-T", group + "/" + pool, "-n", name));
    }

    /** Not active, and activated by no host by itself. */
    void createInactive(String name, String pool, long sizeBytes, List<String> tags) throws ProviderException {
        var size = sizeBytes + "b";
        done(with(tags, "lvcreate", "-y", "-a", "n", "-k", "y", "-V", size, "-T", group + "/" + pool, "-n", name));
    }

    /** A snapshot that is a volume like others. */
    void copy(String name, String origin, List<String> tags) throws ProviderException {
        done(with(tags, "lvcreate", "-y", "-s", "-k", "n", "-a", "y", "-n", name, group + "/" + origin));
    }

    void rename(String name, String newName) throws ProviderException {
        done("lvrename", group, name, newName);
    }

    void remove(String name) throws ProviderException {
        done("lvremove", "-y", group + "/" + name);
    }

    void activate(String name) throws ProviderException {
        done("lvchange", "-a", "y", "-K", group + "/" + name);
    }

    void deactivate(String name) throws ProviderException {
        done("lvchange", "-a", "n", group + "/" + name);
    }

    void tag(String name, List<String> added, List<String> removed) throws ProviderException {
        tagAll(List.of(name), added, removed);
    }

    /** One process, whatever their number; a tag that is not there is no failure. */
    void tagAll(List<String> names, List<String> added, List<String> removed) throws ProviderException {
        var argv = new ArrayList<>(List.of("lvchange"));
        added.forEach(tag -> argv.addAll(List.of("--addtag", tag)));
        removed.forEach(tag -> argv.addAll(List.of("--deltag", tag)));
        names.forEach(name -> argv.add(group + "/" + name));
        done(argv);
    }

    /** To the pool itself, below LVM. */
    Outcome message(String pool, String message) throws ProviderException {
        return run(List.of("dmsetup", "message", LvmNames.mapped(group, pool) + "-tpool", "0", message));
    }

    CommandStream delta(String pool, int older, int newer) throws ProviderException {
        return stream(
                "thin_delta", "-m", "--snap1", String.valueOf(older), "--snap2", String.valueOf(newer), meta(pool));
    }

    CommandStream dump(String pool, int device) throws ProviderException {
        return stream("thin_dump", "-m", "--dev-id", String.valueOf(device), meta(pool));
    }

    /** The pool's numbers of its thin volumes, a line each. */
    String devices(String pool) throws ProviderException {
        return done("thin_ls", "-m", "--no-headers", "-o", "DEV", meta(pool));
    }

    /** @return whether the device took it */
    boolean discard(Path device, BlockRange range) throws ProviderException {
        return run(List.of(
                        "blkdiscard",
                        "-o",
                        String.valueOf(range.offsetBytes()),
                        "-l",
                        String.valueOf(range.lengthBytes()),
                        device.toString()))
                .succeeded();
    }

    private String meta(String pool) {
        return "/dev/mapper/" + LvmNames.mapped(group, pool) + "_tmeta";
    }

    private static List<String> with(List<String> tags, String... argv) {
        return Stream.concat(Arrays.stream(argv), tags.stream().flatMap(tag -> Stream.of("--addtag", tag)))
                .toList();
    }

    private CommandStream stream(String... argv) throws ProviderException {
        try {
            return runner.stream(new Command(List.of(argv), METADATA_LIMIT, Command.OUTPUT_BYTES_DEFAULT));
        } catch (CommandException e) {
            throw failed(argv[0], e);
        }
    }

    private String done(String... argv) throws ProviderException {
        return done(List.of(argv));
    }

    private String done(List<String> argv) throws ProviderException {
        var outcome = run(argv);
        if (!outcome.succeeded()) {
            throw new ProviderException(new ProviderError.Unexpected(String.join(" ", argv), outcome.evidence()));
        }
        return outcome.stdout();
    }

    private Outcome run(List<String> argv) throws ProviderException {
        try {
            return runner.run(Command.of(argv.toArray(String[]::new)));
        } catch (CommandException e) {
            throw failed(argv.getFirst(), e);
        }
    }

    static ProviderException failed(String program, CommandException e) {
        return new ProviderException(
                new ProviderError.Unexpected(program, e.error().message()), e);
    }
}
