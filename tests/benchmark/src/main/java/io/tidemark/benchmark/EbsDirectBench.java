package io.tidemark.benchmark;

import com.sun.management.OperatingSystemMXBean;
import io.tidemark.provider.ebs.EbsProviderFactory;
import io.tidemark.provider.fakecloud.aws.FakeAws;
import io.tidemark.provider.fakecloud.aws.FakeAwsSettings;
import io.tidemark.spi.CutRequest;
import io.tidemark.spi.Readiness;
import io.tidemark.spi.RecoveryPointId;
import io.tidemark.spi.SnapshotId;
import io.tidemark.spi.StorageProvider;
import io.tidemark.spi.VolumeId;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.function.ToDoubleFunction;

/**
 * Blocks of EBS direct through the provider to the fake of Amazon and back, 64 in flight over loopback, both sides in this
 * process. Beside the published ceiling of one snapshot, and, as other work on the machine spoils what the clock says, in CPU
 * seconds, of which SHA-256 of every byte on either side is the least there can be.
 */
final class EbsDirectBench implements Bench {
    private static final int BLOCK_BYTES = 512 << 10;
    private static final int IN_FLIGHT = 64;
    private static final int PIECE_BYTES = IN_FLIGHT * BLOCK_BYTES;
    /** A round's; the fake holds it on this process's heap. */
    private static final long VOLUME_BYTES = 512L << 20;
    /** 16,384 calls of each kind: before that the compiler, which has few of them to go by, takes a third of both cores. */
    private static final int WARM_UP_ROUNDS = 16;
    /** The fake's blocks twice over, for the collector, and what is in flight. */
    private static final long HEAP_BYTES = 4 * VOLUME_BYTES;

    private static final long POLL_MILLIS = 2;
    private static final double GOAL_MIB = 500;
    /** Of two cores at that rate: 4.1; some of it is left for others. */
    private static final double CPU_SECONDS_MAXIMUM = 3.6;

    private static final double NANOS = 1e9;
    private static final String WRITTEN = "EBS direct, written";
    private static final String READ = "EBS direct, read";
    private static final String CEILING = "ceiling of one snapshot";
    private static final String HASHED = "SHA-256 of it on both sides";

    /** What one direction took: by the clock, and of all cores together. */
    private record Took(double seconds, double cpuSeconds) {}

    private record Round(Took written, Took read, double hashedCpuSeconds) {}

    @Override
    public String name() {
        return "ebs-direct";
    }

    @Override
    public String description() {
        return "blocks written to and read from the fake of EBS direct, beside 500 MiB/s and in CPU seconds";
    }

    @Override
    public List<Measure> run(BenchRun run) throws Exception {
        long heap = Runtime.getRuntime().maxMemory();
        if (heap < HEAP_BYTES) {
            var reason = "the heap may have %d MiB, %d are needed: a machine of %d MiB, or java's -Xmx"
                    .formatted(heap >> 20, HEAP_BYTES >> 20, HEAP_BYTES >> 18);
            return List.of(Measure.skipped(WRITTEN, CEILING, reason), Measure.skipped(READ, CEILING, reason));
        }
        run.needs(VOLUME_BYTES);
        var rounds = new ArrayList<Round>();
        try (var cloud = FakeAws.start(FakeAwsSettings.defaults());
                var provider = provider(run, cloud)) {
            for (int number = 1; number <= WARM_UP_ROUNDS + run.rounds(); number++) {
                var round = round(provider, number);
                System.err.printf(
                        "round %d%s: written %s; read %s; hashed twice %.2f CPU s/GiB%n",
                        number,
                        number <= WARM_UP_ROUNDS ? " (warming up)" : "",
                        text(round.written()),
                        text(round.read()),
                        perGib(round.hashedCpuSeconds()));
                if (number > WARM_UP_ROUNDS) {
                    rounds.add(round);
                }
            }
        }
        return measures(rounds);
    }

    private static StorageProvider provider(BenchRun run, FakeAws cloud) throws Exception {
        var address = cloud.endpoint().toString();
        return EbsProviderFactory.unsigned()
                .create(Map.of(
                        "region",
                        "eu-central-1",
                        "installation",
                        "bench",
                        "ec2Endpoint",
                        address,
                        "ebsEndpoint",
                        address,
                        "staging",
                        run.scratch().resolve("staging").toString(),
                        "parallelBlocks",
                        String.valueOf(IN_FLIGHT)));
    }

