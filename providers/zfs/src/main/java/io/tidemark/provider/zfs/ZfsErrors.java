package io.tidemark.provider.zfs;

import io.tidemark.nativeblock.HostCallException;
import io.tidemark.provider.commands.CommandException;
import io.tidemark.provider.commands.Outcome;
import io.tidemark.spi.ProviderError;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.SnapshotId;
import java.time.Duration;
import java.util.Arrays;
import java.util.Locale;

/**
 * What a failure of ZFS means. The only place that matches text: the programs end with 1 whatever happened, and say
 * why in English (locale C). Source of the texts: {@code lib/libzfs} of OpenZFS 2.1 and 2.3.
 */
final class ZfsErrors {
    private static final Duration BUSY_RETRY = Duration.ofSeconds(5);
    private static final int EACCES = 13;
    private static final int EDQUOT = 122;

    /** With less ZFS refuses a write: it reserves 24 times as much as one takes, of the page cache 1,280 KiB at most. */
    private static final long ROOM_TO_WRITE_BYTES = 32L << 20;

    /** A snapshot takes some blocks of metadata; with 200 KB ZFS still made one, with less it did not. */
    private static final long ROOM_TO_CUT_BYTES = 1L << 20;

    private static final String ADVICE = ": docs/design/zfs-provider.md, Failures, tells how to go on";

    private ZfsErrors() {}

    /** @param doing the command line */
    static ProviderException of(String object, String doing, Outcome outcome) {
        return new ProviderException(error(object, doing, outcome));
    }

    private static ProviderError error(String object, String doing, Outcome outcome) {
        var said = outcome.stderr().toLowerCase(Locale.ROOT);
        // Of a hold 2.1 says the first, 2.3 the second.
        if (said.contains("is busy") || said.contains("it's being held")) {
            return new ProviderError.Busy(object, "a mount, a process, a hold or a send of this host", BUSY_RETRY);
        }
        if (said.contains("i/o is currently suspended")) {
            return suspended(beginning(doing));
        }
        if (said.contains("dataset does not exist")) {
            return new ProviderError.Unexpected(
                    beginning(doing), outcome.evidence() + "; zfs list and zpool import tell what there is");
        }
        if (said.contains("filesystem has children")) {
            return new ProviderError.Conflict(object, "it has file systems or snapshots of its own below it");
        }
        if (said.contains("more recent snapshots or bookmarks exist")) {
            return new ProviderError.Conflict(object, "it has newer snapshots or bookmarks: " + outcome.evidence());
        }
        if (said.contains("dataset already exists")) {
            return new ProviderError.Conflict(object, "a name it needs is taken: " + outcome.evidence());
        }
        if (said.contains("out of space")) {
            return new ProviderError.OutOfSpace(object, 0, 0);
        }
        if (said.contains("permission denied")) {
            return new ProviderError.Denied(object, "the right to " + doing);
        }
        return new ProviderError.Unexpected(doing, outcome.evidence());
    }

    /**
     * Of a stream that was not taken in, which leaves nothing. What the kernel gives no text of its own to comes as
     * {@code invalid backup stream}: a snapshot that came meanwhile, too, so that is looked for before.
     *
     * @param snapshot that was to be made
     */
    static ProviderException ofReceiving(SnapshotId snapshot, Outcome outcome) {
        var said = outcome.stderr().toLowerCase(Locale.ROOT);
        var volume = snapshot.volume().toString();
        if (said.contains("checksum mismatch")
                || said.contains("incomplete stream")
                || said.contains("invalid stream")
                || said.contains("invalid backup stream")
                || said.contains("failed to read from stream")
                || said.contains("match incremental source")) {
            return corrupt(snapshot, outcome.evidence());
        }
        if (said.contains("has been modified")) {
            return busy(volume, "somebody who has changed its files meanwhile");
        }
        if (said.contains("quota exceeded")) {
            return new ProviderException(new ProviderError.OutOfSpace(volume + " (its quota)", 0, 0));
        }
        if (said.contains("pool must be upgraded") || said.contains("feature is not enabled")) {
            return new ProviderException(new ProviderError.Conflict(
                    volume, "its pool lacks a feature of the one that sends: zpool upgrade; " + outcome.evidence()));
        }
        if (said.contains("key must be loaded")) {
            return new ProviderException(new ProviderError.Conflict(
                    volume, "it is encrypted and its key is not loaded: zfs load-key; " + outcome.evidence()));
        }
        return of(volume, "zfs receive", outcome);
    }

