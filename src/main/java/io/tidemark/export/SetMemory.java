package io.tidemark.export;

/** Heap that the sets of blocks of all overlays of a process may take together. Guarded by its monitor. */
final class SetMemory {
    /** Two sets of a TiB that is written to at random. A process that runs out of heap ends, with all it serves. */
    static final long BYTES_MAXIMUM = 64L << 20;

    private final long bytesMaximum;
    private long takenBytes;

    SetMemory(long bytesMaximum) {
        this.bytesMaximum = bytesMaximum;
    }

    /** What all shares take. */
    synchronized long takenBytes() {
        return takenBytes;
    }

    /** Of one overlay. */
    Share share() {
        return new Share();
    }

    /** What the sets of one overlay take. Guarded by the monitor of the whole. */
    final class Share implements AutoCloseable {
        private long ownBytes;
        private boolean closed;

        /** @throws OutOfSpaceException where all together would take too much, or this is closed; nothing is taken */
        void take(long bytes) throws OutOfSpaceException {
            synchronized (SetMemory.this) {
                if (closed) {
                    throw new OutOfSpaceException("the overlay is closed");
                }
                if (bytes > bytesMaximum - takenBytes) {
                    throw new OutOfSpaceException(
                            "the block sets of all overlays may take %d bytes of heap, %d are needed: remove exports"
                                    .formatted(bytesMaximum, takenBytes + bytes));
                }
                takenBytes += bytes;
                ownBytes += bytes;
            }
        }

        void giveBack(long bytes) {
            synchronized (SetMemory.this) {
                if (!closed) {
                    takenBytes -= bytes;
                    ownBytes -= bytes;
                }
            }
        }

        /** Gives all back; nothing can be taken any more. */
        @Override
        public void close() {
            synchronized (SetMemory.this) {
                takenBytes -= ownBytes;
                ownBytes = 0;
                closed = true;
            }
        }
    }
}
