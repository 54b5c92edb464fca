package io.tidemark.export;

import io.tidemark.domain.ExportId;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.util.Optional;

/** What clients of an export write to, without a client. */
public final class OpenImages {
    private OpenImages() {}

    public static ExportImage of(Exports exports, ExportId id) {
        return served(exports, id).image();
    }

    private static ServedExport served(Exports exports, ExportId id) {
        return exports.served(id.value()).orElseThrow(() -> new AssertionError("no export " + id));
    }

    /** A client that is in the middle of a request; it goes when the result is run, and not when its socket is closed. */
    public static Runnable use(Exports exports, ExportId id) {
        var served = served(exports, id);
        var client = new Client();
        if (!served.enter(client)) {
            throw new AssertionError("export is ending: " + id);
        }
        return () -> served.leave(client);
    }

    private static final class Client implements Wire {
        @Override
        public boolean read(ByteBuffer into) {
            return false;
        }

        @Override
        public void write(ByteBuffer from) {}

        @Override
        public Optional<SocketChannel> plain() {
            return Optional.empty();
        }

        @Override
        public void close() {}
    }
}
