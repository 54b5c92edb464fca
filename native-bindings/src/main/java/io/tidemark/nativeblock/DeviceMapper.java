package io.tidemark.nativeblock;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.List;

/**
 * What an LVM provider asks of Linux's device mapper without starting a program. Present only where the native library
 * loaded: ask {@link BlockKernels#deviceMapper()}. Devices are named as in {@code /dev/mapper}; needs root.
 */
public interface DeviceMapper {
    /** Volumes of one {@link #cut}. */
    int CUTS_MAXIMUM = 64;

    /**
     * A thin volume, and the snapshot to be.
     *
     * @param origin the volume's device
     * @param pool the device of its pool that takes messages
     * @param originId the pool's number of the volume
     * @param snapshotId and of the snapshot; the pool has none of that number yet
     * @param sectors the volume's length, of 512 bytes
     * @param active whether it is a failure that the volume has no device; else there is nothing to suspend then
     */
    record ThinCut(String origin, String pool, int originId, int snapshotId, long sectors, boolean active) {}

    /** Where a cut failed. */
    enum Step {
        /** It did not, or another one of the same call did. */
        NONE,
        /** Also where it is not the volume that was asked for, or of another length: {@link HostCallException#ESTALE}. */
        CHECK,
        SUSPEND,
        CREATE,
        /** The snapshot may be there; the origin is still suspended. */
        RESUME,
        /** Somebody else resumed an origin of the call too early; all of its snapshots are deleted again. */
        HELD,
        /** The pool does not write its metadata any more: it may have lost the snapshot. */
        POOL,
        /** Of a classic snapshot: its old content could not be thrown away. */
        RESET,
        /** Of a classic snapshot: its mark may be there or not. */
        MARK
    }

    /**
     * How one volume fared. Times are of CLOCK_MONOTONIC, as {@code System.nanoTime()}, and 0 where it did not come to
     * that.
     *
     * @param errno of the step that failed, 0 where none did
     * @param askedNanos before it was suspended
     * @param suspendedNanos when it was, and all writes under way had ended
     * @param cutNanos when the pool had the snapshot, or its store the mark, durably
     * @param resumedNanos when writers went on
     */
    record CutOutcome(int errno, Step failed, long askedNanos, long suspendedNanos, long cutNanos, long resumedNanos) {
        /** Whether the snapshot is there, durably. */
        public boolean cut() {
            return cutNanos != 0;
        }
    }

    /**
     * Snapshots of thin volumes, of one instant: all are suspended before the first snapshot is made, without their file
     * systems being locked, and resumed whatever happened, also when this process is killed meanwhile.
     *
     * @param cuts at most {@link #CUTS_MAXIMUM}
     * @return one a volume, in the same order
     * @throws HostCallException only where nothing was tried; {@link HostCallException#EAGAIN} where no process could be
     *     started that resumes when this one dies
     */
    List<CutOutcome> cut(List<ThinCut> cuts) throws IOException;

    /** Bytes of a mark: one sector. */
    int MARK_BYTES = 512;

    /** Where the mark lies in a classic snapshot's exception store. */
    int MARK_AT = 512;

    /**
     * A classic volume, and a snapshot of it that nobody needs and that is made anew.
     *
     * @param origin the volume's device
     * @param snapshot the snapshot's device
     * @param store the device of its exception store
     * @param mark {@link #MARK_BYTES} that say for ever that it was cut, and for what
     * @param sectors the volume's length, of 512 bytes
     */
    record ClassicCut(String origin, String snapshot, String store, ByteBuffer mark, long sectors) {
        public ClassicCut {
            mark = mark.slice().asReadOnlyBuffer();
            if (mark.remaining() != MARK_BYTES) {
                throw new IllegalArgumentException("a mark of %d bytes".formatted(mark.remaining()));
            }
        }
    }

    /**
     * Snapshots of classic volumes, of one instant, as {@link #cut}: each one's content is thrown away while writers go on,
     * and begins anew while all volumes are suspended. A snapshot has been cut if and only if its store has the mark.
     *
     * @param cuts at most {@link #CUTS_MAXIMUM}
     * @return one a volume, in the same order
     * @throws HostCallException as {@link #cut}
     */
    List<CutOutcome> cutClassic(List<ClassicCut> cuts) throws IOException;

    /**
     * @return whether the device was suspended, and is not any more
     * @throws HostCallException {@link HostCallException#ENXIO} without such a device; {@link HostCallException#EBUSY}
     *     when another table is loaded, which somebody else's work would lose
     */
    boolean resume(String device) throws IOException;
}
