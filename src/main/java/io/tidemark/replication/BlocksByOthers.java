package io.tidemark.replication;

import io.tidemark.block.ChangedRun;
import io.tidemark.block.ChangedRuns;
import io.tidemark.replication.protocol.Message;
import io.tidemark.spi.ProviderException;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/**
 * Finds what others wrote to a volume on which a committed log may have been applied in part: of the blocks that differ
 * from the log's base, those that are not what the log makes them. Both are told in ascending order, the log's by
 * {@link #passed}; holds one run, whatever the volume's size.
 */
public final class BlocksByOthers {

    /** Hears of each piece, ascending and disjoint. */
    public interface Found {
        /** @param inLog whether the log will overwrite it; else it is left as it is */
        void found(long offsetBytes, long lengthBytes, boolean inLog) throws ProviderException;
    }

    private final ChangedRuns changed;
    private final Found found;
    private @Nullable ChangedRun run;
    private long atBytes;

    /** @param changed what the volume has now and the base has not; the caller closes it */
    public BlocksByOthers(ChangedRuns changed, Found found) {
        this.changed = changed;
        this.found = found;
    }

    /** The next blocks of the log. */
    public void passed(Message.Blocks blocks) throws ProviderException {
        int at = blocks.data().position();
        for (var extent : blocks.extents()) {
            outside(extent.offsetBytes());
            inside(extent.offsetBytes(), extent.endBytes(), extent.zero() ? null : blocks.data(), at);
            at += extent.zero() ? 0 : extent.lengthBytes();
        }
    }

    /** The log has no more. */
    public void end() throws ProviderException {
        outside(Long.MAX_VALUE);
    }

    private void outside(long untilBytes) throws ProviderException {
        for (var now = now(); now != null && atBytes < untilBytes; now = now()) {
            long end = Math.min(end(now), untilBytes);
            found.found(atBytes, end - atBytes, false);
            atBytes = end;
        }
    }

    private void inside(long fromBytes, long toBytes, @Nullable ByteBuffer data, int dataAt) throws ProviderException {
        for (var now = now(); now != null && atBytes < toBytes; now = now()) {
            long end = Math.min(end(now), toBytes);
            int length = (int) (end - atBytes);
            var ours =
                    data == null ? null : data.duplicate().clear().slice((int) (dataAt + atBytes - fromBytes), length);
            if (!same(now, length, ours)) {
                found.found(atBytes, length, true);
            }
            atBytes = end;
        }
    }

    /** @param ours null: zeros */
    private boolean same(ChangedRun now, int length, @Nullable ByteBuffer ours) {
        if (now.zero() && ours == null) {
            return true;
        }
        var theirs = now.zero()
                ? null
                : now.data()
                        .duplicate()
                        .clear()
                        .slice(now.data().position() + (int) (atBytes - now.offsetBytes()), length);
        if (theirs != null && ours != null) {
            return theirs.equals(ours);
        }
        return isZero(theirs == null ? ours : theirs);
    }

    private static boolean isZero(@Nullable ByteBuffer bytes) {
        for (int index = 0; bytes != null && index < bytes.remaining(); index++) {
            if (bytes.get(bytes.position() + index) != 0) {
                return false;
            }
        }
        return true;
    }

    private @Nullable ChangedRun now() throws ProviderException {
        if (run == null || atBytes >= end(run)) {
            run = changed.next().orElse(null);
            atBytes = run == null ? Long.MAX_VALUE : run.offsetBytes();
        }
        return run;
    }

    private static long end(ChangedRun run) {
        return run.offsetBytes() + run.lengthBytes();
    }
}
