package io.tidemark.provider.image;

import io.tidemark.nativeblock.BlockKernels;
import io.tidemark.provider.commands.CommandRunner;
import io.tidemark.spi.CloneRequest;
import io.tidemark.spi.CutRequest;
import io.tidemark.spi.RecoveryPointId;
import io.tidemark.spi.SnapshotId;
import io.tidemark.spi.StorageProvider;
import io.tidemark.spi.VolumeId;
import java.io.PrintStream;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;

/**
 * A process made to be killed: works on one volume until then, saying before each step what it begins and after it what
 * is done. Content number N is the same bytes in every process.
 */
final class CrashSubject {
    static final VolumeId VOLUME = VolumeId.of("image", "subject");
    static final int VOLUME_BYTES = 256 << 10;

    /** Ends by itself if nobody kills it. */
    private static final int STEPS_MAXIMUM = 100_000;

    private final StorageProvider provider;
    private final Random random;
    private final PrintStream says;
    private final String prefix;
    private final List<SnapshotId> snapshots = new ArrayList<>();

    private CrashSubject(StorageProvider provider, long seed, PrintStream says) {
        this.provider = provider;
        this.random = new Random(seed);
        this.says = says;
        this.prefix = "rp-s" + seed + "n";
    }

    static byte[] content(long number) {
        var bytes = new byte[VOLUME_BYTES];
        new Random(number).nextBytes(bytes);
        return bytes;
    }

    static StorageProvider open(Path folder) throws Exception {
        var host = new ImageHost(
                BlockKernels.hostCalls(),
                new CommandRunner(),
                LoopDevices.ofHost(),
                InstantSource.system(),
                System::nanoTime);
        return ImageProvider.open(new ImageConfig(List.of(folder), ImageConfig.Changes.BEST), host);
    }

    public static void main(String[] arguments) throws Exception {
        long seed = Long.parseLong(arguments[1]);
        try (var provider = open(Path.of(arguments[0]))) {
            provider.create(VOLUME, VOLUME_BYTES);
            new CrashSubject(provider, seed, System.out).work(seed * 1_000_000);
        }
    }

    private void work(long firstContent) throws Exception {
        fill(firstContent);
        cut(0);
        for (int step = 1; step < STEPS_MAXIMUM; step++) {
            switch (random.nextInt(7)) {
                case 0, 1 -> fill(firstContent + step);
                case 2, 3 -> cut(step);
                case 4 -> cloneOnce(step);
                case 5 -> rollback();
                default -> delete();
            }
        }
    }

    /** The only step that may be seen half done: a crash may leave a mixture. */
    private void fill(long number) throws Exception {
        says.println("begin fill " + number);
        try (var writer = provider.write(VOLUME)) {
            writer.write(0, ByteBuffer.wrap(content(number)));
            writer.flush();
        }
        says.println("done fill " + number);
    }

    private void cut(int step) throws Exception {
        var point = new RecoveryPointId(prefix + step);
        says.println("begin cut " + point);
        var request = new CutRequest(point, List.of(VOLUME));
        if (random.nextBoolean()) {
            provider.prepare(request);
        }
        provider.cut(request);
        says.println("done cut " + point);
        snapshots.add(new SnapshotId(VOLUME, point));
    }

    private void cloneOnce(int step) throws Exception {
        var snapshot = snapshots.get(random.nextInt(snapshots.size()));
        var name = VolumeId.of("image", "clone/" + prefix + step);
        says.println("begin clone " + snapshot.recoveryPoint() + " " + name);
        provider.clone(new CloneRequest(snapshot, name));
        says.println("done clone " + snapshot.recoveryPoint() + " " + name);
        says.println("begin remove " + name);
        provider.remove(name);
        says.println("done remove " + name);
    }

    private void rollback() throws Exception {
        var snapshot = snapshots.get(random.nextInt(snapshots.size()));
        says.println("begin rollback " + snapshot.recoveryPoint());
        provider.rollback(snapshot);
        says.println("done rollback " + snapshot.recoveryPoint());
    }

    private void delete() throws Exception {
        if (snapshots.size() > 2) {
            var snapshot = snapshots.remove(random.nextInt(snapshots.size()));
            says.println("begin delete " + snapshot.recoveryPoint());
            provider.delete(snapshot);
            says.println("done delete " + snapshot.recoveryPoint());
        }
    }
}
