package io.tidemark.provider.image;

import io.tidemark.provider.commands.Command;
import io.tidemark.provider.devices.SendAttributes;
import io.tidemark.provider.devices.SendFraming;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;

/**
 * Reads what {@code btrfs send --no-data -p OLDER NEWER} says about one file: which bytes of it changed, holes and
 * truncation included, in time that follows the change.
 *
 * <p>Source: Linux, {@code fs/btrfs/send.h} (commands, attributes) and {@code send.c}
 * ({@code send_update_extent}, {@code send_hole}); checked against byte compares by the provider's tests.
 */
final class SendStream {
    /** Much longer than two million changed extents take; then something is stuck. */
    private static final Duration TIME_LIMIT = Duration.ofMinutes(4);

    /** Names the kernel gives to inodes on their way, and moves of the image itself, mean that it is another file. */
    static final class LineageException extends IOException {
        private static final long serialVersionUID = 1L;

        LineageException(String evidence) {
            super(evidence);
        }
    }

    private final InputStream input;
    private final String image;
    private final long sizeBytes;
    private final BlockSet changed;

    /**
     * @param image path of the file within the subvolume
     * @param sizeBytes the larger of both sizes: what lies past it is nobody's
     */
    SendStream(InputStream input, String image, long sizeBytes, BlockSet changed) {
        this.input = input;
        this.image = image;
        this.sizeBytes = sizeBytes;
        this.changed = changed;
    }

    static Command command(Path older, Path newer) {
        var argv = List.of("btrfs", "send", "-q", "--no-data", "-p", older.toString(), newer.toString());
        return new Command(argv, TIME_LIMIT, Command.OUTPUT_BYTES_DEFAULT);
    }

    /**
     * Reads to the end command and marks every range that may differ.
     *
     * @throws LineageException when the image of the newer subvolume is not the older one's file
     * @throws IOException when the stream is damaged, ends early, or says what this version does not know
     */
    void read() throws IOException {
        int version = SendFraming.version(input.readNBytes(SendFraming.OPENING_BYTES));
        boolean more = true;
        while (more) {
            more = readCommand(version);
        }
    }

    private boolean readCommand(int version) throws IOException {
        var header = SendFraming.header(exactly(SendFraming.HEADER_BYTES));
        var body = exactly(header.lengthBytes());
        header.check(body);
        return apply(SendCommand.ofCode(header.code()), SendAttributes.of(body, version));
    }

    /** @return whether another command follows */
    private boolean apply(SendCommand command, SendAttributes attributes) throws IOException {
        switch (command) {
            case END -> {
                return false;
            }
            case UPDATE_EXTENT -> {
                if (attributes.isOn(image)) {
                    mark(attributes.number(SendAttributes.FILE_OFFSET), attributes.number(SendAttributes.SIZE));
                }
            }
            case WRITE -> {
                if (attributes.isOn(image)) {
                    mark(attributes.number(SendAttributes.FILE_OFFSET), attributes.length(SendAttributes.DATA));
                }
            }
            case ENCODED_WRITE -> {
                if (attributes.isOn(image)) {
                    mark(
                            attributes.number(SendAttributes.FILE_OFFSET),
                            attributes.number(SendAttributes.UNENCODED_FILE_LENGTH));
                }
            }
            case CLONE -> {
                if (attributes.isOn(image)) {
                    mark(attributes.number(SendAttributes.FILE_OFFSET), attributes.number(SendAttributes.CLONE_LENGTH));
                }
            }
            case FALLOCATE -> {
                if (attributes.isOn(image)) {
                    mark(attributes.number(SendAttributes.FILE_OFFSET), attributes.number(SendAttributes.SIZE));
                }
            }
            case TRUNCATE -> {
                if (attributes.isOn(image)) {
                    long size = attributes.number(SendAttributes.SIZE);
                    mark(size, Math.max(0, sizeBytes - size));
                }
            }
            case MAKES_OR_MOVES -> {
                if (attributes.isOn(image) || attributes.namesAsTarget(image)) {
                    throw new LineageException("the image was made, moved or removed between the snapshots");
                }
            }
            case WITHOUT_BYTES -> {
                return true;
            }
        }
        return true;
    }

    private void mark(long offset, long length) throws IOException {
        if (offset < 0 || length < 0) {
            throw new IOException("range leaves the file: offset %s, length %s"
                    .formatted(Long.toUnsignedString(offset), Long.toUnsignedString(length)));
        }
        long start = Math.min(offset, sizeBytes);
        changed.mark(start, start + Math.min(length, sizeBytes - start));
    }

    private byte[] exactly(int length) throws IOException {
        var bytes = input.readNBytes(length);
        if (bytes.length < length) {
            throw new EOFException("btrfs stream ends early");
        }
        return bytes;
    }
}
