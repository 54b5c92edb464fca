package io.tidemark.live;

import io.tidemark.export.ExportImage;
import io.tidemark.nativeblock.BlockKernel;
import io.tidemark.replication.live.Bytes;
import io.tidemark.replication.live.Chosen;
import io.tidemark.replication.live.Generation;
import io.tidemark.replication.live.Lease;
import io.tidemark.replication.live.LiveCopy;
import io.tidemark.replication.live.LiveEffect;
import io.tidemark.replication.live.LiveEvent;
import io.tidemark.replication.live.LiveFigures;
import io.tidemark.replication.live.LiveSettings;
import io.tidemark.replication.live.LiveStatus;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Drives one {@link LiveCopy}: what happens goes into it under one lock, what is to be done is done outside of it, by the
 * thread whose event asked for it, or by one of the volume's own where that thread must not wait for a disk.
 */
final class LiveVolume implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(LiveVolume.class);
    private static final Duration TICK = Duration.ofSeconds(1);
    /** While a resync runs, which keeps to a rate. */
    private static final Duration TICK_OF_RESYNC = Duration.ofMillis(100);

    private static final int TOLD_AT_ONCE = 16;

    private final String name;
    private final Parts parts;
    private final LiveCopy copy;
    private final DiskWork work;
    private final Thread ticker;

    /** Guards the copy and all below. */
    private final ReentrantLock lock = new ReentrantLock();

    private final Requests requests = new Requests();
    private Optional<LiveSession> session = Optional.empty();
    private long sessions;
    /** Changed under the lock. */
    private volatile boolean isClosed;

    private volatile boolean isFailed;
    private volatile LiveStatus status;
    private final CountDownLatch closed = new CountDownLatch(1);

    /**
     * What a copy works with.
     *
     * @param disk of this alone; closed with the volume
     * @param keep makes a snapshot of the volume, which nobody writes meanwhile
     * @param changed told of each change
     * @param chosen by a person, when the two were written apart
     */
    record Parts(
            LiveSettings settings,
            ExportImage disk,
            MetadataFile metadata,
            Keeping keep,
            Consumer<LiveStatus> changed,
            BlockKernel kernel,
            LongSupplier nanos,
            LongSupplier random,
            LongSupplier wallMillis,
            Chosen chosen) {}

    /** Keeps the volume as it is, before it is overwritten. */
    interface Keeping {
        /**
         * Returns once it is kept, or where its storage keeps nothing.
         *
         * @param isGivenUp it is to stay
         */
        void keep(boolean isGivenUp) throws IOException, InterruptedException;
    }

    private LiveVolume(String name, Parts parts) throws IOException {
        this.name = name;
        this.parts = parts;
        copy = new LiveCopy(
                parts.settings(),
                parts.metadata().start().with(parts.chosen()),
                () -> new Generation(parts.random().getAsLong() | 1),
                parts.wallMillis());
        status = copy.status();
        work = new DiskWork(name, parts, event -> take(List.of(event)));
        ticker = Thread.ofPlatform().name("tidemark-live-tick").daemon().unstarted(this::tick);
    }

    /** Closes the parts where it fails. */
    static LiveVolume start(String name, Parts parts) throws IOException {
        LiveVolume made = null;
        try {
            made = new LiveVolume(name, parts);
            made.ticker.start();
            return made;
        } finally {
            if (made == null) {
                parts.disk().close();
                parts.metadata().close();
            }
        }
    }

    LiveStatus status() {
        return status;
    }

    /** By a mistake of this program: it answers nothing any more. */
    boolean isFailed() {
        return isFailed;
    }

    long sizeBytes() {
        return parts.settings().sizeBytes();
    }

    ExportImage disk() {
        return parts.disk();
    }

    /** While they are connected. */
    Optional<String> peerAddress() {
        return locked(() -> session.map(LiveSession::peerAddress));
    }

    LiveFigures figures() {
        return locked(copy::figures);
    }

    private interface Asked<T> {
        T get();
    }

    private <T> T locked(Asked<T> asked) {
        lock.lock();
        try {
            return asked.get();
        } finally {
            lock.unlock();
        }
    }

    private void tick() {
        try {
            while (!closed.await(untilTick().toMillis(), TimeUnit.MILLISECONDS)) {
                locked(() -> session).ifPresent(LiveSession::check);
                take(List.of(new LiveEvent.Tick()));
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private Duration untilTick() {
        return status.replication() == LiveStatus.ReplicationState.SYNC_SOURCE ? TICK_OF_RESYNC : TICK;
    }

    /** Serves a session to its end; one before is ended. */
    void serve(Function<Long, LiveSession> begun) {
        var session = begun(begun);
        if (session == null) {
            return;
        }
        try {
            session.run(messages -> take(messages.stream()
                    .<LiveEvent>map(message -> new LiveEvent.Arrived(session.number(), message))
                    .toList()));
        } finally {
            takeWith(() -> {
                if (this.session.equals(Optional.of(session))) {
                    this.session = Optional.empty();
                }
                return List.of(new LiveEvent.Lost(session.number()));
            });
        }
    }

    /** Null where this is closed. */
    private @Nullable LiveSession begun(Function<Long, LiveSession> begun) {
        var next = new AtomicReference<@Nullable LiveSession>();
        takeWith(() -> {
            session.ifPresent(before -> before.end("another connection has taken its place"));
            var mine = begun.apply(++sessions);
            next.set(mine);
            session = Optional.of(mine);
            return List.of(new LiveEvent.Connected(mine.number()));
        });
        return next.get();
    }

    /** @throws IOException where the copy refuses, or was closed */
    Bytes read(long offset, int length) throws IOException {
        return asked(request -> new LiveEvent.Read(request, offset, length)).orElseThrow();
    }

    /** Writes of more than one message's data go as several; the write has ended once all have. */
    void write(long offset, Bytes data, int partMaximum) throws IOException {
        var parts = new ArrayList<CompletableFuture<Optional<Bytes>>>();
        for (int from = 0; from < data.length(); from += partMaximum) {
            int length = Math.min(partMaximum, data.length() - from);
            long at = offset + from;
            var part = data.slice(from, length);
            parts.add(ask(request -> new LiveEvent.Write(request, at, length, part, false)));
        }
        for (var part : parts) {
            Requests.await(part);
        }
    }

    /** A request, and who waits for its end. */
    record Ask(Function<Long, LiveEvent> event, Requests.Waiting waiting) {}

    /** Several requests at once, of which nobody here awaits the end. */
    void begin(List<Ask> asked) {
        boolean isTaken = takeWith(() -> asked.stream()
                .map(each -> each.event().apply(requests.add(each.waiting())))
                .toList());
        if (!isTaken) {
            locked(() -> {
                        asked.forEach(each -> requests.refused(requests.add(each.waiting()), why()));
                        return requests.toTell();
                    })
                    .forEach(Runnable::run);
        }
    }

    void flush() throws IOException {
        asked(LiveEvent.Flush::new);
    }

    /**
     * Makes this copy primary.
     *
     * @param isForced though the peer is not there, and may be newer
     * @throws IOException where it may not be; the message says why
     * @throws TimeoutException where it is not within the limit; it is demoted should it become primary yet
     */
    void promote(boolean isForced, Duration limit) throws IOException, TimeoutException {
        var asked = ask(request -> new LiveEvent.Promote(request, Lease.NONE, isForced));
        try {
            asked.get(limit.toNanos(), TimeUnit.NANOSECONDS);
        } catch (TimeoutException e) {
            var unused = asked.thenRunAsync(
                    () -> takeWith(() -> List.of(new LiveEvent.Demote(requests.unanswered(), true))), work.workers());
            throw e;
        } catch (ExecutionException | InterruptedException e) {
            throw Requests.failed(e);
        }
    }

    /** @throws TimeoutException where requests are under way that do not end; it is demoted once they have */
    void demote(boolean isForced, Duration limit) throws IOException, TimeoutException {
        try {
            ask(request -> new LiveEvent.Demote(request, isForced)).get(limit.toNanos(), TimeUnit.NANOSECONDS);
        } catch (ExecutionException | InterruptedException e) {
            throw Requests.failed(e);
        }
    }

    /** Of two that were written apart: whether this copy's content is the one that stays. */
    void resolve(boolean isKept) throws IOException {
        asked(request -> new LiveEvent.Resolve(request, isKept));
    }

    /**
     * Returns once it has begun: keeping the content takes as long as its storage does, and then the peer has to be met.
     *
     * @param isPeers asked at the primary, of its peer's content
     * @throws IOException where the copy refuses; what it refuses later is told by the log
     */
    void invalidate(boolean isPeers) throws IOException {
        var asked = ask(request -> new LiveEvent.Invalidate(request, isPeers));
        if (asked.isDone()) {
            Requests.await(asked);
            return;
        }
        var unused = asked.whenComplete((done, refused) -> {
            if (refused != null) {
                LOG.warn("live.not_invalidated copy={} reason=\"{}\"", name, refused.getMessage());
            }
        });
    }

    /** Replicates in another way from here on; the session ends. */
    void change(LiveSettings settings) throws IOException {
        asked(request -> new LiveEvent.Change(request, settings));
    }

    /** Returns once it has begun, or been stopped. */
    void verify(boolean isStopped) throws IOException {
        asked(isStopped ? LiveEvent.StopVerify::new : LiveEvent.Verify::new);
    }

    /** Ends the session, where there is one. */
    void reconnect() {
        locked(() -> session).ifPresent(each -> each.end("somebody has asked for another"));
    }

    private Optional<Bytes> asked(Function<Long, LiveEvent> event) throws IOException {
        return Requests.await(ask(event));
    }

    private CompletableFuture<Optional<Bytes>> ask(Function<Long, LiveEvent> event) {
        var answer = new CompletableFuture<Optional<Bytes>>();
        takeWith(() -> List.of(event.apply(requests.add(Requests.of(answer)))));
        if (locked(() -> isClosed)) {
            answer.completeExceptionally(new IOException(why()));
        }
        return answer;
    }

    private String why() {
        return "live copy %s is closed".formatted(name);
    }

    private void take(List<LiveEvent> events) {
        takeWith(() -> events);
    }

    /**
     * @param first told under the lock, and not at all once this is closed
     * @return whether it was told
     */
    private boolean takeWith(Asked<List<LiveEvent>> first) {
        var todo = new ArrayDeque<LiveEffect>();
        List<Runnable> toTell;
        lock.lock();
        try {
            if (isClosed) {
                return false;
            }
            into(first.get(), todo);
            toTell = requests.toTell();
        } finally {
            lock.unlock();
        }
        toTell.forEach(Runnable::run);
        var events = new ArrayList<LiveEvent>();
        while (!todo.isEmpty() && !isClosed) {
            work.carryOut(todo.removeFirst(), events);
            // Many at once, but whoever waits for the first does not wait for the last.
            if (!events.isEmpty() && (todo.isEmpty() || events.size() == TOLD_AT_ONCE)) {
                locked(() -> {
                            into(events, todo);
                            return requests.toTell();
                        })
                        .forEach(Runnable::run);
                events.clear();
            }
        }
        return true;
    }

    /** What needs no disk is done at once, in order. */
    private void into(List<LiveEvent> events, Deque<LiveEffect> todo) {
        if (isClosed) {
            return;
        }
        try {
            var effects = copy.on(events, parts.nanos().getAsLong());
            // Before any answer: whoever has it looks at the status next.
            for (var effect : effects) {
                if (effect instanceof LiveEffect.Report report) {
                    changed(report.status());
                }
            }
            for (var effect : effects) {
                atOnce(effect, todo);
            }
        } catch (RuntimeException | Error e) {
            // A mistake of ours, or no memory in the middle of a change: nothing that this copy says from here on could
            // be relied upon.
            LOG.error(
                    "live.failed copy={} event={}",
                    name,
                    events.isEmpty() ? "none" : events.getLast().getClass().getSimpleName(),
                    e);
            fail("a mistake of this program, or its limits: " + e);
        }
    }

    private void atOnce(LiveEffect effect, Deque<LiveEffect> todo) {
        switch (effect) {
            case LiveEffect.Send send -> sessionOf(send.session()).ifPresent(each -> each.send(send.message()));
            case LiveEffect.Disconnect gone -> sessionOf(gone.session()).ifPresent(each -> each.leave(gone.why()));
            case LiveEffect.Answer answer -> requests.answered(answer.request(), Optional.empty());
            case LiveEffect.AnswerRead answer ->
                requests.answered(answer.request(), Optional.of((Bytes) answer.data()));
            case LiveEffect.Refuse refused -> requests.refused(refused.request(), refused.why());
            case LiveEffect.Report report -> {}
            default -> todo.add(effect);
        }
    }

    private Optional<LiveSession> sessionOf(long number) {
        return session.filter(each -> each.number() == number);
    }

    private void changed(LiveStatus now) {
        status = now;
        parts.changed().accept(now);
    }

    private void fail(String why) {
        isClosed = true;
        isFailed = true;
        status = new LiveStatus(
                LiveStatus.Role.SECONDARY,
                LiveStatus.DiskState.FAILED,
                LiveStatus.ReplicationState.OFF,
                status.dirtyBlocks(),
                Optional.of(why),
                Optional.empty());
        parts.changed().accept(status);
        session.ifPresent(each -> each.end(why));
        requests.refuseAll(why);
    }

    /** Ends the session and all requests; what the copy was about to do is what a crash would find. */
    @Override
    public void close() throws IOException {
        locked(() -> {
                    isClosed = true;
                    requests.refuseAll(why());
                    session.ifPresent(each -> each.end("this side stops"));
                    return requests.toTell();
                })
                .forEach(Runnable::run);
        closed.countDown();
        work.close();
        try (var disk = parts.disk();
                var metadata = parts.metadata()) {
            LOG.info("live.closed copy={}", name);
        }
    }
}
