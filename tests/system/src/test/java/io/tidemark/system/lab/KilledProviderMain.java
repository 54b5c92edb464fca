package io.tidemark.system.lab;

import io.tidemark.spi.CloneRequest;
import io.tidemark.spi.SnapshotId;
import io.tidemark.spi.SnapshotQuery;
import io.tidemark.spi.StorageProvider;
import java.util.SplittableRandom;

/**
 * A provider in a process of its own, to be killed: it goes on doing one thing after the other, and says what before and
 * {@code done} after. Arguments: disk of the pool, seed.
 */
final class KilledProviderMain {
    private static final long VOLUME_BYTES = 64 << 20;

    private final LabPool pool;
    private final StorageProvider provider;
    private final SplittableRandom random;
    private final String prefix;
    private int made;

    private KilledProviderMain(LabPool pool, StorageProvider provider, long seed) {
        this.pool = pool;
        this.provider = provider;
        this.random = new SplittableRandom(seed);
        this.prefix = "k" + seed + "n";
    }

    public static void main(String[] arguments) throws Exception {
        var pool = LabPool.on(arguments[0]);
        try (var provider = pool.open()) {
            var main = new KilledProviderMain(pool, provider, Long.parseLong(arguments[1]));
            System.out.println("open");
            while (true) {
                main.step();
                System.out.println("done");
            }
        }
    }

    private void step() throws Exception {
        switch (random.nextInt(6)) {
            case 0 -> {
                var name = say("create", prefix + made++);
                provider.create(pool.volume(name), VOLUME_BYTES);
            }
            case 1 -> {
                var snapshot = any();
                var name = say("clone", prefix + made++, snapshot.toString());
                provider.clone(new CloneRequest(snapshot, pool.volume(name)));
            }
            case 2, 3 -> {
                var snapshot = any();
                say("rollback", snapshot.toString());
                provider.rollback(snapshot);
            }
            case 4 -> {
                // Those of the test itself stay: there is always one.
                var snapshot = any();
                if (snapshot.recoveryPoint().value().startsWith("rp-base")) {
                    return;
                }
                say("delete", snapshot.toString());
                provider.delete(snapshot);
            }
            default -> LabPool.cut(provider, pool.volume("a"), say("cut", "rp-" + prefix + made++));
        }
    }

    private static String say(String kind, String... what) {
        System.out.println(kind + " " + String.join(" ", what));
        return what[0];
    }

    private SnapshotId any() throws Exception {
        var all = provider.snapshots(SnapshotQuery.everything()).snapshots();
        return all.get(random.nextInt(all.size())).id();
    }
}
