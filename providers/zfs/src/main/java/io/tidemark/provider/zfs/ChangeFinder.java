package io.tidemark.provider.zfs;

import io.tidemark.provider.commands.CommandError;
import io.tidemark.provider.commands.CommandException;
import io.tidemark.provider.devices.ListedRanges;
import io.tidemark.provider.zfs.VolumeCatalog.SnapshotEntry;
import io.tidemark.spi.ChangedRanges;
import io.tidemark.spi.ProviderError;
import io.tidemark.spi.ProviderException;
import java.io.EOFException;
import java.io.IOException;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;

/**
 * What differs between two snapshots: {@code zfs send -i} from the last one that both have before them, or that one
 * of them is. It costs reading what changed. Where a stream is not understood, or takes too long, all counts as
 * changed.
 */
final class ChangeFinder {
    private static final System.Logger LOG = System.getLogger(ChangeFinder.class.getName());
    private static final String SEND = "zfs-send";
    private static final String FULL = "full";

    private enum Reading {
        WHOLE,
        BROKEN_OFF,
        NOT_UNDERSTOOD
    }

    private final ZfsCommands commands;

    ChangeFinder(ZfsCommands commands) {
        this.commands = commands;
    }

    ChangedRanges between(VolumeCatalog catalog, SnapshotEntry older, SnapshotEntry newer) throws ProviderException {
        int blockBytes = blockBytes(catalog, newer.on());
        long sizeBytes = Math.max(older.sizeBytes(), newer.sizeBytes());
        var changed = new RangeSet();
        var common = common(catalog, older.on(), newer.on());
        if (common.isEmpty() || blockBytes(catalog, older.on()) != blockBytes) {
            changed.addEverything();
        } else {
            for (var each : List.of(older.on(), newer.on())) {
                if (!each.equals(common.get()) && !changed.isEverything()) {
                    read(common.get(), each, blockBytes, changed);
                }
            }
        }
        long smallerBytes = Math.min(older.sizeBytes(), newer.sizeBytes());
        if (smallerBytes < sizeBytes) {
            changed.add(smallerBytes, sizeBytes);
        }
        return new ListedRanges(
                changed.isEverything() ? FULL : SEND, blockBytes, changed.ranges(blockBytes, sizeBytes));
    }

    /** ZFS tells what is allocated only by sending all of it, which costs as much as reading it. */
    ChangedRanges allocated(VolumeCatalog catalog, SnapshotEntry snapshot) throws ProviderException {
        var all = new RangeSet();
        all.addEverything();
        int blockBytes = blockBytes(catalog, snapshot.on());
        return new ListedRanges(FULL, blockBytes, all.ranges(blockBytes, snapshot.sizeBytes()));
    }

    private static int blockBytes(VolumeCatalog catalog, ZfsObject snapshot) throws ProviderException {
        var zvol = catalog.named(snapshot.zvol())
                .orElseThrow(() -> new ProviderException(
                        new ProviderError.Unexpected("zfs get", "no volume of " + snapshot.name())));
        return Math.toIntExact(zvol.number("volblocksize"));
    }

    private static Optional<ZfsObject> common(VolumeCatalog catalog, ZfsObject one, ZfsObject other) {
        var history = new HashSet<>(catalog.history(one));
        return catalog.history(other).stream().filter(history::contains).findFirst();
    }

    private void read(ZfsObject older, ZfsObject newer, int blockBytes, RangeSet changed) throws ProviderException {
        try (var sent = commands.send(older.name(), newer.name())) {
            var reading = read(newer, new ZfsSendStream(sent.output(), blockBytes, changed));
            if (reading == Reading.NOT_UNDERSTOOD) {
                // What is left unread would keep the program from its end: closing kills it.
                changed.addEverything();
                return;
            }
            var outcome = sent.finish();
            if (!outcome.succeeded() || reading == Reading.BROKEN_OFF) {
                throw ZfsErrors.of(newer.name(), "zfs send -i " + older.name(), outcome);
            }
        } catch (CommandException e) {
            if (!(e.error() instanceof CommandError.TimedOut)) {
                throw ZfsErrors.of("zfs send", e);
            }
            // It would not end in time when asked again, either.
            LOG.log(
                    System.Logger.Level.WARNING,
                    "zfs.send_too_long snapshot={0} reason={1}",
                    newer.name(),
                    e.error().message());
            changed.addEverything();
        }
    }

    /** Where the stream breaks off, the program's status says why. */
    private static Reading read(ZfsObject newer, ZfsSendStream stream) {
        try {
            stream.read();
            return Reading.WHOLE;
        } catch (EOFException e) {
            return Reading.BROKEN_OFF;
        } catch (IOException e) {
            LOG.log(
                    System.Logger.Level.WARNING,
                    "zfs.send_not_understood snapshot={0} reason={1}",
                    newer.name(),
                    e.getMessage());
            return Reading.NOT_UNDERSTOOD;
        }
    }
}
