package io.tidemark.provider.btrfs;

import io.tidemark.nativeblock.HostCalls;
import io.tidemark.nativeblock.HostCalls.Lineage;
import io.tidemark.provider.commands.CommandException;
import io.tidemark.provider.commands.CommandStream;
import io.tidemark.provider.commands.Outcome;
import io.tidemark.provider.devices.DurableFiles;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.Snapshot;
import io.tidemark.spi.SnapshotId;
import io.tidemark.spi.SnapshotStreams.Incoming;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.Optional;
import java.util.UUID;

/**
 * A stream on its way in: {@code btrfs receive} makes a subvolume of it in a folder of its own, and a read-only snapshot
 * of that, which one transaction makes with its name, is what was received. Guarded by itself, but for the program.
 */
final class Receiving implements Incoming, StreamFilter.Target {
    /** Commands that are handed over at once: some hundred small ones, or one with data. */
    private static final int HANDED_BYTES = 1 << 17;

    private final SnapshotId newer;
    private final Optional<Older> older;
    private final ReceiveFolder folder;
    private final Place place;
    private final HostCalls host;
    private final StreamFilter filter = new StreamFilter(this);
    private final ByteArrayOutputStream waiting = new ByteArrayOutputStream();
    private volatile Optional<CommandStream> program = Optional.empty();
    private volatile boolean closed;
    private boolean removed;

    /** What the stream has to build upon. */
    record Older(SnapshotId id, Path path, Lineage lineage) {
        @Override
        public String toString() {
            return "%s (%s)".formatted(lineage.streamId(), id);
        }
    }

    /** What happens outside of the folder. */
    interface Place {
        /** Highest version of a stream. */
        int understands() throws ProviderException;

        CommandStream program(Path confinedTo) throws ProviderException;

        /** Gives what was received its name. */
        Snapshot publish(Path received) throws ProviderException, IOException;

        /** Called once or more often. */
        void closed();
    }

    Receiving(SnapshotId newer, Optional<Older> older, ReceiveFolder folder, Place place, HostCalls host) {
        this.newer = newer;
        this.older = older;
        this.folder = folder;
        this.place = place;
        this.host = host;
    }

    @Override
    public synchronized void write(ByteBuffer from) throws ProviderException {
        requireOpen();
        boolean taken = false;
        try {
            filter.take(from);
            handOver();
            taken = true;
        } catch (IOException e) {
            throw BtrfsErrors.corrupt(subject(), String.valueOf(e.getMessage()));
        } finally {
            if (!taken) {
                close();
            }
        }
    }

    private String subject() {
        return "stream of " + newer;
    }

    private void requireOpen() throws ProviderException {
        if (closed) {
            throw BtrfsErrors.conflict(subject(), "it was closed. Begin again");
        }
    }

    @Override
    public Optional<UUID> start(StreamFilter.Start start) throws ProviderException {
        var expected = older.map(each -> each.lineage().streamId());
        if (!start.older().equals(expected)) {
            throw BtrfsErrors.corrupt(
                    subject(),
                    "it builds upon %s, and should upon %s"
                            .formatted(
                                    start.older().map(UUID::toString).orElse("nothing"),
                                    older.map(Older::toString).orElse("nothing")));
        }
        int understood = place.understands();
        if (start.version() > understood) {
            throw BtrfsErrors.conflict(
                    subject(),
                    "it is of version %d, and the program btrfs here takes up to %d. Install %s 6.0 or newer"
                            .formatted(start.version(), understood, StreamProgram.PACKAGE));
        }
        try {
            folder.make();
            Optional<UUID> base =
                    older.isPresent() ? Optional.of(folder.makeBase(older.get().path())) : Optional.empty();
            var started = place.program(folder.root());
            program = Optional.of(started);
            if (closed) {
                // By another thread, which did not see it.
                started.close();
            }
            return base;
        } catch (IOException e) {
            throw BtrfsErrors.of("receiving " + newer, folder.root(), e);
        }
    }

    @Override
    public void pass(byte[] bytes) throws ProviderException {
        waiting.writeBytes(bytes);
        if (waiting.size() >= HANDED_BYTES) {
            handOver();
        }
    }

    private void handOver() throws ProviderException {
        if (waiting.size() == 0) {
            return;
        }
        try {
            program.orElseThrow().write(waiting.toByteArray(), 0, waiting.size());
            waiting.reset();
        } catch (IOException e) {
            // It has ended before its input did; its end says why.
            var outcome = end();
            throw BtrfsErrors.ofReceiving(subject(), folder.root(), outcome);
        }
    }

    private Outcome end() throws ProviderException {
        try {
            return program.orElseThrow().finish();
        } catch (CommandException e) {
            throw BtrfsErrors.of("btrfs receive", e);
        }
    }

    @Override
    public synchronized Snapshot finish() throws ProviderException {
        requireOpen();
        try {
            if (!filter.ended()) {
                // The program takes an early end between two commands for an end, and so would make a snapshot of it.
                throw BtrfsErrors.corrupt(subject(), "it ends early");
            }
            var outcome = end();
            if (!outcome.succeeded()) {
                throw BtrfsErrors.ofReceiving(subject(), folder.root(), outcome);
            }
            verify();
            return place.publish(folder.received());
        } catch (IOException e) {
            throw BtrfsErrors.of("receiving " + newer, folder.root(), e);
        } finally {
            close();
        }
    }

    /** Whether it is what the stream has announced. */
    private void verify() throws ProviderException, IOException {
        var start = filter.start().orElseThrow();
        var received = host.btrfsSubvolume(folder.received());
        var parent =
                older.isPresent() ? host.btrfsSubvolume(folder.base()).lineage().uuid() : Lineage.NONE;
        var lineage = received.lineage();
        if (!received.readOnly()
                || !lineage.received().equals(start.newer())
                || lineage.sentIn() != start.newerTransaction()
                || !lineage.parent().equals(parent)) {
            throw BtrfsErrors.corrupt(
                    subject(),
                    "what came of it is no copy of %s in transaction %d, upon %s: %s"
                            .formatted(start.newer(), start.newerTransaction(), parent, received));
        }
    }

    /** What cannot be removed now is by the next try or the next start. */
    @Override
    public void close() {
        closed = true;
        program.ifPresent(CommandStream::close);
        remove();
        place.closed();
    }

    private synchronized void remove() {
        if (removed || !DurableFiles.exists(folder.root())) {
            return;
        }
        removed = true;
        folder.discard();
    }
}
