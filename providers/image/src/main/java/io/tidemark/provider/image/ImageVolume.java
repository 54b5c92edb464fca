package io.tidemark.provider.image;

import io.tidemark.spi.VolumeId;
import java.nio.file.Path;

/**
 * One volume as it lies on disk.
 *
 * @param entry directly in the folder: the image itself, or the folder (on Btrfs a subvolume) that holds it
 * @param image the file with the bytes
 * @param method how it is snapshotted
 */
record ImageVolume(VolumeId id, ImageFolder folder, Path entry, Path image, CutMethod method) {}
