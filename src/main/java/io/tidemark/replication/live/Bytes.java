package io.tidemark.replication.live;

import java.nio.ByteBuffer;
import java.util.Optional;

/** Bytes of a write or of a resync, as drivers have them: in memory, or zeros that need none. Nobody changes them. */
public final class Bytes implements Payload {
    private final Optional<ByteBuffer> data;
    private final int length;

    private Bytes(Optional<ByteBuffer> data, int length) {
        this.data = data;
        this.length = length;
    }

    /** @param data from position to limit; not changed by anybody as long as these are used */
    public static Bytes of(ByteBuffer data) {
        return new Bytes(Optional.of(data.slice()), data.remaining());
    }

    public static Bytes zeros(int length) {
        return new Bytes(Optional.empty(), length);
    }

    public int length() {
        return length;
    }

    /** A view of its own; empty of zeros. */
    public Optional<ByteBuffer> data() {
        return data.map(ByteBuffer::duplicate);
    }

    @Override
    public Bytes slice(int from, int part) {
        return new Bytes(data.map(all -> all.slice(from, part)), part);
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof Bytes bytes && length == bytes.length && data.equals(bytes.data);
    }

    @Override
    public int hashCode() {
        return 31 * length + data.hashCode();
    }

    @Override
    public String toString() {
        return length + (data.isPresent() ? " bytes" : " zeros");
    }
}
