package io.tidemark.attach;

import io.tidemark.attach.Attachment.Means;
import io.tidemark.domain.ExportId;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;

/** Exports that are block devices of this host: a folder each, named after the export. */
public final class Attachments {
    /** A relay and {@code nbdfuse} that start, a device that the kernel lets go of. */
    private static final Duration STEP_LIMIT = Duration.ofSeconds(30);

    /** The kernel's limit ({@code sun_path}, unix(7)), with its closing zero. */
    private static final int SOCKET_PATH_BYTES_MAXIMUM = 107;

    private static final Duration LOOK = Duration.ofMillis(20);
    private static final String DISK = "disk";

    private final Path folder;
    private final Duration flushLimit;

    /** @param folder made, for this user alone, where it is not there; does not outlive the host's restart, nor does a device */
    public Attachments(Path folder) {
        this(folder, STEP_LIMIT);
    }

    /** @param flushLimit so long a detach waits for what is not flushed yet */
    public Attachments(Path folder, Duration flushLimit) {
        this.folder = folder.toAbsolutePath().normalize();
        this.flushLimit = flushLimit;
    }

    /** In order of export. */
    public List<Attachment> all() throws IOException {
        if (!Files.isDirectory(folder)) {
            return List.of();
        }
        var found = new ArrayList<Attachment>();
        try (var folders = Files.list(folder.toRealPath())) {
            for (var each : folders.sorted().toList()) {
                Attachment.read(each).ifPresent(found::add);
            }
        }
        return List.copyOf(found);
    }

    /**
     * Makes a block device of an export.
     *
     * @param site the socket at which the site serves it
     * @param awayLimit so long requests wait while nobody serves it there; all of them fail afterwards
     * @throws AttachException where the host has no means for it, or it is attached already; nothing is left then
     */
    public Attachment attach(ExportId export, Path site, Duration awayLimit)
            throws AttachException, IOException, InterruptedException {
        var means = means();
        Files.createDirectories(folder);
        try (var _ = AttachLock.of(folder, export)) {
            return attach(export, site, awayLimit, means);
        }
    }

    private Attachment attach(ExportId export, Path site, Duration awayLimit, Means means)
            throws AttachException, IOException, InterruptedException {
        // The kernel names files and mounts by their real paths.
        var own = folder.toRealPath().resolve(export.value());
        var earlier = Attachment.read(own);
        if (earlier.isPresent()) {
            throw new AttachException(
                    "export %s is attached as %s"
                            .formatted(export, earlier.get().device()),
                    "detach it first: tidemark detach " + earlier.get().device());
        }
        refuseTooLong(own);
        makeFolder(own);
        Optional<Process> relay = Optional.empty();
        Optional<Path> device = Optional.empty();
        try {
            relay = Optional.of(
                    HostPrograms.start(Attachment.log(own), RelayProcess.command(own, site, export, awayLimit)));
            await("the relay", own, relay.get(), Attachment.ready(own));
            device = Optional.of(means == Means.KERNEL_NBD ? byKernel(own, export) : byFuse(own, export));
            var attachment = new Attachment(
                    own,
                    export,
                    device.get(),
                    means,
                    relay.get().pid(),
                    BlockDevice.nbdOwner(device.get()).orElse(""));
            attachment.save();
            return attachment;
        } catch (AttachException | IOException | InterruptedException | RuntimeException e) {
            undo(own, means, device, relay, e);
            throw e;
        }
    }

