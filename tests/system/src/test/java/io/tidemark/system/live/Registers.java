package io.tidemark.system.live;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;

/**
 * Blocks that are registers: each of several clients writes its own, numbers that only grow, and reads them between. What
 * a block may hold is the last number that was answered, or one that was sent after it.
 */
final class Registers implements AutoCloseable {
    private static final int BLOCK = 4_096;
    private static final int WRITERS = 6;
    private static final int BLOCKS_EACH = 24;
    private static final int FLUSH_EVERY = 16;
    private static final long PAUSE_MILLIS = 50;

    private final long volumeBytes;
    private final ConcurrentMap<Long, Register> registers = new ConcurrentHashMap<>();
    private final List<Thread> threads = new ArrayList<>();
    private final AtomicBoolean isEnding = new AtomicBoolean();
    private final AtomicReference<AssertionError> wrong = new AtomicReference<>();
    private final AtomicLong answered = new AtomicLong();
    private final Random random;
    private volatile Clients clients;

    /** Whoever is primary now. */
    interface Clients {
        NbdClient connect() throws IOException;
    }

    /** @param sent the newest that was sent, {@code known} the newest that is there for sure */
    private record Register(long known, long sent) {}

    Registers(long volumeBytes, Random random, Clients clients) {
        this.volumeBytes = volumeBytes;
        this.random = random;
        this.clients = clients;
        for (int writer = 0; writer < WRITERS; writer++) {
            var mine = own(writer);
            long seed = random.nextLong();
            threads.add(
                    Thread.ofPlatform().name("register-writer-" + writer).start(() -> write(mine, new Random(seed))));
        }
    }

    private List<Long> own(int writer) {
        var mine = new ArrayList<Long>();
        long blocks = volumeBytes / BLOCK / WRITERS;
        for (int count = 0; count < BLOCKS_EACH; count++) {
            long offset = (random.nextLong(blocks) * WRITERS + writer) * BLOCK;
            if (registers.putIfAbsent(offset, new Register(0, 0)) == null) {
                mine.add(offset);
            }
        }
        return mine;
    }

    /** From now on clients connect so. */
    void at(Clients primary) {
        clients = primary;
    }

    long answered() {
        return answered.get();
    }

    private void write(List<Long> mine, Random own) {
        while (!isEnding.get()) {
            try (var client = clients.connect()) {
                for (int count = 0; !isEnding.get(); count++) {
                    long offset = mine.get(own.nextInt(mine.size()));
                    one(client, offset);
                    if (count % FLUSH_EVERY == 0) {
                        client.flush();
                    }
                }
            } catch (IOException e) {
                // Nobody is primary now, or it has just died: what was sent may be there.
                pause();
            } catch (AssertionError e) {
                wrong.compareAndSet(null, e);
                return;
            }
        }
    }

    private void one(NbdClient client, long offset) throws IOException {
        check(offset, client.read(offset, BLOCK), "read by its writer");
        var register = registers.getOrDefault(offset, new Register(0, 0));
        long next = register.sent() + 1;
        registers.put(offset, new Register(register.known(), next));
        client.write(offset, content(offset, next));
        registers.put(offset, new Register(next, next));
        answered.incrementAndGet();
    }

    private static void pause() {
        try {
            Thread.sleep(PAUSE_MILLIS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private static byte[] content(long offset, long number) {
        var bytes = ByteBuffer.allocate(BLOCK);
        while (bytes.hasRemaining()) {
            bytes.putLong(number == 0 ? 0 : offset ^ number << 24);
        }
        return bytes.array();
    }

    private void check(long offset, byte[] bytes, String what) {
        var register = registers.getOrDefault(offset, new Register(0, 0));
        for (long number = register.known(); number <= register.sent(); number++) {
            if (Arrays.equals(bytes, content(offset, number))) {
                registers.put(offset, new Register(number, register.sent()));
                return;
            }
        }
        throw new AssertionError("%s: the block at %d is not %d to %d but begins with %x"
                .formatted(
                        what,
                        offset,
                        register.known(),
                        register.sent(),
                        ByteBuffer.wrap(bytes).getLong()));
    }

    /** Ends the writers, and looks at every register. */
    void endAndCheck(byte[] volume) throws InterruptedException {
        close();
        var found = wrong.get();
        if (found != null) {
            throw found;
        }
        registers
                .keySet()
                .forEach(offset -> check(
                        offset, Arrays.copyOfRange(volume, (int) (long) offset, (int) (offset + BLOCK)), "at the end"));
        assertThat(answered.get()).isPositive();
    }

    /** What the writers have found wrong so far. */
    void checkSoFar() {
        var found = wrong.get();
        if (found != null) {
            throw found;
        }
    }

    @Override
    public void close() throws InterruptedException {
        isEnding.set(true);
        for (var thread : threads) {
            thread.join();
        }
    }
}
