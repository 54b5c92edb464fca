package io.tidemark.provider.ebs;

import com.sun.management.OperatingSystemMXBean;
import io.tidemark.provider.conformance.TestStorage;
import io.tidemark.provider.fakecloud.aws.FakeAws;
import io.tidemark.provider.fakecloud.aws.FakeAwsSettings;
import io.tidemark.spi.CutRequest;
import io.tidemark.spi.Readiness;
import io.tidemark.spi.RecoveryPointId;
import io.tidemark.spi.SnapshotId;
import io.tidemark.spi.VolumeId;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Random;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * Measures writing to and reading from our fake of EBS direct over loopback, 64 blocks in flight, client and fake in one
 * process: a main program, for figures and profiles, not a test. Arguments: MiB a round (512), rounds (4).
 */
final class EbsSpeed {
    private static final int READ_BYTES = 64 * DirectCalls.BLOCK_BYTES;
    private static final long MIB = 1L << 20;

    private EbsSpeed() {}

    public static void main(String[] arguments) throws Exception {
        long mib = arguments.length > 0 ? Long.parseLong(arguments[0]) : 512;
        int rounds = arguments.length > 1 ? Integer.parseInt(arguments[1]) : 4;
        try (var cloud = FakeAws.start(FakeAwsSettings.defaults());
                var storage = TestStorage.inMemory()) {
            var config = EbsAccount.config(
                    cloud.endpoint().toString(), storage.base().resolve("staging"));
            try (var provider = EbsAccount.openStaged(
                    config,
                    EbsAccount.unsigned(config),
                    cloud.clock(),
                    new AtomicBoolean(),
                    new StagingFiles(() -> {}))) {
                for (int round = 1; round <= rounds; round++) {
                    round(provider, VolumeId.of("ebs", "speed-" + round), mib * MIB, round);
                }
            }
        }
    }

    private static void round(EbsProvider provider, VolumeId volume, long bytes, int number) throws Exception {
        provider.create(volume, bytes);
        var piece = new byte[READ_BYTES];
        try (var writer = provider.write(volume)) {
            for (long at = 0; at < bytes; at += READ_BYTES) {
                new Random(at + number).nextBytes(piece);
                writer.write(at, ByteBuffer.wrap(piece));
            }
        }
        var point = new RecoveryPointId("rp-1");
        var request = new CutRequest(point, List.of(volume));
        provider.prepare(request);
        var snapshot = new SnapshotId(volume, point);
        long began = System.nanoTime();
        long cpuBegan = cpu();
        provider.cut(request);
        while (!(provider.readiness(snapshot) instanceof Readiness.Ready)) {
            Thread.sleep(2);
        }
        long written = System.nanoTime();
        long cpuWritten = cpu();
        var target = ByteBuffer.allocate(READ_BYTES);
        try (var reader = provider.read(snapshot)) {
            for (long at = 0; at < bytes; at += READ_BYTES) {
                reader.read(at, target.clear());
            }
        }
        long read = System.nanoTime();
        long cpuRead = cpu();
        // The fake holds its blocks on this process's heap.
        provider.delete(snapshot);
        provider.remove(volume);
        System.out.printf(
                "round %d: %d MiB, written at %.0f MiB/s (%.0f MiB a second of a core), read at %.0f MiB/s (%.0f)%n",
                number,
                bytes / MIB,
                rate(bytes, written - began),
                rate(bytes, cpuWritten - cpuBegan),
                rate(bytes, read - written),
                rate(bytes, cpuRead - cpuWritten));
    }

    /** Of both sides: where others use the machine too, this says more than the clock. */
    private static long cpu() {
        return ManagementFactory.getPlatformMXBean(OperatingSystemMXBean.class).getProcessCpuTime();
    }

    private static double rate(long bytes, long nanos) {
        return bytes / (double) MIB / (nanos / 1e9);
    }
}
