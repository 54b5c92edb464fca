package io.tidemark.system.recoverypoint;

import io.tidemark.domain.Moments;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.VolumeId;
import io.tidemark.system.ground.Ground;
import io.tidemark.system.ground.Kept;
import io.tidemark.system.ground.LoopVolume;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** A Btrfs on a loop device; on it an image, a volume of the image provider; in it an ext4, which is mounted. */
public final class ImageGround implements AutoCloseable {
    private static final long BTRFS_BYTES = 12L << 30;

    private final Kept made = new Kept();
    private final Ground ground;
    private final Path images;
    private final Path state;
    private final LoopVolume volume;

    public ImageGround(VolumeId id, long imageBytes) throws IOException, ProviderException {
        try {
            ground = keep(Ground.open());
            state = Files.createDirectory(folder().resolve("state"));
            images = keep(LoopVolume.makeBtrfs(folder().resolve("btrfs.img"), BTRFS_BYTES, folder().resolve("images")))
                    .mountPoint();
            Path device;
            try (var taker = open(Moments.NONE)) {
                device = taker.provider().create(id, imageBytes).device().orElseThrow();
            }
            volume = keep(LoopVolume.makeExt4(device, folder().resolve("database")));
        } catch (IOException | ProviderException | RuntimeException e) {
            close();
            throw e;
        }
    }

    /** Closed with the ground, before all that was there earlier. */
    <T extends AutoCloseable> T keep(T resource) {
        return made.keep(resource);
    }

    TakerOfImages open(Moments moments) throws IOException, ProviderException {
        return TakerOfImages.open(images, state, moments);
    }

    Ground ground() {
        return ground;
    }

    public Path folder() {
        return ground.folder();
    }

    public Path images() {
        return images;
    }

    Path state() {
        return state;
    }

    public LoopVolume volume() {
        return volume;
    }

    @Override
    public void close() throws IOException {
        made.close();
    }
}
