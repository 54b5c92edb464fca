package io.tidemark.provider.zfs;

import io.tidemark.provider.commands.Command;
import io.tidemark.provider.commands.CommandException;
import io.tidemark.provider.commands.CommandRunner;
import io.tidemark.provider.commands.CommandStream;
import io.tidemark.provider.commands.Outcome;
import io.tidemark.spi.BlockRange;
import io.tidemark.spi.ProviderException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.locks.ReentrantLock;

/** ZFS's programs, each call one argument list. Interprets exit statuses, and no text. */
class ZfsCommands {
    /** {@code zfs send} reads all that was written between two snapshots. */
    private static final Duration SEND_LIMIT = Duration.ofMinutes(10);

    /** Of each wait for a program that carries a snapshot: after so long without a byte its disks are stuck. */
    private static final Duration CARRYING_WAIT_LIMIT = Duration.ofMinutes(10);

    /** A snapshot has some 2 KiB of it: {@link ZfsReport#PROPERTIES}, a line each. */
    private static final int REPORT_BYTES = 256 << 20;

    private final CommandRunner runner;
    private final ReentrantLock names = new ReentrantLock();

    ZfsCommands(CommandRunner runner) {
        this.runner = runner;
    }

    /**
     * Held while a volume's place is taken by another one, while names change, while one is removed, and by whoever
     * looks through names or devices: nobody sees a volume without its name, no list has a snapshot under its name
     * before a promotion, and no look keeps a device open that is to be removed.
     */
    ReentrantLock names() {
        return names;
    }

    /** All volumes, file systems and snapshots below a dataset, and not those of itself, by one process. */
    List<ZfsObject> list(String dataset) throws ProviderException {
        names.lock();
        try {
            return ZfsReport.objects(done(dataset, listing(dataset))).stream()
                    .filter(each -> !each.zvol().equals(dataset))
                    .toList();
        } finally {
            names.unlock();
        }
    }

    static Command listing(String dataset) {
        return new Command(
                List.of(
                        "zfs",
                        "get",
                        "-Hp",
                        "-r",
                        "-t",
                        "filesystem,volume,snapshot",
                        "-o",
                        "name,property,value,source",
                        ZfsReport.PROPERTIES,
                        dataset),
                Command.TIME_LIMIT_DEFAULT,
                REPORT_BYTES);
    }

    /** Of file systems, each by its name. */
    Map<String, PoolRoom.Room> rooms(List<String> names) throws ProviderException {
        var argv = new ArrayList<>(List.of("zfs", "get", "-Hp", "-o", "name,property,value", "used,available"));
        argv.addAll(names);
        return ZfsReport.rooms(done(names.toString(), argv));
    }

    /** Values of some properties, wherever they come from; what nobody has set anywhere is left out. */
    Map<String, String> values(String dataset, List<String> properties) throws ProviderException {
        return ZfsReport.settings(done(
                dataset,
                "zfs",
                "get",
                "-Hp",
                "-s",
                "local,received,inherited",
                "-o",
                "property,source,value",
                String.join(",", properties),
                dataset));
    }

    /** What is set on a volume itself, here or where it was sent from. */
    Map<String, String> settings(String zvol) throws ProviderException {
        return ZfsReport.settings(
                done(zvol, "zfs", "get", "-Hp", "-s", "local,received", "-o", "property,source,value", "all", zvol));
    }

    /** What a write to a volume failed of: no room, where ZFS has none left for it. */
    ProviderException explained(String zvol, ProviderException failure) {
        try {
            long availableBytes = ZfsReport.bytes(done(zvol, "zfs", "get", "-Hp", "-o", "value", "available", zvol));
            return ZfsErrors.ofWriting(zvol, availableBytes, failure);
        } catch (ProviderException e) {
            failure.addSuppressed(e);
            return failure;
        }
    }

    /** Without a reservation; reads as zeros. */
    void create(String zvol, int blockBytes, long volumeBytes, Map<String, String> properties)
            throws ProviderException {
        var argv = new ArrayList<>(List.of("zfs", "create", "-s", "-b", String.valueOf(blockBytes)));
        set(argv, properties);
        argv.addAll(List.of("-V", String.valueOf(volumeBytes), zvol));
        done(zvol, argv);
    }

