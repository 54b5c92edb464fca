package io.tidemark.live;

import io.tidemark.replication.live.Bytes;
import java.nio.ByteBuffer;

/** Finds data that is nothing but zeros, which goes over the line as its length and makes a hole at the other end. */
final class Zeros {
    private static final int WORD = Long.BYTES;

    private Zeros() {}

    static Bytes orBytes(ByteBuffer data) {
        return isZeros(data) ? Bytes.zeros(data.remaining()) : Bytes.of(data);
    }

    private static boolean isZeros(ByteBuffer data) {
        int at = data.position();
        for (; at + WORD <= data.limit(); at += WORD) {
            if (data.getLong(at) != 0) {
                return false;
            }
        }
        for (; at < data.limit(); at++) {
            if (data.get(at) != 0) {
                return false;
            }
        }
        return true;
    }
}