    /** What was made before it failed. */
    private static void undo(Path own, Means means, Optional<Path> device, Optional<Process> relay, Exception failure) {
        try {
            if (device.isPresent()) {
                letGo(means, device.get());
            }
            relay.ifPresent(Process::destroy);
            unmount(own);
            remove(own);
        } catch (IOException e) {
            failure.addSuppressed(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private static void refuseTooLong(Path own) throws AttachException {
        int length = Attachment.socket(own).toString().getBytes(StandardCharsets.UTF_8).length;
        if (length > SOCKET_PATH_BYTES_MAXIMUM) {
            throw new AttachException(
                    "the relay's socket %s has %d bytes, a unix socket's path %d at most"
                            .formatted(Attachment.socket(own), length, SOCKET_PATH_BYTES_MAXIMUM),
                    "name a shorter folder with --folder");
        }
    }

    private static void makeFolder(Path own) throws AttachException, IOException, InterruptedException {
        endLeftover(own);
        remove(own);
        Files.createDirectory(own, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
        Files.createDirectory(Attachment.mountPoint(own));
    }

    /** Of an attempt that was killed: nobody was told the device. */
    private static void endLeftover(Path own) throws AttachException, IOException, InterruptedException {
        var devices = BlockDevice.loopsOn(own);
        for (var device : devices) {
            refuseUsed(device);
        }
        for (var relay : RelayProcess.of(own)) {
            end(own, relay.pid());
        }
        for (var device : devices) {
            letGo(Means.FUSE_AND_LOOP, device);
            awaitReleased(device, () -> !BlockDevice.loopsOn(own).contains(device));
        }
        unmount(own);
    }

    private static Means means() throws AttachException {
        if (!"root".equals(System.getProperty("user.name"))) {
            throw new AttachException("block devices are made by root alone", "run it with sudo");
        }
        if (Files.exists(Path.of("/sys/class/block/nbd0"))
                && HostPrograms.find("nbd-client").isPresent()) {
            return Means.KERNEL_NBD;
        }
        for (var program : List.of("nbdfuse", "losetup", "umount")) {
            if (HostPrograms.find(program).isEmpty()) {
                throw new AttachException(
                        "this host has neither the kernel's nbd with nbd-client, nor %s".formatted(program),
                        "modprobe nbd and apt-get install nbd-client, or apt-get install libnbd-bin util-linux");
            }
        }
        if (!Files.exists(Path.of("/dev/fuse"))) {
            throw new AttachException(
                    "this host has neither the kernel's nbd nor /dev/fuse", "modprobe nbd or modprobe fuse");
        }
        return Means.FUSE_AND_LOOP;
    }

    private static Path byKernel(Path own, ExportId export) throws AttachException, IOException, InterruptedException {
        for (var device : BlockDevice.freeNbd()) {
            try {
                HostPrograms.run(
                        "nbd-client",
                        "-unix",
                        Attachment.socket(own).toString(),
                        device.toString(),
                        "-N",
                        export.value());
                return device;
            } catch (IOException e) {
                if (BlockDevice.isFreeNbd(device)) {
                    throw e;
                }
                // Somebody else has taken it since: the next.
            }
        }
        throw new AttachException("all devices of the kernel's nbd are in use", "modprobe nbd with a larger nbds_max");
    }

    private static Path byFuse(Path own, ExportId export) throws AttachException, IOException, InterruptedException {
        var disk = Attachment.mountPoint(own).resolve(DISK);
        var fuse = HostPrograms.start(
                Attachment.log(own),
                List.of(
                        "nbdfuse",
                        disk.toString(),
                        "nbd+unix:///%s?socket=%s".formatted(export, Attachment.socket(own))));
        await("nbdfuse", own, fuse, disk);
        return Path.of(
                Files.isWritable(disk)
                        ? HostPrograms.run("losetup", "--find", "--show", disk.toString())
                        : HostPrograms.run("losetup", "--find", "--show", "--read-only", disk.toString()));
    }

    private static void await(String what, Path own, Process process, Path appears)
            throws AttachException, IOException, InterruptedException {
        long until = System.nanoTime() + STEP_LIMIT.toNanos();
        while (!Files.exists(appears)) {
            if (!process.isAlive() || System.nanoTime() > until) {
                process.destroy();
                var lines = Files.readString(Attachment.log(own)).lines().toList();
                throw new AttachException(
                        "%s %s: %s"
                                .formatted(
                                        what,
                                        process.isAlive() ? "was not ready after " + STEP_LIMIT : "did not start",
                                        lines.isEmpty() ? "it said nothing" : lines.getLast()),
                        "is the export there? tidemark exports list");
            }
            TimeUnit.NANOSECONDS.sleep(LOOK.toNanos());
        }
    }

    /** @param named a device, or an export's id */
    public Attachment find(String named) throws AttachException, IOException {
        return all().stream()
                .filter(each -> each.device().toString().equals(named)
                        || each.export().value().equals(named))
                .findFirst()
                .orElseThrow(() -> new AttachException(
                        "%s is not attached by %s".formatted(named, folder), "see what is: tidemark detach --list"));
    }

    /**
     * Flushes, then takes the device away. May be called again after a failure.
     *
     * @param lossIsFine where the site is away for good: what was not flushed is given up
     * @throws AttachException where the device is in use, or cannot be flushed in time; it stays then
     */
    public void detach(Attachment attachment, boolean lossIsFine)
            throws AttachException, IOException, InterruptedException {
        try (var _ = AttachLock.of(folder, attachment.export())) {
            if (attachment.isThere()) {
                refuseUsed(attachment.device());
                if (lossIsFine) {
                    // What waits for the site fails then, and lets go of the device.
                    end(attachment.folder(), attachment.relay());
                } else {
                    flush(attachment.device());
                }
                release(attachment);
            } else if (attachment.isTaken() && attachment.isServed() && !lossIsFine) {
                throw new AttachException(
                        "%s is another's device by now, and the relay of export %s still serves"
                                .formatted(attachment.device(), attachment.export()),
                        "where nothing uses that export: tidemark detach --force " + attachment.export());
            }
            unmount(attachment.folder());
            end(attachment.folder(), attachment.relay());
            remove(attachment.folder());
        }
    }

    private static void release(Attachment attachment) throws AttachException, IOException, InterruptedException {
        try {
            letGo(attachment.means(), attachment.device());
        } catch (IOException e) {
            if (attachment.isThere()) {
                throw e;
            }
            // It has gone with its relay.
        }
        awaitReleased(attachment.device(), () -> !attachment.isThere());
    }

    private static void refuseUsed(Path device) throws AttachException, IOException {
        var user = BlockDevice.user(device);
        if (user.isPresent()) {
            throw new AttachException("%s is %s".formatted(device, user.get()), "unmount or release it first");
        }
    }

    /**
     * By a process of its own: the kernel lets none end while it waits for the device. A sync of the device itself:
     * BLKFLSBUF, which blockdev sends, neither flushes the disk nor tells of errors.
     */
    private void flush(Path device) throws AttachException, InterruptedException {
        try {
            HostPrograms.run(flushLimit, "sync", device.toString());
        } catch (IOException e) {
            throw new AttachException(
                    "%s cannot be flushed: %s".formatted(device, e.getMessage()),
                    "start the site; or give up what was not flushed: tidemark detach --force " + device);
        }
    }

    /** Whether it is so now. */
    @FunctionalInterface
    private interface Look {
        boolean holds() throws IOException;
    }

    private static void awaitReleased(Path device, Look released)
            throws AttachException, IOException, InterruptedException {
        long until = System.nanoTime() + STEP_LIMIT.toNanos();
        while (!released.holds()) {
            if (System.nanoTime() > until) {
                throw new AttachException(
                        "%s is still open somewhere and goes once it is closed".formatted(device),
                        "close it, and detach again: see who with fuser " + device);
            }
            TimeUnit.NANOSECONDS.sleep(LOOK.toNanos());
        }
    }

    private static void letGo(Means means, Path device) throws IOException, InterruptedException {
        HostPrograms.run(means == Means.KERNEL_NBD ? "nbd-client" : "losetup", "-d", device.toString());
    }

    private static void unmount(Path own) throws IOException, InterruptedException {
        var place = Attachment.mountPoint(own);
        if (BlockDevice.isMounted(place)) {
            HostPrograms.run("umount", place.toString());
        }
    }

    /** Asks the relay to end; kills it where it does not. */
    private static void end(Path own, long relay) throws InterruptedException {
        if (RelayProcess.isOf(own, relay)) {
            ProcessHandle.of(relay).ifPresent(ProcessHandle::destroy);
        }
        long until = System.nanoTime() + STEP_LIMIT.toNanos();
        while (RelayProcess.isOf(own, relay)) {
            if (System.nanoTime() > until) {
                ProcessHandle.of(relay).ifPresent(ProcessHandle::destroyForcibly);
                return;
            }
            TimeUnit.NANOSECONDS.sleep(LOOK.toNanos());
        }
    }

    private static void remove(Path own) throws IOException {
        if (!Files.isDirectory(own)) {
            return;
        }
        try (var files = Files.walk(own)) {
            for (var file : files.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(file);
            }
        }
    }
}
