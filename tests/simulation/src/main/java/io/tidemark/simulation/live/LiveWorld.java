package io.tidemark.simulation.live;

import io.tidemark.replication.live.AfterSplitBrain;
import io.tidemark.replication.live.AfterSplitBrain.NoPrimary;
import io.tidemark.replication.live.AfterSplitBrain.OnePrimary;
import io.tidemark.replication.live.Congestion;
import io.tidemark.replication.live.CopyId;
import io.tidemark.replication.live.DirtyBitmap;
import io.tidemark.replication.live.LiveEffect;
import io.tidemark.replication.live.LiveSettings;
import io.tidemark.replication.live.LiveStatus;
import io.tidemark.replication.live.Protocol;
import io.tidemark.replication.live.ResyncRate;
import io.tidemark.simulation.EventLog;
import io.tidemark.simulation.Simulator;
import io.tidemark.simulation.Violation;
import java.util.List;
import java.util.PriorityQueue;
import java.util.Random;
import java.util.function.Supplier;

/** Two copies of a volume for some seconds of a time that is counted in microseconds; all of it follows from the seed. */
public final class LiveWorld {
    static final int EXTENTS = 12;
    static final long SIZE_BYTES = (EXTENTS * 4L) << 20;
    /** Blocks of 4 KiB in an extent of the activity log. */
    static final int EXTENT_BLOCKS = 1_024;

    private static final long TROUBLE = 1_500_000;
    private static final long REST_MAXIMUM = 20_000_000;
    private static final int CALM_LOOKS = 4;
    private static final long PATIENCE = 500_000 * LiveHost.NANOS;
    private static final int EVENTS_MAXIMUM = 2_000_000;
    private static final CopyId[] IDS = {new CopyId("a"), new CopyId("b")};

    private final Random random;
    private final EventLog log;
    private final PriorityQueue<Due> due = new PriorityQueue<>();
    private final LiveNetwork network;
    private final LeaseKeeper keeper = new LeaseKeeper();
    private final LiveHost[] hosts = new LiveHost[2];
    private final LiveSettings[] settings = new LiveSettings[2];
    private final LiveChecks checks;
    private final LiveClients clients;
    private final LivePeople people;
    private final LiveOperators operators;
    private final boolean[] isKeeperCut = new boolean[2];
    private final boolean isDiskSlow;

    private long now;
    private long sequence;
    private boolean isAtRest;

    private record Due(long at, long sequence, Runnable what) implements Comparable<Due> {
        @Override
        public int compareTo(Due other) {
            return at != other.at ? Long.compare(at, other.at) : Long.compare(sequence, other.sequence);
        }
    }

    LiveWorld(long seed, EventLog log, LiveFault fault) {
        random = new Random(seed * 0x9E3779B97F4A7C15L);
        this.log = log;
        network = new LiveNetwork(this);
        var protocol = List.of(Protocol.A, Protocol.B, Protocol.C).get((int) (seed % 3));
        boolean isFenced = random.nextBoolean();
        var congestion = random.nextInt(3) == 0 ? Congestion.PULL_AHEAD : Congestion.BLOCK;
        long buffer = LiveSettings.BUFFER_MINIMUM << random.nextInt(3);
        // Of a randomness of its own: the other worlds stay what they were.
        var others = new Random(seed * 0xD1342543DE82EF95L);
        boolean isComparing = others.nextInt(3) == 0;
        var rate = others.nextInt(6) > 0
                ? ResyncRate.NONE
                : new ResyncRate(1L << (14 + others.nextInt(8)), 300_000_000L, 24 << 20, 96 << 20);
        var afterSplitBrain = policy(new Random(seed * 0xD1342543DE82EF95L + 2));
        int slots = 7 + random.nextInt(6);
        isDiskSlow = random.nextInt(4) == 0;
        for (int side = 0; side < 2; side++) {
            settings[side] = new LiveSettings(
                    IDS[side],
                    IDS[1 - side],
                    SIZE_BYTES,
                    protocol,
                    congestion,
                    buffer,
                    slots,
                    random.nextInt(4) == 0 ? 4_096 : 64,
                    1 + random.nextInt(4),
                    PATIENCE,
                    isFenced,
                    isComparing,
                    rate,
                    afterSplitBrain);
            hosts[side] = new LiveHost(this, side, settings[side], fault);
        }
        checks = new LiveChecks(this);
        clients = new LiveClients(this, checks);
        people = new LivePeople(this, checks, clients);
        operators = new LiveOperators(this, checks, seed);
    }