    void clone(String snapshot, String zvol, Map<String, String> properties) throws ProviderException {
        var argv = new ArrayList<>(List.of("zfs", "clone"));
        set(argv, properties);
        argv.addAll(List.of(snapshot, zvol));
        done(snapshot, argv);
    }

    void rename(String name, String newName) throws ProviderException {
        alone(name, "zfs", "rename", name, newName);
    }

    /** Of a file system: without this choice ZFS mounts one that is shared under its new name. */
    void renameUnmounted(String name, String newName) throws ProviderException {
        alone(name, "zfs", "rename", "-u", name, newName);
    }

    void promote(String clone) throws ProviderException {
        alone(clone, "zfs", "promote", clone);
    }

    void destroy(String name) throws ProviderException {
        alone(name, "zfs", "destroy", name);
    }

    private void alone(String object, String... argv) throws ProviderException {
        names.lock();
        try {
            done(object, argv);
        } finally {
            names.unlock();
        }
    }

    /** Goes with its last clone. */
    void destroyWithClones(String snapshot) throws ProviderException {
        done(snapshot, "zfs", "destroy", "-d", snapshot);
    }

    /** Back to a volume's newest snapshot. */
    void rollback(String snapshot) throws ProviderException {
        done(snapshot, "zfs", "rollback", snapshot);
    }

    void set(String zvol, Map<String, String> properties) throws ProviderException {
        var argv = new ArrayList<>(List.of("zfs", "set"));
        properties.forEach((property, value) -> argv.add(property + "=" + value));
        argv.add(zvol);
        done(zvol, argv);
    }

    /** As if it had never been set here; ZFS mounts a file system that is shared, where it may be mounted then. */
    void unset(String fileSystem, String property) throws ProviderException {
        // Without this choice it refuses properties that no child has from its parent, as canmount.
        done(fileSystem, "zfs", "inherit", "-S", property, fileSystem);
    }

    /** Read-only; a snapshot of a file system cannot be mounted otherwise. */
    void mount(String snapshot, Path folder) throws ProviderException {
        try {
            done(snapshot, "mount", "-t", "zfs", "-o", "ro", snapshot, folder.toString());
        } catch (ProviderException e) {
            throw keyExplained(snapshot, e);
        }
    }

    /** A file system that is mounted nowhere, read-only; whatever its {@code mountpoint} is. */
    void mountUnused(String fileSystem, Path folder) throws ProviderException {
        try {
            done(fileSystem, "mount", "-t", "zfs", "-o", "ro,zfsutil", fileSystem, folder.toString());
        } catch (ProviderException e) {
            throw keyExplained(fileSystem, e);
        }
    }

    /** What is mounted somewhere, and not what is mounted below that. */
    void mountAgain(Path point, Path folder) throws ProviderException {
        done(point.toString(), "mount", "--bind", point.toString(), folder.toString());
    }

    /** Of a mount that failed: ZFS says that it is not permitted where the key of what is encrypted is not loaded. */
    private ProviderException keyExplained(String snapshot, ProviderException failure) {
        try {
            var said = done(snapshot, "zfs", "get", "-H", "-o", "value", "keystatus,encryptionroot", snapshot);
            return ZfsReport.unloadedKey(said)
                    .map(root -> ZfsErrors.withoutKey(snapshot, root, failure))
                    .orElse(failure);
        } catch (ProviderException e) {
            failure.addSuppressed(e);
            return failure;
        }
    }

    void unmount(Path folder) throws ProviderException {
        done(folder.toString(), "umount", folder.toString());
    }

    List<String> holds(String snapshot) throws ProviderException {
        return ZfsReport.holds(done(snapshot, "zfs", "holds", "-H", snapshot));
    }

    void hold(String tag, String snapshot) throws ProviderException {
        done(snapshot, "zfs", "hold", tag, snapshot);
    }

    void release(String tag, String snapshot) throws ProviderException {
        done(snapshot, "zfs", "release", tag, snapshot);
    }

    /** Blocks as they lie on the disks: compressed, embedded and large ones too. */
    CommandStream send(String older, String newer) throws ProviderException {
        var argv = List.of("zfs", "send", "-c", "-e", "-L", "-i", older, newer);
        return started("zfs send", () -> runner.stream(new Command(argv, SEND_LIMIT, Command.OUTPUT_BYTES_DEFAULT)));
    }