    private static List<Measure> measures(List<Round> rounds) {
        double written = median(rounds, round -> mibPerSecond(round.written()));
        double read = median(rounds, round -> mibPerSecond(round.read()));
        double writtenCpu = median(rounds, round -> perGib(round.written().cpuSeconds()));
        double readCpu = median(rounds, round -> perGib(round.read().cpuSeconds()));
        double hashed = median(rounds, round -> perGib(round.hashedCpuSeconds()));
        return List.of(
                Measure.rate(WRITTEN, written, "MiB/s", CEILING, GOAL_MIB, 1),
                Measure.rate(READ, read, "MiB/s", CEILING, GOAL_MIB, 1),
                Measure.within(WRITTEN + ", CPU of a GiB", writtenCpu, "s", "limit", CPU_SECONDS_MAXIMUM),
                Measure.within(READ + ", CPU of a GiB", readCpu, "s", "limit", CPU_SECONDS_MAXIMUM),
                Measure.reported(WRITTEN + ", CPU of a GiB", writtenCpu, "s", HASHED, hashed));
    }

    private static Round round(StorageProvider provider, int number) throws Exception {
        var volume = VolumeId.of("ebs", "speed-" + number);
        provider.create(volume, VOLUME_BYTES);
        fill(provider, volume, number);
        var point = new RecoveryPointId("rp-" + number);
        var request = new CutRequest(point, List.of(volume));
        var snapshot = new SnapshotId(volume, point);
        provider.prepare(request);
        var written = took(() -> {
            provider.cut(request);
            while (!(provider.readiness(snapshot) instanceof Readiness.Ready)) {
                Thread.sleep(POLL_MILLIS);
            }
        });
        var read = took(() -> read(provider, snapshot));
        provider.delete(snapshot);
        provider.remove(volume);
        return new Round(written, read, took(EbsDirectBench::hashTwice).cpuSeconds());
    }

    /** No block is as another one, for the fake holds equal ones once. */
    private static void fill(StorageProvider provider, VolumeId volume, int number) throws Exception {
        var piece = ByteBuffer.allocate(PIECE_BYTES);
        var random = new Random(number);
        random.nextBytes(piece.array());
        try (var writer = provider.write(volume)) {
            for (long at = 0; at < VOLUME_BYTES; at += PIECE_BYTES) {
                for (int block = 0; block < PIECE_BYTES; block += BLOCK_BYTES) {
                    piece.putLong(block, random.nextLong());
                }
                writer.write(at, piece.clear());
            }
        }
    }

    private static void read(StorageProvider provider, SnapshotId snapshot) throws Exception {
        var target = ByteBuffer.allocate(PIECE_BYTES);
        try (var reader = provider.read(snapshot)) {
            for (long at = 0; at < VOLUME_BYTES; at += PIECE_BYTES) {
                reader.read(at, target.clear());
            }
        }
    }

    private static void hashTwice() throws Exception {
        var piece = ByteBuffer.allocate(PIECE_BYTES);
        var digest = MessageDigest.getInstance("SHA-256");
        for (long at = 0; at < 2 * VOLUME_BYTES; at += BLOCK_BYTES) {
            digest.update(piece.slice((int) (at % PIECE_BYTES), BLOCK_BYTES));
            piece.put(0, digest.digest());
        }
    }

    private static Took took(BenchRun.Timed work) throws Exception {
        var process = ManagementFactory.getPlatformMXBean(OperatingSystemMXBean.class);
        long began = process.getProcessCpuTime();
        double seconds = BenchRun.seconds(work);
        return new Took(seconds, (process.getProcessCpuTime() - began) / NANOS);
    }

    private static double median(List<Round> rounds, ToDoubleFunction<Round> figure) {
        return BenchRun.median(rounds.stream().mapToDouble(figure).toArray());
    }

    private static double mibPerSecond(Took took) {
        return (VOLUME_BYTES >> 20) / took.seconds();
    }

    private static double perGib(double seconds) {
        return seconds * (1L << 30) / VOLUME_BYTES;
    }

    private static String text(Took took) {
        return "%.0f MiB/s, %.2f CPU s/GiB".formatted(mibPerSecond(took), perGib(took.cpuSeconds()));
    }
}
