package io.tidemark.agent.remote;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.tidemark.replication.ReplicationError;
import io.tidemark.replication.ReplicationException;
import io.tidemark.replication.port.PeerConnection;
import io.tidemark.replication.protocol.Message;
import java.io.IOException;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;

/**
 * Commands and answers over one connection, several at once. Both sides say every {@link #BEAT} that they live; a side
 * that hears nothing for {@link #SILENCE} ends the connection, so that a lost host is known to be lost within {@link
 * #LOST_WITHIN}.
 */
final class AgentCalls implements AutoCloseable {
    static final Duration BEAT = Duration.ofSeconds(2);
    static final Duration SILENCE = Duration.ofSeconds(8);
    /** The silence, and the time between two looks. */
    static final Duration LOST_WITHIN = SILENCE.plus(BEAT);

    /** Commands without an answer at one time; more is a bug of the caller. */
    private static final int CALLS_MAXIMUM = 256;

    private static final long NOBODY_SENDS = Long.MAX_VALUE;

    private final PeerConnection connection;
    private final Consumer<Asked> commands;
    private final Map<Long, CompletableFuture<JsonNode>> waiting = new ConcurrentHashMap<>();
    private final AtomicLong lastCall = new AtomicLong();
    private final ReentrantLock sending = new ReentrantLock();
    private final CountDownLatch over = new CountDownLatch(1);
    private volatile long sendingSinceNanos = NOBODY_SENDS;
    private volatile long heardNanos = System.nanoTime();
    private volatile String end = "the connection was closed";

    /** A command that came, and how to answer it, once. */
    record Asked(JsonNode command, Consumer<JsonNode> answer, Consumer<AgentFailure> refuse) {}

    /** @param commands told of each command, on the receiving thread: it must not wait */
    AgentCalls(PeerConnection connection, Consumer<Asked> commands) {
        this.connection = connection;
        this.commands = commands;
        Thread.ofVirtual().name("tidemark-agent-beat").start(this::beat);
        Thread.ofVirtual().name("tidemark-agent-watch").start(this::watch);
    }

    /**
     * Receives until the connection ends, and tells why it did.
     *
     * @throws ReplicationException what the other side refuses the connection for
     */
    String run() throws ReplicationException {
        try {
            while (true) {
                var message = connection.receive();
                heardNanos = System.nanoTime();
                if (message instanceof Message.Refused(var error)) {
                    throw new ReplicationException(error);
                }
                if (message instanceof Message.Text(var json)) {
                    take(AgentJson.parse(json));
                }
            }
        } catch (ReplicationException e) {
            if (e.error() instanceof ReplicationError.PeerRefused) {
                throw e;
            }
            endWith(String.valueOf(e.getMessage()));
        } catch (IllegalArgumentException e) {
            endWith(String.valueOf(e.getMessage()));
        } finally {
            close();
        }
        return end;
    }

    private synchronized void endWith(String reason) {
        if (over.getCount() > 0) {
            end = reason;
            over.countDown();
        }
    }

    private void take(JsonNode message) {
        long id = message.path("call").asLong();
        if (message.has("command")) {
            commands.accept(new Asked(
                    message.get("command"),
                    value -> reply(answer(id).set("value", value)),
                    failure -> reply(answer(id).set("failure", AgentJson.tree(failure)))));
            return;
        }
        var call = waiting.remove(id);
        if (call == null) {
            // Whoever asked has given up since.
            return;
        }
        call.complete(message);
    }

    private static ObjectNode answer(long id) {
        return AgentJson.object().put("call", id);
    }

    private void reply(JsonNode answer) {
        try {
            send(new Message.Text(AgentJson.text(answer)));
        } catch (ReplicationException e) {
            endWith(String.valueOf(e.getMessage()));
            close();
        }
    }

    private void send(Message message) throws ReplicationException {
        sending.lock();
        try {
            sendingSinceNanos = System.nanoTime();
            connection.send(message);
        } finally {
            sendingSinceNanos = NOBODY_SENDS;
            sending.unlock();
        }
    }

    /**
     * Asks and waits for the answer.
     *
     * @throws AgentCallException with a failure that the other side names, or without one when there is no answer
     */
    <T> T call(AgentCommand command, Duration limit, Class<T> answer) throws AgentCallException {
        return AgentJson.read(ask(command, limit), answer);
    }

    /** As {@link #call}, where nothing but the answer itself is wanted. */
    void tell(AgentCommand command, Duration limit) throws AgentCallException {
        var unused = ask(command, limit);
    }

    private JsonNode ask(AgentCommand command, Duration limit) throws AgentCallException {
        if (waiting.size() >= CALLS_MAXIMUM) {
            throw new AgentCallException("%d commands wait for it already".formatted(CALLS_MAXIMUM));
        }
        long id = lastCall.incrementAndGet();
        var call = new CompletableFuture<JsonNode>();
        waiting.put(id, call);
        try {
            if (over.getCount() == 0) {
                throw new AgentCallException(end);
            }
            send(new Message.Text(AgentJson.text(answer(id).set("command", AgentJson.tree(command)))));
            var message = call.get(limit.toNanos(), TimeUnit.NANOSECONDS);
            if (message.has("failure")) {
                throw new AgentCallException(AgentJson.read(message.get("failure"), AgentFailure.class));
            }
            return message.path("value");
        } catch (ReplicationException | ExecutionException e) {
            throw new AgentCallException(over.getCount() == 0 ? end : String.valueOf(e.getMessage()));
        } catch (TimeoutException e) {
            throw new AgentCallException(
                    "no answer to %s within %d ms".formatted(command.getClass().getSimpleName(), limit.toMillis()));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new AgentCallException("interrupted while it waited for an answer");
        } finally {
            waiting.remove(id);
        }
    }

    private void beat() {
        try {
            while (!over.await(BEAT.toNanos(), TimeUnit.NANOSECONDS)) {
                send(new Message.Alive("", 0, 0));
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } catch (ReplicationException e) {
            endWith(String.valueOf(e.getMessage()));
            close();
        }
    }

    /** Nothing it does waits for the other side: it is what ends those that wait too long. */
    private void watch() {
        try {
            while (!over.await(BEAT.toNanos() / 2, TimeUnit.NANOSECONDS)) {
                long now = System.nanoTime();
                long since = sendingSinceNanos;
                boolean hangs = since != NOBODY_SENDS && now - since > SILENCE.toNanos();
                if (hangs || now - heardNanos > SILENCE.toNanos()) {
                    endWith("%s for %d ms"
                            .formatted(
                                    hangs ? "it took nothing that was sent" : "nothing was heard of it",
                                    SILENCE.toMillis()));
                    close();
                    return;
                }
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** Since when nothing was heard. */
    Duration silentFor() {
        return Duration.ofNanos(System.nanoTime() - heardNanos);
    }

    @Override
    public void close() {
        endWith("the connection was closed");
        connection.close();
        waiting.forEach((id, call) -> call.completeExceptionally(new IOException(end)));
    }
}