    /** All that a snapshot of a file system has, or what it has and an older one has not; read at any pace. */
    CommandStream sendFiles(Optional<String> older, String newer) throws ProviderException {
        return started(
                "zfs send",
                () -> runner.source(sending(older, newer, encryptionRoot(newer).isPresent())));
    }

    /** Without embedded blocks: nothing that is encrypted takes those. */
    static Command sending(Optional<String> older, String newer, boolean encrypted) {
        var argv = new ArrayList<>(List.of("zfs", "send", "-L", "-c"));
        if (encrypted) {
            argv.add("-w");
        }
        older.ifPresent(each -> argv.addAll(List.of("-i", each)));
        argv.add(newer);
        return new Command(argv, CARRYING_WAIT_LIMIT, Command.OUTPUT_BYTES_DEFAULT);
    }

    /**
     * Takes in what is written to it as a new snapshot.
     *
     * @param origin where a new file system is to be made for it, on this snapshot
     */
    CommandStream receive(String snapshot, Optional<String> origin, Map<String, String> properties)
            throws ProviderException {
        return started("zfs receive", () -> runner.sink(receiving(snapshot, origin, properties)));
    }

    /**
     * Never with {@code -F}: it destroys whatever snapshot came meanwhile. Without {@code -s}: what is broken off
     * leaves nothing.
     */
    static Command receiving(String snapshot, Optional<String> origin, Map<String, String> properties) {
        var argv = new ArrayList<>(List.of("zfs", "receive", "-u"));
        origin.ifPresent(each -> argv.addAll(List.of("-o", "origin=" + each)));
        set(argv, new TreeMap<>(properties));
        argv.add(snapshot);
        return new Command(argv, CARRYING_WAIT_LIMIT, Command.OUTPUT_BYTES_DEFAULT);
    }

    /** The file system whose key a file system or snapshot is encrypted with; empty where it is not. */
    Optional<String> encryptionRoot(String name) throws ProviderException {
        return ZfsReport.value(done(name, "zfs", "get", "-H", "-o", "value", "encryptionroot", name));
    }

    /**
     * Bytes that a file system has and a snapshot that lies on it has not. 0 only where nothing was changed; of one that
     * is mounted it is some seconds late.
     */
    long writtenSince(ZfsObject snapshot, String fileSystem) throws ProviderException {
        var property = "written@" + snapshot.snapshotName();
        return ZfsReport.bytes(done(fileSystem, "zfs", "get", "-Hp", "-o", "value", property, fileSystem));
    }

    /** A line for each file that has changed; the file system has to be mounted. */
    CommandStream differences(String snapshot, String fileSystem) throws ProviderException {
        var argv = List.of("zfs", "diff", "-FH", snapshot, fileSystem);
        return started(
                "zfs diff", () -> runner.source(new Command(argv, CARRYING_WAIT_LIMIT, Command.OUTPUT_BYTES_DEFAULT)));
    }

    private interface Start {
        CommandStream start() throws CommandException, ProviderException;
    }

    private static CommandStream started(String doing, Start start) throws ProviderException {
        try {
            return start.start();
        } catch (CommandException e) {
            throw ZfsErrors.of(doing, e);
        }
    }

    /** @return whether the device took it */
    boolean discard(Path device, BlockRange range) throws ProviderException {
        return run(Command.of(
                        "blkdiscard",
                        "-o",
                        String.valueOf(range.offsetBytes()),
                        "-l",
                        String.valueOf(range.lengthBytes()),
                        device.toString()))
                .succeeded();
    }

    private static void set(List<String> argv, Map<String, String> properties) {
        properties.forEach((property, value) -> argv.addAll(List.of("-o", property + "=" + value)));
    }

    private String done(String object, String... argv) throws ProviderException {
        return done(object, List.of(argv));
    }

    private String done(String object, List<String> argv) throws ProviderException {
        return done(object, Command.of(argv.toArray(String[]::new)));
    }

    private String done(String object, Command command) throws ProviderException {
        var outcome = run(command);
        if (!outcome.succeeded()) {
            throw ZfsErrors.of(object, String.join(" ", command.argv()), outcome);
        }
        return outcome.stdout();
    }

    private Outcome run(Command command) throws ProviderException {
        try {
            return runner.run(command);
        } catch (CommandException e) {
            throw ZfsErrors.of(command.program(), e);
        }
    }
}
