package io.tidemark.cli.block;

import io.tidemark.block.BlockError;
import io.tidemark.block.BlockException;
import io.tidemark.block.BlockIndex;
import io.tidemark.block.BlockIndexUpdate;
import io.tidemark.block.DeltaHeader;
import io.tidemark.block.DeltaReader;
import io.tidemark.block.Digest;
import io.tidemark.nativeblock.BlockKernels;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * Brings an index to what its image is now, by the delta that says where it changed: reads only those blocks. The roots
 * of index, delta and image must go together, which is known before the index is touched. What will be written goes to
 * {@code INDEX.journal} first; a run that was killed is finished by the next one.
 */
final class IndexUpdating {
    private final BlockSubcommand command;
    private final HashOptions hashing;
    private final Operands files;

    record Operands(Path image, Path index, Path delta) {}

    private record Updated(BlockIndex index, Digest previousRoot, Digest root, String outcome, long hashedBlocks) {}

    IndexUpdating(BlockSubcommand command, HashOptions hashing, Operands files) {
        this.command = command;
        this.hashing = hashing;
        this.files = files;
    }

    /** Whether an update of the index was begun and did not end. */
    static boolean interrupted(Path index) throws IOException {
        var journal = journalOf(index);
        return Files.isRegularFile(journal) && Files.size(journal) > 0;
    }

    /** For who wants to read such an index. */
    static CommandFailure interruption(Path index) {
        return new CommandFailure(
                BlockExit.BAD_INPUT,
                "%s is between two states: an update of it did not end".formatted(index),
                "run tidemark block index IMAGE --update %s --changed DELTA again, or make a new index and delete %s"
                        .formatted(index, journalOf(index)));
    }

    private static Path journalOf(Path index) {
        return index.resolveSibling(index.getFileName() + ".journal");
    }

    int run() throws IOException, BlockException, CommandFailure {
        try (var threads = Hashing.start(hashing.reading());
                var image = ImageFile.readImage(files.image());
                var delta = ImageFile.read(files.delta());
                var index = ImageFile.write(files.index())) {
            refuseSameFiles();
            if (!BlockIndex.isIndex(index)) {
                throw new BlockException(new BlockError.NotOfKind(index.name(), "block-hash index"));
            }
            Updated updated;
            try (var reader = DeltaReader.open(delta, threads.kernel());
                    var journal = ImageFile.journal(journalOf(files.index()))) {
                updated = update(threads, image, index, reader, journal);
            } finally {
                removeEmptyJournal();
            }
            print(image, updated, threads);
        }
        return BlockExit.OK;
    }

    private void refuseSameFiles() throws IOException, CommandFailure {
        boolean same = Files.isSameFile(files.image(), files.index())
                || Files.isSameFile(files.image(), files.delta())
                || Files.isSameFile(files.index(), files.delta());
        if (same) {
            throw new CommandFailure(
                    BlockExit.USAGE,
                    "image, index and delta are not three files",
                    "name the image first, its index after --update, and the delta after --changed");
        }
    }

    private Updated update(Hashing threads, ImageFile image, ImageFile index, DeltaReader delta, ImageFile journal)
            throws IOException, BlockException, CommandFailure {
        boolean finished = BlockIndexUpdate.recover(index, journal);
        var update = BlockIndexUpdate.begin(threads.kernel(), index, journal);
        var before = update.index();
        var header = delta.header();
        HashShape.of(hashing, before, files.index());
        checkSizes(image, before, header);
        if (before.root().equals(header.resultRoot())) {
            return new Updated(
                    before, header.baseRoot(), before.root(), finished ? "finished" : "already-up-to-date", 0);
        }
        if (!before.root().equals(header.baseRoot())) {
            throw new CommandFailure(
                    BlockExit.BAD_INPUT,
                    "%s is not the index of the delta's base: its root is %s, the base's is %s"
                            .formatted(
                                    before.name(),
                                    before.root().hex(),
                                    header.baseRoot().hex()),
                    "name the delta that was made with --base and this index, or make a new index");
        }
        try (var progress = command.progress("update", 0)) {
            var changed = new ChangedImage(image, before, threads, progress);
            changed.putInto(update, delta);
            var root = update.finish(found -> {
                if (!found.equals(header.resultRoot())) {
                    throw new BlockException(new BlockError.NotTheResult(image.name(), header.resultRoot(), found));
                }
            });
            return new Updated(before, header.baseRoot(), root, "updated", changed.blockCount());
        }
    }

    private void checkSizes(ImageFile image, BlockIndex index, DeltaHeader delta)
            throws BlockException, CommandFailure {
        var geometry = index.geometry();
        if (index.algorithm() != delta.algorithm()
                || geometry.blockBytes() != delta.base().blockBytes()) {
            throw new BlockException(new BlockError.NotComparable(
                    index.name(),
                    files.delta().toString(),
                    "%s in blocks of %d bytes, and %s in blocks of %d"
                            .formatted(
                                    HashOptions.name(index.algorithm()),
                                    geometry.blockBytes(),
                                    HashOptions.name(delta.algorithm()),
                                    delta.base().blockBytes())));
        }
        if (!delta.base().equals(delta.result()) || !delta.base().equals(geometry)) {
            throw new CommandFailure(
                    BlockExit.BAD_INPUT,
                    "%s is of an image of %d bytes; the delta goes from one of %d bytes to one of %d"
                            .formatted(
                                    index.name(),
                                    geometry.sizeBytes(),
                                    delta.base().sizeBytes(),
                                    delta.result().sizeBytes()),
                    "an index is updated only where its image kept its size: make a new index");
        }
        // A device may be larger than what is on it.
        boolean fits = image.fixedSize()
                ? image.sizeBytes() >= geometry.sizeBytes()
                : image.sizeBytes() == geometry.sizeBytes();
        if (!fits) {
            throw new CommandFailure(
                    BlockExit.BAD_INPUT,
                    "%s has %d bytes; index and delta are of an image of %d"
                            .formatted(image.name(), image.sizeBytes(), geometry.sizeBytes()),
                    "name the image that the delta was made of, or make a new index");
        }
    }

    /** What an update that was refused, or has ended, leaves. */
    private void removeEmptyJournal() throws IOException {
        var journal = journalOf(files.index());
        if (Files.isRegularFile(journal) && !interrupted(files.index())) {
            Files.delete(journal);
        }
    }

    private void print(ImageFile image, Updated updated, Hashing threads) {
        var geometry = updated.index().geometry();
        command.print(
                new ResultDocument()
                        .put("ok", true)
                        .put("image", image.name())
                        .put("imageBytes", geometry.sizeBytes())
                        .put("blockBytes", geometry.blockBytes())
                        .put("blocks", geometry.blockCount())
                        .put("hash", HashOptions.name(updated.index().algorithm()))
                        .put("outcome", updated.outcome())
                        .put("hashedBlocks", updated.hashedBlocks())
                        .put("previousRoot", updated.previousRoot().hex())
                        .put("root", updated.root().hex())
                        .put("index", files.index().toString())
                        .put("delta", files.delta().toString())
                        .put("kernel", BlockKernels.best().name())
                        .put("read", threads.served().text())
                        .putSeconds("seconds", command.seconds()),
                "%s: %d of %d blocks of %s hashed; root %s"
                        .formatted(
                                updated.outcome(),
                                updated.hashedBlocks(),
                                geometry.blockCount(),
                                image.name(),
                                updated.root().hex()));
    }
}
