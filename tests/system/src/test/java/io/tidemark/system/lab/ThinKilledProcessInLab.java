package io.tidemark.system.lab;

import static org.assertj.core.api.Assertions.assertThat;

import io.tidemark.spi.RecoveryPointId;
import io.tidemark.spi.SnapshotId;
import io.tidemark.spi.SnapshotQuery;
import io.tidemark.spi.StorageProvider;
import io.tidemark.spi.VolumeId;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

/**
 * The whole process dies in the middle of what it does, at seeded moments; each second time the programs that it has started
 * die with it, as when a service manager ends the group. Whoever opens the pool next finds what was done, done, and of the
 * last thing all or nothing. By hand with more kills: {@code -Dtidemark.lab.kills=20}.
 */
@InLab
class ThinKilledProcessInLab {
    private static final int KILLS = Integer.getInteger("tidemark.lab.kills", 4);
    private static final long SEED = 7_203;
    private static final long VOLUME_BYTES = 64 << 20;
    private static final int CHUNKS = 2;
    private static final Duration LIFE_MAXIMUM = Duration.ofMillis(2_500);

    /** Values of all bytes, by snapshot and by volume. */
    private final Map<String, Integer> snapshots = new TreeMap<>();

    private final Map<String, Integer> volumes = new TreeMap<>();
    private final SplittableRandom random = new SplittableRandom(SEED);

    @Test
    void nothingIsLostDoubledOrHalfMadeWhereverTheProcessDies() throws Exception {
        var pool = LabPool.make("128M", "8M");
        try (var provider = pool.open()) {
            var volume = provider.create(pool.volume("a"), VOLUME_BYTES).id();
            for (int value = 1; value <= 3; value++) {
                LabPool.fill(provider, volume, 0, CHUNKS, value);
                snapshots.put(LabPool.cut(provider, volume, "rp-base" + value).toString(), value);
                volumes.put(volume.toString(), value);
            }
        }
        for (int kill = 0; kill < KILLS; kill++) {
            var said = runAndKill(pool, kill);
            String pending = learn(pool, said);
            System.out.printf("lab: kill %d in the middle of: %s%n", kill, pending);
            try (var provider = pool.open()) {
                settle(pool, provider, pending);
            }
            assertThat(pool.suspended()).isEmpty();
        }
    }

    private List<String> runAndKill(LabPool pool, int kill) throws IOException, InterruptedException {
        var output = Files.createTempFile("killed", ".out");
        var process = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "--enable-native-access=ALL-UNNAMED",
                        "-XX:+UseSerialGC",
                        "-XX:TieredStopAtLevel=1",
                        "-Xmx64m",
                        "-cp",
                        System.getProperty("java.class.path"),
                        KilledProviderMain.class.getName(),
                        pool.disk(),
                        String.valueOf(SEED + kill))
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .redirectOutput(output.toFile())
                .start();
        while (process.isAlive() && Files.size(output) == 0) {
            Thread.sleep(20);
        }
        Thread.sleep(random.nextLong(LIFE_MAXIMUM.toMillis()));
        var started = process.descendants().toList();
        process.destroyForcibly();
        if (kill % 2 == 1) {
            started.forEach(ProcessHandle::destroyForcibly);
        }
        process.waitFor();
        for (var program : started) {
            program.onExit().join();
        }
        var said = Files.readString(output, StandardCharsets.UTF_8);
        // A line without its end was not said.
        return said.substring(0, said.lastIndexOf('\n') + 1).lines().toList();
    }

    /** @return what had begun and was not done, or an empty text */
    private String learn(LabPool pool, List<String> said) {
        assertThat(said).first().isEqualTo("open");
        String begun = "";
        for (var line : said.subList(1, said.size())) {
            if (line.equals("done")) {
                apply(pool, begun);
                begun = "";
            } else {
                begun = line;
            }
        }
        return begun;
    }

    private void apply(LabPool pool, String line) {
        if (line.isEmpty()) {
            return;
        }
        var words = line.split(" ", -1);
        switch (words[0]) {
            case "create" -> volumes.put(pool.volume(words[1]).toString(), 0);
            case "clone" -> volumes.put(pool.volume(words[1]).toString(), value(words[2]));
            case "rollback" -> volumes.put(pool.volume("a").toString(), value(words[1]));
            case "delete" -> snapshots.remove(words[1]);
            default ->
                snapshots.put(
                        new SnapshotId(pool.volume("a"), new RecoveryPointId(words[1])).toString(),
                        volumes.getOrDefault(pool.volume("a").toString(), 0));
        }
    }

    private int value(String snapshot) {
        return snapshots.getOrDefault(snapshot, -1);
    }

    /** Finds out whether what had begun was done, and that all else is as it was. */
    private void settle(LabPool pool, StorageProvider provider, String pending) throws Exception {
        var before = List.of(Map.copyOf(snapshots), Map.copyOf(volumes));
        var found = List.of(snapshotsOf(provider), volumesOf(provider));
        if (!found.equals(before)) {
            apply(pool, pending);
        }
        assertThat(found).as("after %s", pending).isEqualTo(List.of(snapshots, volumes));
    }

    private static Map<String, Integer> snapshotsOf(StorageProvider provider) throws Exception {
        var found = new TreeMap<String, Integer>();
        for (var each : provider.snapshots(SnapshotQuery.everything()).snapshots()) {
            found.put(each.id().toString(), LabPool.valueOf(provider, each.id(), 0, CHUNKS));
        }
        return found;
    }

    private static Map<String, Integer> volumesOf(StorageProvider provider) throws Exception {
        var found = new TreeMap<String, Integer>();
        var ids = new ArrayList<VolumeId>();
        provider.volumes().forEach(each -> ids.add(each.id()));
        for (var id : ids) {
            var bytes = ByteBuffer.allocate(CHUNKS * LabPool.CHUNK_BYTES);
            try (var writer = provider.write(id)) {
                writer.read(0, bytes);
            }
            found.put(id.toString(), (int) bytes.get(0));
        }
        return found;
    }
}
