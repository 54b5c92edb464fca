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
import java.util.Optional;
import java.util.concurrent.locks.Lock;
import java.util.concurrent.locks.ReentrantLock;
import java.util.stream.Stream;

/**
 * LVM's and the device mapper's programs, each call one argument list. What they complain of is interpreted by
 * {@link LvmFailures}.
 */
class LvmCommands {
    /** {@code thin_delta} reads the whole mapping of two volumes: 48 bytes a chunk. */
    private static final Duration METADATA_LIMIT = Duration.ofMinutes(10);

    private final CommandRunner runner;
    private final String group;
    /** Held while a cut has volumes suspended, and while what a killed program has left suspended is resumed. */
    private final ReentrantLock suspensions = new ReentrantLock();

    LvmCommands(CommandRunner runner, String group) {
        this.runner = runner;
        this.group = group;
    }

    /** All volumes of the group, pools and parts too, by one process. */
    List<LogicalVolume> list() throws ProviderException {
        return listed("-a");
    }

    /** Thin volumes of the pool that LVM has made in this transaction of it, or a later one. */
    List<LogicalVolume> listSince(String pool, long transaction) throws ProviderException {
        return listed("-S", "segtype=thin && pool_lv=\"%s\" && transaction_id>=%d".formatted(pool, transaction));
    }

    /** LVM's own number of a pool's state. */
    long transaction(String pool) throws ProviderException {
        var report = done("lvs", "--noheadings", "-o", "transaction_id", group + "/" + pool);
        try {
            return Long.parseLong(report.strip());
        } catch (NumberFormatException e) {
            throw new ProviderException(new ProviderError.Unexpected("lvs", "no transaction id: " + report), e);
        }
    }

    private List<LogicalVolume> listed(String... which) throws ProviderException {
        var argv = new ArrayList<>(List.of("lvs", "--reportformat", "json", "--units", "b", "--nosuffix"));
        argv.addAll(List.of(which));
        argv.addAll(List.of("-o", LvmReport.FIELDS, group));
        return LvmReport.parse(done(argv));
    }

    /** Active when it returns; reads as zeros. */
    void create(String name, String pool, long sizeBytes, List<String> tags) throws ProviderException {
        var size = sizeBytes + "b";
        make(name, tags, with(tags, "lvcreate", "-y", "-n", name, "-V", size, "-T", group + "/" + pool));
    }

    /** Not active, and activated by no host by itself. */
    void createInactive(String name, String pool, long sizeBytes, List<String> tags) throws ProviderException {
        var size = sizeBytes + "b";
        make(
                name,
                tags,
                with(tags, "lvcreate", "-y", "-a", "n", "-k", "y", "-n", name, "-V", size, "-T", group + "/" + pool));
    }

    /** A snapshot that is a volume like others. */
    void copy(String name, String origin, List<String> tags) throws ProviderException {
        make(name, tags, with(tags, "lvcreate", "-y", "-s", "-k", "n", "-a", "y", "-n", name, group + "/" + origin));
    }

    /** A classic volume, active when it returns; what it reads as is whatever was there before. */
    void createClassic(String name, long sizeBytes, List<String> tags) throws ProviderException {
        var size = sizeBytes + "b";
        make(name, tags, with(tags, "lvcreate", "-y", "-W", "n", "-Z", "n", "-n", name, "-L", size, group));
    }

    /** A classic snapshot, active as its origin is; nobody can write to it. */
    void createStore(String name, String origin, long storeBytes, List<String> tags) throws ProviderException {
        var size = storeBytes + "b";
        var chunk = ClassicSpace.CHUNK_BYTES + "b";
        make(
                name,
                tags,
                with(
                        tags,
                        "lvcreate",
                        "-y",
                        "-s",
                        "-p",
                        "r",
                        "-c",
                        chunk,
                        "-n",
                        name,
                        "-L",
                        size,
                        group + "/" + origin));
    }

    /** Writes zeros, durably; what discards promise differs from disk to disk. */
    void zero(Path device, BlockRange range) throws ProviderException {
        done(
                "blkdiscard",
                "-z",
                "-o",
                String.valueOf(range.offsetBytes()),
                "-l",
                String.valueOf(range.lengthBytes()),
                device.toString());
    }

    /** What is not in a volume yet. */
    Room room() throws ProviderException {
        var report = done("vgs", "--noheadings", "--units", "b", "--nosuffix", "-o", "vg_free,vg_extent_size", group);
        var fields = report.strip().split("\\s+", -1);
        try {
            return new Room(Long.parseLong(fields[0]), Long.parseLong(fields[1]));
        } catch (NumberFormatException | ArrayIndexOutOfBoundsException e) {
            throw new ProviderException(new ProviderError.Unexpected("vgs", "no room of a group: " + report), e);
        }
    }

    /** @param extentBytes in which the group gives it out */
    record Room(long freeBytes, long extentBytes) {}

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

    /** In one change, tags and whether LVM activates the volume by itself, as at the boot of the host. */
    void tagActivated(String name, boolean byItself, List<String> added, List<String> removed)
            throws ProviderException {
        var argv = new ArrayList<>(List.of("lvchange", "-k", byItself ? "n" : "y"));
        added.forEach(tag -> argv.addAll(List.of("--addtag", tag)));
        removed.forEach(tag -> argv.addAll(List.of("--deltag", tag)));
        argv.add(group + "/" + name);
        done(argv);
    }

    /** Whether LVM activates it by itself. */
    boolean activatedByItself(String name) throws ProviderException {
        return done("lvs", "--noheadings", "-o", "lv_skip_activation", group + "/" + name)
                .isBlank();
    }

