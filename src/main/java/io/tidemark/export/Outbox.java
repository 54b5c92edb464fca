package io.tidemark.export;

import io.tidemark.export.protocol.ReplyEncoder;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.List;
import java.util.concurrent.locks.ReentrantLock;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Answers on their way to one client: whoever has one puts it in and goes on, and all that are in it leave together. */
final class Outbox implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Outbox.class);

    private final Wire wire;
    private final ByteBuffer out;
    /** Keeps answers whole; guards {@code out}. */
    private final ReentrantLock sending = new ReentrantLock();
    /** Guarded by this object's monitor, as what follows is. */
    private final ArrayDeque<Answer> waiting = new ArrayDeque<>();

    private boolean isWanted;
    private boolean isBroken;
    private boolean isEnded;

    /** There are as many as requests under way. */
    interface Answer {
        /** @param out has {@code ReplyEncoder.ANSWER_BYTES_MAXIMUM} free */
        void put(ByteBuffer out);

        /** Bytes that follow; good once {@link #put} was called. */
        ByteBuffer data();

        /** It was sent, or the client is gone. */
        void left();
    }

    /**
     * @param out empty, with room for several answers; this object's alone
     */
    Outbox(Wire wire, ByteBuffer out) {
        this.wire = wire;
        this.out = out;
        Thread.ofVirtual().name("tidemark-export-answers").start(this::sendAsWanted);
    }

    /** Never waits. */
    void add(Answer answer) {
        synchronized (this) {
            if (!isBroken) {
                waiting.add(answer);
                return;
            }
        }
        answer.left();
    }

    /** Never waits. */
    synchronized void sendSoon() {
        isWanted = true;
        notifyAll();
    }

    /**
     * Sends all that is in it; waits for the client to take it.
     *
     * @throws IOException where the client is gone: what is put in from now on has left
     */
    void send() throws IOException {
        boolean isSent = false;
        sending.lock();
        try {
            for (var answers = taken(); !answers.isEmpty(); answers = taken()) {
                send(answers);
            }
            isSent = true;
        } finally {
            sending.unlock();
            if (!isSent) {
                giveUp();
            }
        }
    }

    private synchronized List<Answer> taken() {
        var all = List.copyOf(waiting);
        waiting.clear();
        return all;
    }

    private void send(List<Answer> answers) throws IOException {
        try {
            for (var answer : answers) {
                room(ReplyEncoder.ANSWER_BYTES_MAXIMUM);
                answer.put(out);
                var data = answer.data();
                if (data.remaining() <= out.capacity()) {
                    room(data.remaining());
                    out.put(data);
                } else {
                    flush();
                    wire.write(data);
                }
            }
            flush();
        } finally {
            out.clear();
            answers.forEach(Answer::left);
        }
    }

    private void room(int bytes) throws IOException {
        if (out.remaining() < bytes) {
            flush();
        }
    }

    private void flush() throws IOException {
        out.flip();
        if (out.hasRemaining()) {
            wire.write(out);
        }
        out.clear();
    }

    /** Whoever reads the client's requests finds its connection closed. */
    private void giveUp() {
        List<Answer> rest;
        synchronized (this) {
            isBroken = true;
            rest = taken();
        }
        wire.close();
        rest.forEach(Answer::left);
    }

    private void sendAsWanted() {
        try {
            while (awaitWanted()) {
                send();
            }
        } catch (IOException e) {
            LOG.debug("export.answers_ended reason=\"{}\"", e.getMessage());
        } catch (RuntimeException | Error e) {
            LOG.error("export.connection_failed", e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private synchronized boolean awaitWanted() throws InterruptedException {
        while (!isWanted && !isEnded) {
            wait();
        }
        isWanted = false;
        return !isEnded;
    }

    @Override
    public synchronized void close() {
        isEnded = true;
        notifyAll();
    }
}
