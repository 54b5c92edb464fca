package io.tidemark.provider.lvm;

import io.tidemark.provider.commands.CommandException;
import io.tidemark.provider.commands.CommandStream;
import io.tidemark.provider.devices.ListedRanges;
import io.tidemark.spi.BlockRange;
import io.tidemark.spi.ChangedRanges;
import io.tidemark.spi.ProviderError;
import io.tidemark.spi.ProviderException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.locks.ReentrantLock;
import java.util.stream.Collectors;
import javax.xml.stream.XMLStreamException;

/**
 * What a pool's metadata say of its volumes. They can be read while the pool is in use only as a snapshot of themselves,
 * of which a pool has one: one question a pool at a time, and the snapshot is released whatever happens.
 */
final class ThinMetadata {
    /** A volume of 16 TiB in chunks of 64 KiB that alternate has more; then the rest is one range. */
    private static final int RANGES_MAXIMUM = 4 << 20;

    private final LvmCommands commands;
    private final ReentrantLock reserved = new ReentrantLock();
    /** Pools with a reservation of ours, or perhaps with one: a program was killed. Guarded by {@link #reserved}. */
    private final Set<String> unreleased = new HashSet<>();

    ThinMetadata(LvmCommands commands) {
        this.commands = commands;
    }

    private interface Question {
        CommandStream ask() throws ProviderException;
    }

    /** @param sizeBytes where ranges end */
    ChangedRanges changed(LogicalVolume pool, int older, int newer, long sizeBytes) throws ProviderException {
        return ask("thin_delta", pool, sizeBytes, () -> commands.delta(pool.name(), older, newer));
    }

    ChangedRanges mapped(LogicalVolume pool, int device, long sizeBytes) throws ProviderException {
        return ask("thin_dump", pool, sizeBytes, () -> commands.dump(pool.name(), device));
    }

    /** What a process that was killed has left reserved; does nothing where nothing is. */
    void release(String pool) throws ProviderException {
        if (!LvmFailures.killed(commands.message(pool, "release_metadata_snap"))) {
            unreleased.remove(pool);
        }
    }

    /** The pool's numbers of its thin volumes. */
    Set<Integer> devices(String pool) throws ProviderException {
        reserved.lock();
        try {
            reserve(pool);
            try {
                return commands.devices(pool)
                        .lines()
                        .map(line -> Integer.valueOf(line.strip()))
                        .collect(Collectors.toUnmodifiableSet());
            } catch (NumberFormatException e) {
                throw new ProviderException(
                        new ProviderError.Unexpected("thin_ls of " + pool, String.valueOf(e.getMessage())), e);
            } finally {
                release(pool);
            }
        } finally {
            reserved.unlock();
        }
    }

    private void reserve(String pool) throws ProviderException {
        if (unreleased.contains(pool)) {
            release(pool);
        }
        unreleased.add(pool);
        var outcome = commands.message(pool, "reserve_metadata_snap");
        if (!outcome.succeeded()) {
            if (!LvmFailures.killed(outcome)) {
                // It said no: what is reserved, if anything, is somebody else's.
                unreleased.remove(pool);
            }
            throw LvmFailures.of(List.of("dmsetup", "reserve_metadata_snap", pool), outcome);
        }
    }

    private ChangedRanges ask(String program, LogicalVolume pool, long sizeBytes, Question question)
            throws ProviderException {
        reserved.lock();
        try {
            reserve(pool.name());
            try (var stream = question.ask()) {
                var ranges = read(program, stream, sizeBytes);
                return new ListedRanges(program.replace('_', '-'), pool.chunkBytes(), ranges);
            } finally {
                release(pool.name());
            }
        } finally {
            reserved.unlock();
        }
    }

    private static List<BlockRange> read(String program, CommandStream stream, long sizeBytes)
            throws ProviderException {
        var ranges = new ArrayList<BlockRange>();
        String malformed = "";
        try (var xml = new ThinXml(stream.output())) {
            for (var next = xml.next(); next.isPresent(); next = xml.next()) {
                add(ranges, next.get(), sizeBytes);
            }
        } catch (XMLStreamException e) {
            // What it complained of says more, where it did.
            malformed = String.valueOf(e.getMessage());
        }
        try {
            var outcome = stream.finish();
            if (!outcome.succeeded() || !malformed.isEmpty()) {
                throw new ProviderException(
                        new ProviderError.Unexpected(program, outcome.evidence() + " " + malformed));
            }
            return ranges;
        } catch (CommandException e) {
            throw LvmFailures.of(program, e);
        }
    }

    private static void add(List<BlockRange> ranges, BlockRange range, long sizeBytes) {
        long end = Math.min(range.endBytes(), sizeBytes);
        if (range.offsetBytes() >= end) {
            return;
        }
        boolean joins = !ranges.isEmpty()
                && (ranges.getLast().endBytes() == range.offsetBytes() || ranges.size() == RANGES_MAXIMUM);
        long from = joins ? ranges.removeLast().offsetBytes() : range.offsetBytes();
        ranges.add(new BlockRange(from, end - from));
    }
}
