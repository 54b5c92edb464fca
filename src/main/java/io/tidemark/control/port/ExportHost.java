package io.tidemark.control.port;

import io.tidemark.domain.Export;
import io.tidemark.domain.ExportId;
import io.tidemark.spi.ProviderException;
import java.util.List;
import java.util.Optional;

/** Serves exports of this host's snapshots and volumes. They end with the process; those that are kept are told to the next. */
public interface ExportHost {
    /**
     * An export that is served.
     *
     * @param ownBytes storage that its overlay takes now; 0 without one
     * @param ending whether it serves nobody any more and only its storage is still to be closed
     * @param away whether it is kept from before a restart and its storage does not let it be opened yet: its size is told
     *     as 0, and it has no uris
     * @param uris where clients find it
     */
    record Open(
            Export export,
            long sizeBytes,
            int connectionCount,
            long ownBytes,
            boolean ending,
            boolean away,
            List<String> uris) {
        public Open {
            uris = List.copyOf(uris);
        }

        public static Open away(Export export) {
            return new Open(export, 0, 0, 0, false, true, List.of());
        }
    }

    /**
     * Begins to serve it; nothing is copied. Does nothing where an export of that id is served.
     *
     * @throws ProviderException SnapshotNotFound, VolumeNotFound, Busy where the volume is in use or there are too many
     *     exports, OutOfSpace where an overlay cannot be made
     */
    void open(Export export) throws ProviderException;

    /**
     * Tells the next process of it, unless it is an overlay, which does not outlive this one.
     *
     * @throws ProviderException Unexpected where that cannot be written down
     */
    void keep(Export export) throws ProviderException;

    /** Takes {@link #keep} back. */
    void forget(ExportId id);

    /** What was kept and not forgotten, by this process and those before it. */
    List<Export> kept();

    /** Why clients cannot reach exports where the settings say, for people; empty where they can. */
    List<String> notServed();

    /** In order of id. */
    List<Open> all();

    Optional<Open> find(ExportId id);

    /** How far an export's end has come. */
    enum Closing {
        /** There is none. */
        NONE,
        /** It serves nobody; closing its storage takes longer, and goes on. It is listed until then. */
        ENDING,
        ENDED
    }

    /**
     * Ends its connections, then it; what was not flushed to a writable volume may be lost, an overlay's bytes are. Waits
     * a few seconds at most.
     *
     * @param ended run once its storage is closed; not where it is being ended already
     */
    Closing close(ExportId id, Runnable ended) throws InterruptedException;
}
