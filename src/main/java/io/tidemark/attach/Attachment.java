package io.tidemark.attach;

import io.tidemark.domain.ExportId;
import java.io.IOException;
import java.io.StringReader;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Optional;
import java.util.Properties;

/**
 * An export that is a block device of this host, as its folder tells it: whoever detaches needs no other process for it.
 *
 * @param folder holds this record, the relay's socket and log, and the file that a loop device stands on
 * @param means what makes the device
 * @param relay process id of the relay
 * @param owner of a device of the kernel's client what the kernel calls its process: another one's means that it is
 *     another's device by now; empty of others
 */
public record Attachment(Path folder, ExportId export, Path device, Means means, long relay, String owner) {
    private static final String RECORD = "attachment";
    private static final String FORMAT = "1";

    /** What makes a block device of a socket. */
    public enum Means {
        /** The kernel's own client, set up by {@code nbd-client}. */
        KERNEL_NBD,
        /** A file of {@code nbdfuse}, and a loop device on it. */
        FUSE_AND_LOOP
    }

    static Path socket(Path folder) {
        return folder.resolve("relay.sock");
    }

    /** There once the relay serves: a socket is there a moment before connections are taken. */
    static Path ready(Path folder) {
        return folder.resolve("ready");
    }

    static Path log(Path folder) {
        return folder.resolve("log");
    }

    static Path mountPoint(Path folder) {
        return folder.resolve("fuse");
    }

    void save() throws IOException {
        var lines = new Properties();
        lines.setProperty("format", FORMAT);
        lines.setProperty("export", export.value());
        lines.setProperty("device", device.toString());
        lines.setProperty("means", means.name());
        lines.setProperty("relay", Long.toString(relay));
        lines.setProperty("owner", owner);
        var text = new StringWriter();
        lines.store(text, null);
        var written = folder.resolve(RECORD + ".new");
        Files.writeString(written, text.toString());
        Files.move(written, folder.resolve(RECORD), StandardCopyOption.ATOMIC_MOVE);
    }

    /** Empty where nothing was attached there, or not to the end. */
    static Optional<Attachment> read(Path folder) throws IOException {
        var file = folder.resolve(RECORD);
        if (!Files.exists(file)) {
            return Optional.empty();
        }
        var lines = new Properties();
        lines.load(new StringReader(Files.readString(file)));
        if (!FORMAT.equals(lines.getProperty("format"))) {
            throw new IOException("%s has format %s, not %s".formatted(file, lines.getProperty("format"), FORMAT));
        }
        try {
            return Optional.of(new Attachment(
                    folder,
                    new ExportId(lines.getProperty("export", "")),
                    Path.of(lines.getProperty("device", "")),
                    Means.valueOf(lines.getProperty("means", "")),
                    Long.parseLong(lines.getProperty("relay", "")),
                    lines.getProperty("owner", "")));
        } catch (IllegalArgumentException e) {
            throw new IOException("%s cannot be read: %s".formatted(file, e.getMessage()), e);
        }
    }

    /** Whether its relay lives: a number may be another process's by now. */
    boolean isServed() {
        return RelayProcess.isOf(folder, relay);
    }

    /** Whether the device is this one, and not another's that has its name by now. */
    boolean isThere() {
        return switch (means) {
            case KERNEL_NBD ->
                BlockDevice.nbdOwner(device).filter(owner::equals).isPresent();
            case FUSE_AND_LOOP ->
                BlockDevice.backingFile(device)
                        .filter(file -> file.startsWith(folder))
                        .isPresent();
        };
    }

    /** Whether somebody's device has its name. */
    boolean isTaken() {
        return BlockDevice.nbdOwner(device).isPresent()
                || BlockDevice.backingFile(device).isPresent();
    }
}