    /** In half of the worlds a person chooses. */
    private static AfterSplitBrain policy(Random random) {
        if (random.nextBoolean()) {
            return AfterSplitBrain.DISCONNECT;
        }
        var noPrimary = List.of(NoPrimary.values()).get(random.nextInt(4));
        var onePrimary = List.of(OnePrimary.values()).get(random.nextInt(2));
        return new AfterSplitBrain(noPrimary, onePrimary);
    }

    /** Worlds whose copies are driven as they should be. */
    public static Simulator.Worlds worlds() {
        return of(() -> LiveFault.NONE);
    }

    static Simulator.Worlds of(Supplier<LiveFault> fault) {
        return new Simulator.Worlds() {
            @Override
            public void run(long seed, EventLog log) {
                new LiveWorld(seed, log, fault.get()).run();
            }

            @Override
            public String options() {
                return "--live ";
            }
        };
    }

    void run() {
        for (var host : hosts) {
            host.start();
        }
        network.connect();
        people.begin();
        operators.begin();
        clients.begin();
        until(TROUBLE);
        isAtRest = true;
        people.heal();
        // A cut may still be heard of, and under protocol A the last writes may have been answered on their way.
        int calm = 0;
        while (calm < CALM_LOOKS && now < TROUBLE + REST_MAXIMUM) {
            until(now + 200_000);
            calm = checks.isAtRest() && !operators.isRepairDue() ? calm + 1 : 0;
        }
        checks.atRest();
    }

    private void until(long end) {
        int events = 0;
        while (!due.isEmpty() && due.peek().at() <= end) {
            var next = due.remove();
            now = next.at();
            next.what().run();
            check(++events < EVENTS_MAXIMUM, "the world does not come to rest");
        }
        now = end;
    }

    void at(long time, Runnable what) {
        due.add(new Due(time, sequence++, what));
    }

    long now() {
        return now;
    }

    Random random() {
        return random;
    }

    LiveNetwork network() {
        return network;
    }

    LeaseKeeper keeper() {
        return keeper;
    }

    LiveHost host(int side) {
        return hosts[side];
    }

    LiveHost peer(LiveHost host) {
        return hosts[1 - host.side()];
    }

    List<LiveHost> hosts() {
        return List.of(hosts);
    }

    LiveSettings settings() {
        return settings[0];
    }

    /** Each answered write is durable on both, for as long as this world lives. */
    boolean isAlwaysC() {
        return settings().protocol() == Protocol.C && !operators.areChanging();
    }

    LiveOperators operators() {
        return operators;
    }

    /** Nothing goes wrong any more, and no client comes. */
    boolean isAtRest() {
        return isAtRest;
    }

    boolean isKeeperReachable(int side) {
        return !isKeeperCut[side];
    }

    void setKeeperCut(int side, boolean value) {
        isKeeperCut[side] = value;
    }

    long diskDelay() {
        return random.nextLong(isDiskSlow ? 20_000 : 1_500);
    }

    @SuppressWarnings("AnnotateFormatMethod")
    void check(boolean holds, String what, Object... arguments) {
        if (!holds) {
            throw new Violation("%s (protocol %s, %s, %s)"
                    .formatted(
                            what.formatted(arguments),
                            settings().protocol(),
                            settings().congestion(),
                            settings().isFenced() ? "fenced" : "not fenced"));
        }
    }

    void log(int side, Object event) {
        if (log.isKept()) {
            log.note(now, IDS[side].value(), event, hosts[side].state());
        }
    }

    void minted(LiveHost host) {
        checks.accepted(host);
    }

    /** A copy gives a write to its disk. */
    void writes(LiveHost host, LiveEffect.WriteVolume write) {
        checks.writes(host, write.offset() / DirtyBitmap.BLOCK_BYTES, (Cells) write.data());
    }

    void answered(LiveHost host, long request) {
        clients.answered(host, request);
        people.answered(host, request);
        operators.answered(host, request);
    }

    void answeredRead(LiveHost host, long request, Cells data) {
        clients.answeredRead(host, request, data);
    }

    boolean areClientsIdle() {
        return clients.isIdle();
    }

    void refused(long request) {
        clients.refused(request);
        people.refused(request);
        operators.refused(request);
    }

    void changed(LiveHost host, LiveStatus before) {
        checks.changed(host, before);
        operators.changed(host, before);
    }

    void looked() {
        checks.looked();
    }
}
