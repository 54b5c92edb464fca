package io.tidemark.system.kill;

import static org.assertj.core.api.Assertions.assertThat;

import io.tidemark.system.ground.Ground;
import io.tidemark.system.ground.LoopVolume;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * Two paired sites with their storage: as root on a Btrfs of their own, with one mounted volume in the group so that
 * there is something to freeze; else on plain folders, where the moments of a freeze cannot be met.
 */
final class TwoSites implements AutoCloseable {
    private static final long BTRFS_BYTES = 2L << 30;
    private static final int MOUNTED_BYTES = 32 << 20;
    private static final String MOUNTED = "image:mounted";
    /** The group's freeze limit and the time an answer may take on a busy machine. */
    private static final Duration WRITE_LIMIT = Duration.ofSeconds(8);

    private final Ground ground;
    private final RunningSite source;
    private final RunningSite target;
    private final Replicated replicated;
    private final Optional<LoopVolume> btrfs;
    private Optional<LoopVolume> mounted = Optional.empty();

    private TwoSites(Ground ground, Optional<LoopVolume> btrfs) throws IOException {
        this.ground = ground;
        this.btrfs = btrfs;
        Path volumes = btrfs.map(LoopVolume::mountPoint).orElse(ground.folder().resolve("plain"));
        this.source = new RunningSite("source", ground.folder().resolve("source"), volumes.resolve("source"));
        this.target = new RunningSite("target", ground.folder().resolve("target"), volumes.resolve("target"));
        this.replicated = new Replicated(source, target);
    }

    static TwoSites build() throws Exception {
        boolean root = "root".equals(System.getProperty("user.name"));
        if (!root) {
            System.err.println("PARTLY SKIPPED kills while frozen: not root, nothing can be mounted");
        }
        var ground = Ground.open();
        Optional<LoopVolume> btrfs = root
                ? Optional.of(LoopVolume.makeBtrfs(
                        ground.folder().resolve("btrfs.img"),
                        BTRFS_BYTES,
                        ground.folder().resolve("btrfs")))
                : Optional.empty();
        var sites = new TwoSites(ground, btrfs);
        try {
            sites.source.start();
            sites.target.start();
            sites.mountOne(root);
            sites.replicated.build(sites.mounted.isPresent() ? List.of(MOUNTED) : List.of());
            return sites;
        } catch (Exception e) {
            sites.close();
            throw e;
        }
    }

    private void mountOne(boolean root) throws Exception {
        if (root) {
            var image = source.client()
                    .post("/v1/volumes", Map.of("id", MOUNTED, "sizeBytes", MOUNTED_BYTES))
                    .at("device")
                    .text();
            mounted = Optional.of(
                    LoopVolume.makeExt4(Path.of(image), ground.folder().resolve("mounted")));
        }
    }

    RunningSite source() {
        return source;
    }

    RunningSite target() {
        return target;
    }

    Replicated replicated() {
        return replicated;
    }

    Optional<LoopVolume> mounted() {
        return mounted;
    }

    /** What interrupted synchronisations have left at the site. */
    List<Path> ingestLogs(RunningSite site) throws IOException {
        Path folder = site.state().resolve("ingest");
        if (!Files.exists(folder)) {
            return List.of();
        }
        try (var files = Files.list(folder)) {
            return files.filter(file -> file.toString().endsWith(".ingest")).toList();
        }
    }

    /** A write to the mounted volume comes back; a dead site must not hold it. */
    void assertNothingFrozen(long seed) throws Exception {
        if (mounted.isEmpty()) {
            return;
        }
        Path file = mounted.get().mountPoint().resolve("alive");
        try (var thread = Executors.newSingleThreadExecutor()) {
            var written = thread.submit(() -> Files.writeString(file, Long.toString(seed)));
            try {
                written.get(WRITE_LIMIT.toMillis(), TimeUnit.MILLISECONDS);
            } catch (TimeoutException e) {
                assertThat(written.isDone())
                        .as("seed %d: a write to a volume of the dead site ended within %s", seed, WRITE_LIMIT)
                        .isTrue();
            }
        }
    }

    @Override
    public void close() throws Exception {
        source.close();
        target.close();
        if (mounted.isPresent()) {
            mounted.get().close();
        }
        if (btrfs.isPresent()) {
            btrfs.get().close();
        }
        ground.close();
    }
}
