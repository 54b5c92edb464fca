package io.tidemark.cli.block;

import io.tidemark.block.BlockException;
import io.tidemark.block.BlockIndex;
import io.tidemark.block.ImageGeometry;
import io.tidemark.block.LeafDigests;
import io.tidemark.nativeblock.HashAlgorithm;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Optional;

/** An index file or an image on the command line: either way, digests come out. */
final class LeafSource implements AutoCloseable {
    private final ImageFile file;
    private final Optional<BlockIndex> index;

    private LeafSource(ImageFile file, Optional<BlockIndex> index) {
        this.file = file;
        this.index = index;
    }

    static LeafSource open(Path path) throws IOException, BlockException, CommandFailure {
        var file = ImageFile.read(path);
        try {
            if (BlockIndex.isIndex(file)) {
                return new LeafSource(file, Optional.of(BlockIndex.open(file)));
            }
            file.refuseWhatIsNoImage();
            return new LeafSource(file, Optional.empty());
        } catch (IOException e) {
            file.close();
            throw e;
        } catch (BlockException e) {
            file.close();
            if (IndexUpdating.interrupted(path)) {
                throw IndexUpdating.interruption(path);
            }
            throw e;
        }
    }

    ImageFile file() {
        return file;
    }

    /** Present when the file is an index. */
    Optional<BlockIndex> index() {
        return index;
    }

    /** Size of the image: the file's, or what the index says. */
    long imageBytes() {
        return index.map(found -> found.geometry().sizeBytes()).orElseGet(file::sizeBytes);
    }

    /** For progress: an index is not hashed. */
    long bytesToHash() {
        return index.isPresent() ? 0 : file.sizeBytes();
    }

    LeafDigests leaves(HashAlgorithm algorithm, int blockBytes, Hashing hashing, ProgressLine progress) {
        return index.isPresent()
                ? index.get().leaves()
                : new HashedImage(file, new ImageGeometry(file.sizeBytes(), blockBytes), algorithm, hashing, progress);
    }

    @Override
    public void close() throws IOException {
        file.close();
    }
}
