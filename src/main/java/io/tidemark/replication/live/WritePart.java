package io.tidemark.replication.live;

import java.util.Optional;

/** The part of a client's write that lies in one extent of the activity log, and how far it has come. */
final class WritePart {
    final Request request;
    final long offset;
    final int length;
    private Optional<Payload> data;
    /** It is answered only once it is durable. */
    boolean isForced;

    long work;
    long number;
    boolean isHot;
    boolean isWritten;
    boolean isDurable;
    boolean isReceived;
    boolean isConfirmed;
    /** The peer lacks it: its blocks are dirty. */
    boolean isLeft;

    boolean isAnswered;
    boolean isEnded;

    /** A client's write, of one part or several. */
    static final class Request {
        final long id;
        int parts;
        private boolean isRefused;

        Request(long id) {
            this.id = id;
        }

        /** @return whether it was the last one of all */
        boolean answered() {
            return --parts == 0 && !isRefused;
        }

        /** @return whether it is the first that is refused */
        boolean refused() {
            parts--;
            boolean isFirst = !isRefused;
            isRefused = true;
            return isFirst;
        }
    }

    WritePart(Request request, long offset, int length, Payload data, boolean isForced) {
        this.request = request;
        this.offset = offset;
        this.length = length;
        this.data = Optional.of(data);
        this.isForced = isForced;
    }

    /** Once: from then on the disk and the connection have it, for as long as they need it. */
    Payload takeData() {
        var taken = data.orElseThrow();
        data = Optional.empty();
        return taken;
    }

    int extent() {
        return (int) (offset / ActivityLog.EXTENT_BYTES);
    }

    boolean overlaps(WritePart other) {
        return overlaps(other.offset, other.length);
    }

    boolean overlaps(long otherOffset, int otherLength) {
        return offset < otherOffset + otherLength && otherOffset < offset + length;
    }

    boolean isHere() {
        return isForced ? isDurable : isWritten;
    }
}
