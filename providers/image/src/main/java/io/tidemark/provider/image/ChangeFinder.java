package io.tidemark.provider.image;

import io.tidemark.nativeblock.HostCalls;
import io.tidemark.provider.commands.CommandException;
import io.tidemark.provider.commands.CommandRunner;
import io.tidemark.spi.BlockRange;
import io.tidemark.spi.ChangedRanges;
import io.tidemark.spi.ChangedRanges.Confidence;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.SnapshotId;
import java.io.IOException;
import java.lang.System.Logger.Level;
import java.util.ArrayDeque;
import java.util.Optional;

/**
 * Finds what differs between two snapshots by the best way that works: {@code btrfs send}, else the files' extents,
 * else everything. Each way may name too much, none too little.
 */
final class ChangeFinder {
    static final String SEND = "btrfs-send";
    static final String EXTENTS = "fiemap";
    static final String FULL = "full";

    private static final System.Logger LOG = System.getLogger(ChangeFinder.class.getName());

    private final SnapshotShelf shelf;
    private final Optional<HostCalls> host;
    private final CommandRunner commands;
    private final ImageConfig.Changes changes;
    private final Uses uses;

    ChangeFinder(
            SnapshotShelf shelf,
            Optional<HostCalls> host,
            CommandRunner commands,
            ImageConfig.Changes changes,
            Uses uses) {
        this.shelf = shelf;
        this.host = host;
        this.commands = commands;
        this.changes = changes;
        this.uses = uses;
    }

    ChangedRanges between(SnapshotId olderId, SnapshotId newerId) throws ProviderException {
        if (!olderId.volume().equals(newerId.volume())) {
            throw new IllegalArgumentException("not of one volume: %s and %s".formatted(olderId, newerId));
        }
        // Pinned before they are looked up: neither can be deleted while its extents are compared.
        uses.pin(olderId);
        uses.pin(newerId);
        boolean handedOver = false;
        try {
            var ranges = find(shelf.get(olderId), shelf.get(newerId), () -> {
                uses.unpin(olderId);
                uses.unpin(newerId);
            });
            handedOver = true;
            return ranges;
        } finally {
            if (!handedOver) {
                uses.unpin(olderId);
                uses.unpin(newerId);
            }
        }
    }

    private ChangedRanges find(StoredSnapshot older, StoredSnapshot newer, Runnable unpin) {
        long olderBytes = older.snapshot().sizeBytes();
        long newerBytes = newer.snapshot().sizeBytes();
        boolean canSend = older.isSubvolume()
                && newer.isSubvolume()
                && older.folder() == newer.folder()
                && newer.folder().ability().sendsChanges();
        if (changes == ImageConfig.Changes.BEST && canSend) {
            var sent = bySend(older, newer);
            if (sent.isPresent()) {
                return new ImageRanges(SEND, Confidence.EXACT, newer.image(), sent.get(), unpin);
            }
        }
        if (changes != ImageConfig.Changes.FULL && host.isPresent()) {
            // A sparse copy shares nothing with its volume: its extents tell only where something is.
            boolean shared = older.method() != CutMethod.COPY && newer.method() != CutMethod.COPY;
            var extents = ExtentRanges.between(host.get(), older.image(), olderBytes, newer.image(), newerBytes);
            return new ImageRanges(
                    shared ? EXTENTS : FULL,
                    shared ? Confidence.EXACT : Confidence.UNTRUSTED,
                    newer.image(),
                    extents,
                    unpin);
        }
        var everything = everything(Math.max(olderBytes, newerBytes));
        return new ImageRanges(FULL, Confidence.UNTRUSTED, newer.image(), everything, unpin);
    }

    /** Empty where this pair cannot be told by a stream; said in the log, because the next way costs more. */
    private Optional<RangeSource> bySend(StoredSnapshot older, StoredSnapshot newer) {
        long smaller = Math.min(older.snapshot().sizeBytes(), newer.snapshot().sizeBytes());
        long larger = Math.max(older.snapshot().sizeBytes(), newer.snapshot().sizeBytes());
        var changed = new BlockSet();
        try (var stream = commands.stream(SendStream.command(older.entry(), newer.entry()))) {
            new SendStream(stream.output(), ImageFolder.IMAGE, larger, changed).read();
            var outcome = stream.finish();
            if (!outcome.succeeded()) {
                throw new IOException(outcome.evidence());
            }
            changed.mark(smaller, larger);
            var ranges = changed.ranges(larger);
            return Optional.of(ranges::next);
        } catch (IOException | CommandException e) {
            LOG.log(
                    Level.WARNING,
                    "image.send_refused older={0} newer={1} effect=\"extents are compared\" reason=\"{2}\"",
                    older.snapshot().id(),
                    newer.snapshot().id(),
                    e.getMessage());
            return Optional.empty();
        }
    }

    ChangedRanges allocated(SnapshotId snapshot) throws ProviderException {
        uses.pin(snapshot);
        boolean handedOver = false;
        try {
            var stored = shelf.get(snapshot);
            long sizeBytes = stored.snapshot().sizeBytes();
            Runnable unpin = () -> uses.unpin(snapshot);
            boolean ask = host.isPresent() && changes != ImageConfig.Changes.FULL;
            var ranges = ask
                    ? new ImageRanges(
                            EXTENTS,
                            Confidence.COARSE,
                            stored.image(),
                            ExtentRanges.allocated(host.get(), stored.image(), sizeBytes),
                            unpin)
                    : new ImageRanges(FULL, Confidence.UNTRUSTED, stored.image(), everything(sizeBytes), unpin);
            handedOver = true;
            return ranges;
        } finally {
            if (!handedOver) {
                uses.unpin(snapshot);
            }
        }
    }

    private static RangeSource everything(long sizeBytes) {
        var left = new ArrayDeque<BlockRange>();
        if (sizeBytes > 0) {
            left.add(new BlockRange(0, sizeBytes));
        }
        return () -> Optional.ofNullable(left.poll());
    }
}
