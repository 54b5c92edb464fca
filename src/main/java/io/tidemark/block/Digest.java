package io.tidemark.block;

import io.tidemark.nativeblock.HashAlgorithm;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.HexFormat;

/** One digest and how it was computed. Two are equal when both are. */
public final class Digest {
    private final HashAlgorithm algorithm;
    private final byte[] bytes;

    private Digest(HashAlgorithm algorithm, byte[] bytes) {
        if (bytes.length != algorithm.digestBytes()) {
            throw new IllegalArgumentException(
                    "%s digest has %d bytes, not %d".formatted(algorithm, bytes.length, algorithm.digestBytes()));
        }
        this.algorithm = algorithm;
        this.bytes = bytes;
    }

    public static Digest of(HashAlgorithm algorithm, byte[] bytes) {
        return new Digest(algorithm, bytes.clone());
    }

    /** Takes the digest's bytes from the buffer's position, which moves past them. */
    public static Digest take(HashAlgorithm algorithm, ByteBuffer buffer) {
        var bytes = new byte[algorithm.digestBytes()];
        buffer.get(bytes);
        return new Digest(algorithm, bytes);
    }

    /** What an image without a single block has in place of a root. */
    public static Digest ofNothing(HashAlgorithm algorithm) {
        return new Digest(algorithm, new byte[algorithm.digestBytes()]);
    }

    public HashAlgorithm algorithm() {
        return algorithm;
    }

    /** A copy. */
    public byte[] bytes() {
        return bytes.clone();
    }

    /** Appends the digest's bytes. */
    public void putInto(ByteBuffer buffer) {
        buffer.put(bytes);
    }

    /** Lower-case hexadecimal digits, without the algorithm. */
    public String hex() {
        return HexFormat.of().formatHex(bytes);
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof Digest that && algorithm == that.algorithm && Arrays.equals(bytes, that.bytes);
    }

    @Override
    public int hashCode() {
        return Arrays.hashCode(bytes);
    }

    @Override
    public String toString() {
        return algorithm + ":" + hex();
    }
}
