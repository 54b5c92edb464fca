package io.tidemark.provider.ebs;

import io.tidemark.spi.SnapshotReader;
import java.util.Optional;
import java.util.function.Function;
import java.util.function.Supplier;

/** Reads the base of a chain, whichever snapshot that is at the time. */
final class ChainBase implements LayeredBlocks.Base, AutoCloseable {
    private final Supplier<Optional<String>> base;
    private final Function<String, DirectReader> readers;
    private Optional<DirectReader> reader = Optional.empty();
    private String of = "";

    /**
     * @param base by Amazon's name; none: zeros
     * @param readers makes a reader of a snapshot by Amazon's name
     */
    ChainBase(Supplier<Optional<String>> base, Function<String, DirectReader> readers) {
        this.base = base;
        this.readers = readers;
    }

    @Override
    public synchronized Optional<SnapshotReader> reader() {
        var now = base.get();
        if (now.isPresent() && !now.get().equals(of)) {
            reader.ifPresent(DirectReader::close);
            reader = now.map(readers);
            of = now.get();
        }
        return reader.map(each -> each);
    }

    @Override
    public synchronized void close() {
        reader.ifPresent(DirectReader::close);
    }
}