    /** One process, whatever their number; a tag that is not there is no failure. */
    void tagAll(List<String> names, List<String> added, List<String> removed) throws ProviderException {
        var argv = new ArrayList<>(List.of("lvchange"));
        added.forEach(tag -> argv.addAll(List.of("--addtag", tag)));
        removed.forEach(tag -> argv.addAll(List.of("--deltag", tag)));
        names.forEach(name -> argv.add(group + "/" + name));
        done(argv);
    }

    /**
     * Makes durable what LVM has written down so far: it flushes no disk itself, so that a power failure would take back
     * what no pool was told of, as tags. Only a change of a pool flushes, and only the disks that the pool lies on.
     */
    void flush() throws ProviderException {
        var disks = done("vgs", "--noheadings", "-o", "pv_name", group);
        var argv = new ArrayList<>(List.of("sync", "-d"));
        disks.lines().map(String::strip).filter(line -> !line.isEmpty()).forEach(argv::add);
        done(argv);
    }

    /** To the pool itself, below LVM. */
    Outcome message(String pool, String message) throws ProviderException {
        return run(List.of("dmsetup", "message", LvmNames.mapped(group, pool) + "-tpool", "0", message));
    }

    /** Empty where the pool is not active, or has failed. */
    Optional<PoolStatus> status(String pool) throws ProviderException {
        // --noflush: it must not wait for a pool that is suspended, or whose device hangs.
        var outcome = run(List.of("dmsetup", "status", "--noflush", LvmNames.mapped(group, pool) + "-tpool"));
        return outcome.succeeded() ? PoolStatus.parse(outcome.stdout()) : Optional.empty();
    }

    /** What a write to a volume failed of: no room, where its pool says that there is none left. */
    ProviderException explained(String pool, ProviderException failure) {
        try {
            var status = status(pool);
            boolean data = status.isPresent()
                    && status.get().usedDataBlocks() >= status.get().dataBlocks();
            boolean metadata = status.isPresent()
                    && status.get().readOnly()
                    && !status.get().needsCheck();
            if (data || metadata) {
                var full = "thin pool %s/%s, its %s".formatted(group, pool, data ? "data" : "metadata");
                return new ProviderException(new ProviderError.OutOfSpace(full, 0, 0), failure);
            }
        } catch (ProviderException e) {
            failure.addSuppressed(e);
        }
        return failure;
    }

    /** Lets go what a killed LVM program has left suspended in the group, whose writers hang; waits for a cut. */
    void resumeAll() throws ProviderException {
        suspensions.lock();
        try {
            resumeSuspended();
        } finally {
            suspensions.unlock();
        }
    }

    Lock suspensions() {
        return suspensions;
    }

    /** Lets live what a killed cut has loaded for a volume's device, so that LVM finds there what it knows. */
    void enliven(String name) throws ProviderException {
        // Without a device there is nothing that could be in the way.
        var unused = run(List.of("dmsetup", "resume", "--nolockfs", LvmNames.mapped(group, name)));
    }

    private void resumeSuspended() throws ProviderException {
        var report = done("dmsetup", "info", "-c", "--noheadings", "--separator", "/", "-o", "name,uuid,suspended");
        ProviderException failure = null;
        for (var device : suspended(report, group)) {
            try {
                done("dmsetup", "resume", device);
            } catch (ProviderException e) {
                if (failure == null) {
                    failure = e;
                } else {
                    failure.addSuppressed(e);
                }
            }
        }
        if (failure != null) {
            throw failure;
        }
    }

    /**
     * Suspended devices that LVM has made for the group; others may have names that look so.
     *
     * @param report lines of name, uuid and state, with slashes between them
     */
    static List<String> suspended(String report, String group) {
        var mine = LvmNames.mapped(group, "");
        return report.lines()
                .map(line -> line.strip().split("/", -1))
                .filter(fields -> fields.length == 3
                        && fields[0].startsWith(mine)
                        && !fields[0].startsWith(mine + "-")
                        && fields[1].startsWith("LVM-")
                        && fields[2].equals("Suspended"))
                .map(fields -> fields[0])
                .toList();
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

    /** What it works on stays last: errors name it. */
    private static List<String> with(List<String> tags, String... argv) {
        var options = Arrays.stream(argv, 1, argv.length);
        var added = tags.stream().flatMap(tag -> Stream.of("--addtag", tag));
        return Stream.concat(Stream.of(argv[0]), Stream.concat(added, options)).toList();
    }

    /** {@code lvcreate}, taken back where it was killed half way. */
    private void make(String name, List<String> tags, List<String> argv) throws ProviderException {
        Outcome outcome;
        try {
            outcome = run(argv);
        } catch (ProviderException e) {
            throw new HalfMade(this).takenBack(name, tags, e);
        }
        if (LvmFailures.killed(outcome)) {
            throw new HalfMade(this).takenBack(name, tags, LvmFailures.of(argv, outcome));
        }
        if (!outcome.succeeded()) {
            throw LvmFailures.of(argv, outcome);
        }
    }

    private CommandStream stream(String... argv) throws ProviderException {
        try {
            return runner.stream(new Command(List.of(argv), METADATA_LIMIT, Command.OUTPUT_BYTES_DEFAULT));
        } catch (CommandException e) {
            throw LvmFailures.of(argv[0], e);
        }
    }

    private String done(String... argv) throws ProviderException {
        return done(List.of(argv));
    }

    private String done(List<String> argv) throws ProviderException {
        var outcome = run(argv);
        if (!outcome.succeeded()) {
            throw LvmFailures.of(argv, outcome);
        }
        return outcome.stdout();
    }

    private Outcome run(List<String> argv) throws ProviderException {
        try {
            return runner.run(Command.of(argv.toArray(String[]::new)));
        } catch (CommandException e) {
            throw LvmFailures.of(argv.getFirst(), e);
        }
    }
}
