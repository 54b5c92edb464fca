package io.tidemark.simulation.live;

import io.tidemark.replication.live.DirtyBitmap;
import io.tidemark.replication.live.LiveEvent;
import io.tidemark.simulation.live.LiveHistory.Flushed;
import io.tidemark.simulation.live.LiveHistory.Written;
import java.util.HashMap;
import java.util.Map;

/** Applications on whichever host is primary: they write, flush and read, several at once, and on the same blocks. */
final class LiveClients {
    private static final int OPEN_MAXIMUM = 6;
    private static final long PAUSE_MAXIMUM = 8_000;
    /** Few, so that the same are met again. */
    private static final int[] PLACES = {0, 1, 2, 1_022, 1_023};

    private final LiveWorld world;
    private final LiveChecks checks;
    private final Map<Long, Open> open = new HashMap<>();
    private long requests;

    /** What has been asked for and not been answered. */
    private sealed interface Open {
        int host();

        record Write(int host, Written write) implements Open {}

        record Flush(int host, long promotion, long begun) implements Open {}

        record Read(int host, long promotion, long block, long begun) implements Open {}
    }

    LiveClients(LiveWorld world, LiveChecks checks) {
        this.world = world;
        this.checks = checks;
    }

    void begin() {
        world.at(world.now() + world.random().nextLong(PAUSE_MAXIMUM), () -> {
            if (!world.isAtRest()) {
                world.hosts().stream()
                        .filter(LiveHost::isPrimary)
                        .filter(host -> open.values().stream()
                                        .filter(each -> each.host() == host.side())
                                        .count()
                                < OPEN_MAXIMUM)
                        .forEach(this::ask);
                begin();
            }
        });
    }

    private void ask(LiveHost host) {
        var random = world.random();
        long request = ++requests;
        int extent = random.nextInt(random.nextBoolean() ? 3 : LiveWorld.EXTENTS);
        long block = (long) extent * LiveWorld.EXTENT_BLOCKS + PLACES[random.nextInt(PLACES.length)];
        switch (random.nextInt(8)) {
            case 0, 1 -> {
                open.put(request, new Open.Read(host.side(), host.promotion(), block, world.now()));
                host.take(new LiveEvent.Read(request, block * DirtyBitmap.BLOCK_BYTES, DirtyBitmap.BLOCK_BYTES));
            }
            case 2 -> {
                open.put(request, new Open.Flush(host.side(), host.promotion(), world.now()));
                host.take(new LiveEvent.Flush(request));
            }
            default -> {
                long last = LiveWorld.SIZE_BYTES / DirtyBitmap.BLOCK_BYTES;
                int blocks = (int) Math.min(1 + random.nextInt(3), last - block);
                boolean isForced = random.nextInt(6) == 0;
                var write = checks.history().begin(host, block, blocks, isForced, world.now());
                open.put(request, new Open.Write(host.side(), write));
                host.take(new LiveEvent.Write(
                        request,
                        block * DirtyBitmap.BLOCK_BYTES,
                        blocks * DirtyBitmap.BLOCK_BYTES,
                        Cells.of(write.number, blocks),
                        isForced));
            }
        }
    }

    void answered(LiveHost host, long request) {
        switch (open.remove(request)) {
            case Open.Write write -> checks.answered(host, write.write());
            case Open.Flush flush ->
                checks.history().flushed(new Flushed(flush.promotion(), flush.begun(), world.now()));
            case Open.Read read -> throw new IllegalStateException("a read was answered without data");
            case null -> {}
        }
    }

    void answeredRead(LiveHost host, long request, Cells data) {
        if (open.remove(request) instanceof Open.Read read) {
            checks.read(
                    host,
                    read.promotion(),
                    read.block(),
                    read.begun(),
                    data.values().getOrDefault(0, 0L));
        }
    }

    void refused(long request) {
        open.remove(request);
    }

    /** A host's process is gone, and with it all that it was asked. */
    void gone(LiveHost host) {
        open.values().removeIf(each -> each.host() == host.side());
    }

    boolean isIdle() {
        return open.isEmpty();
    }
}
