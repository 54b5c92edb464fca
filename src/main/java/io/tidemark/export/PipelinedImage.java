package io.tidemark.export;

import io.tidemark.export.protocol.Request;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.List;

/**
 * An image that takes requests and tells later how each has ended, so that many are under way without a thread for each:
 * those that came together cost little more than one.
 */
public interface PipelinedImage extends ExportImage {
    /** A {@code READ}, {@code WRITE} or {@code FLUSH}, and who is told of its end: once, in any order, by any thread. */
    interface Call {
        Request request();

        /** What is to be written; the image's from now on. */
        ByteBuffer payload();

        /**
         * Never waits.
         *
         * @param data what was read, from position to limit; else empty
         */
        void done(ByteBuffer data);

        /** Never waits. */
        void failed(IOException why);
    }

    /** Whether its storage is quick enough to be waited for by {@link #begin}; else requests go one a thread. */
    boolean isPipelined();

    /**
     * Begins them, in this order; of none whose range another of those under way changes. Does not wait for another host,
     * but may do what the storage here does at once.
     *
     * @param told run by whoever has told of ends, behind them: those that it has told of by then are to be answered. On
     *     another thread than the caller's it must not wait
     */
    void begin(List<? extends Call> calls, Runnable told);
}
