package io.tidemark.provider.image;

import io.tidemark.nativeblock.HostCalls;
import io.tidemark.provider.image.ExtentWalk.Stretch;
import io.tidemark.spi.BlockRange;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Optional;

/**
 * Where two files do not share their bytes, by comparing the places of their extents; or, against no second file, where
 * one holds anything. Both files must exist all the while: an extent that is freed and used again could look unchanged.
 */
final class ExtentRanges implements RangeSource {
    private static final long BLOCK = BlockSet.BLOCK_BYTES;

    private final ExtentWalk left;
    private final Optional<ExtentWalk> right;
    private final long smallerBytes;
    private final long largerBytes;
    private Stretch leftStretch = new Stretch(0, 0, Stretch.NOWHERE, true);
    private Stretch rightStretch = new Stretch(0, 0, Stretch.NOWHERE, true);
    private long position;

    private ExtentRanges(ExtentWalk left, Optional<ExtentWalk> right, long smallerBytes, long largerBytes) {
        this.left = left;
        this.right = right;
        this.smallerBytes = smallerBytes;
        this.largerBytes = largerBytes;
    }

    static ExtentRanges between(HostCalls host, Path older, long olderBytes, Path newer, long newerBytes) {
        return new ExtentRanges(
                new ExtentWalk(host, older),
                Optional.of(new ExtentWalk(host, newer)),
                Math.min(olderBytes, newerBytes),
                Math.max(olderBytes, newerBytes));
    }

    static ExtentRanges allocated(HostCalls host, Path image, long sizeBytes) {
        return new ExtentRanges(new ExtentWalk(host, image), Optional.empty(), sizeBytes, sizeBytes);
    }

    /** Ascending and disjoint, whole blocks but at the end of the image. */
    @Override
    public Optional<BlockRange> next() throws IOException {
        while (position < largerBytes) {
            long start = position;
            if (!differsAt(start)) {
                position = Math.min(largerBytes, pieceEnd(start));
                continue;
            }
            long end = start;
            while (end < largerBytes && differsAt(end)) {
                end = Math.min(largerBytes, pieceEnd(end));
                position = end;
            }
            long alignedStart = start / BLOCK * BLOCK;
            long alignedEnd = Math.min(largerBytes, (end + BLOCK - 1) / BLOCK * BLOCK);
            position = alignedEnd;
            return Optional.of(new BlockRange(alignedStart, alignedEnd - alignedStart));
        }
        return Optional.empty();
    }

    private boolean differsAt(long offset) throws IOException {
        while (leftStretch.endBytes() <= offset) {
            leftStretch = left.next();
        }
        while (right.isPresent() && rightStretch.endBytes() <= offset) {
            rightStretch = right.get().next();
        }
        if (offset >= smallerBytes) {
            return true;
        }
        return right.isPresent() ? !leftStretch.sameAt(offset, rightStretch) : !leftStretch.isHole();
    }

    /** How far the answer of {@link #differsAt} goes. */
    private long pieceEnd(long offset) {
        long end = leftStretch.endBytes();
        if (right.isPresent()) {
            end = Math.min(end, rightStretch.endBytes());
        }
        return offset < smallerBytes ? Math.min(end, smallerBytes) : end;
    }
}