    /** Of a stream. */
    static ProviderException corrupt(SnapshotId snapshot, String evidence) {
        return new ProviderException(new ProviderError.Corrupt("stream of snapshot " + snapshot, evidence));
    }

    /** Program and subcommand: the rest of a listing is longer than any answer. */
    private static String beginning(String doing) {
        return String.join(" ", Arrays.asList(doing.split(" ", -1)).subList(0, 2));
    }

    /** Such a pool answers whoever asks; a call that was under way when its disk failed waits for the disk. */
    private static ProviderError suspended(String doing) {
        return new ProviderError.Unexpected(doing, "the pool's I/O is suspended, for a disk failed" + ADVICE);
    }

    static ProviderException of(String program, CommandException e) {
        return new ProviderException(
                new ProviderError.Unexpected(program, e.error().message()), e);
    }

    static ProviderException of(String object, String doing, HostCallException e) {
        return new ProviderException(
                switch (e.errno()) {
                    case HostCallException.EBUSY -> new ProviderError.Busy(object, "another work of ZFS", BUSY_RETRY);
                    case HostCallException.ENOSPC, EDQUOT -> new ProviderError.OutOfSpace(object, 0, 0);
                    case HostCallException.EPERM, EACCES -> new ProviderError.Denied(object, "the right to " + doing);
                    case HostCallException.EAGAIN -> suspended(doing);
                    case HostCallException.EEXIST ->
                        new ProviderError.Conflict(object, "a name it needs is taken: " + e.getMessage());
                    default -> new ProviderError.Unexpected(doing, String.valueOf(e.getMessage()));
                },
                e);
    }

    /**
     * Of a write that failed: the kernel calls it an I/O error, whatever ZFS has said.
     *
     * @param availableBytes to the volume
     */
    static ProviderException ofWriting(String zvol, long availableBytes, ProviderException failure) {
        return availableBytes < ROOM_TO_WRITE_BYTES
                ? new ProviderException(noRoom(zvol, availableBytes), failure)
                : failure;
    }

    /** Before anything is frozen: ZFS would refuse the cut. */
    static void refuseWhereFull(ZfsObject zvol) throws ProviderException {
        var availableBytes = zvol.bytesAvailable();
        if (availableBytes.isPresent() && availableBytes.get() < ROOM_TO_CUT_BYTES) {
            throw new ProviderException(noRoom(zvol.name(), availableBytes.get()));
        }
    }

    private static ProviderError noRoom(String zvol, long availableBytes) {
        return new ProviderError.OutOfSpace("%s (%d bytes available)".formatted(zvol, availableBytes), 0, 0);
    }

    /** @param root the file system that has the key */
    static ProviderException withoutKey(String object, String root, ProviderException failure) {
        return new ProviderException(
                new ProviderError.Conflict(object, "it is encrypted and its key is not loaded: zfs load-key " + root),
                failure);
    }

    /** Of a call that is about blocks. */
    static ProviderException noBlocks(Object object) {
        return new ProviderException(new ProviderError.Conflict(
                object.toString(),
                "is a file system, not blocks; its files are where it is mounted, and a snapshot's in a clone of it"));
    }

    static ProviderException busy(Object object, String holder) {
        return new ProviderException(new ProviderError.Busy(object.toString(), holder, BUSY_RETRY));
    }
}
