package io.tidemark.replication.live;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;

/** Flushes of the primary's own disk: one at a time, and what is written meanwhile is in the next one together. */
final class FlushPath {
    private final Desk desk;
    private List<WritePart> written = new ArrayList<>();
    private List<WritePart> flushing = new ArrayList<>();
    private final List<Asked> asked = new ArrayList<>();
    private boolean isWanted;
    private long work;
    private long started;
    private long finished;

    /**
     * A client's flush.
     *
     * @param flush the one of the own disk that it waits for
     * @param number that the peer has to have received; 0: none
     */
    private record Asked(long request, long flush, long number) {}

    FlushPath(Desk desk) {
        this.desk = desk;
    }

    boolean hasRoom() {
        return asked.size() < LiveSettings.REQUESTS_MAXIMUM;
    }

    boolean isIdle() {
        return asked.isEmpty() && written.isEmpty() && started == finished;
    }

    void written(WritePart part) {
        written.add(part);
        isWanted |= part.isForced;
    }

    /** What is written is made durable soon, if there is any. */
    void want() {
        if (!written.isEmpty()) {
            mustCome();
        }
    }

    private void mustCome() {
        if (!isWanted) {
            isWanted = true;
            desk.moved(1);
        }
    }

    /**
     * Asks for a flush that has what is written by now.
     *
     * @return to be asked {@link #isDone} of
     */
    long ask() {
        mustCome();
        return started + 1;
    }

    boolean isDone(long flush) {
        return finished >= flush;
    }

    void flush(long request, long number) {
        asked.add(new Asked(request, ask(), number));
    }

    void advance(long receivedUpTo) {
        if (isWanted && started == finished) {
            isWanted = false;
            started++;
            work = desk.nextWork();
            flushing = written;
            written = new ArrayList<>();
            desk.emit(new LiveEffect.FlushVolume(work));
        }
        asked.removeIf(each -> {
            boolean isReady = isDone(each.flush())
                    && each.number() <= receivedUpTo
                    && (desk.isReplicating() || desk.metadata.areGenerationsDurable());
            if (isReady) {
                desk.emit(new LiveEffect.Answer(each.request()));
            }
            return isReady;
        });
    }

    /** @return the writes that are durable by it; empty where it was another's flush */
    Optional<List<WritePart>> flushed(long ended) {
        if (started == finished || ended != work) {
            return Optional.empty();
        }
        finished = started;
        var done = flushing;
        flushing = new ArrayList<>();
        done.forEach(part -> part.isDurable = true);
        return Optional.of(done);
    }

    /** The peer is gone: nothing waits for it any more. */
    void lost() {
        asked.replaceAll(each -> new Asked(each.request(), each.flush(), 0));
    }

    /** What was written under a protocol that answers before it is durable is to be so soon. */
    void forceAll() {
        writtenParts(part -> part.isForced = true);
        mustCome();
    }

    /** Those that are written and not durable. */
    void writtenParts(Consumer<WritePart> told) {
        written.forEach(told);
        flushing.forEach(told);
    }

    void refuseAll(String why) {
        asked.forEach(each -> desk.emit(new LiveEffect.Refuse(each.request(), why)));
        asked.clear();
    }
}
