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
import java.util.concurrent.locks.ReentrantLock;

/** ZFS's programs, each call one argument list. Interprets exit statuses, and no text. */
class ZfsCommands {
    /** {@code zfs send} reads all that was written between two snapshots. */
    private static final Duration SEND_LIMIT = Duration.ofMinutes(10);

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
        try {
            return runner.stream(new Command(
                    List.of("zfs", "send", "-c", "-e", "-L", "-i", older, newer),
                    SEND_LIMIT,
                    Command.OUTPUT_BYTES_DEFAULT));
        } catch (CommandException e) {
            throw ZfsErrors.of("zfs send", e);
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
