package io.tidemark.nativeblock;

/** How a block's digest is computed. The code is written into files and frames: never change one. */
public enum HashAlgorithm {
    /** 128 bits, canonical (big-endian) byte order as {@code xxhsum -H2} prints; finds accidents, not forgeries. */
    XXH3_128(1, 16),
    /** FIPS 180-4; where an adversary may choose blocks. */
    SHA_256(2, 32);

    private final int code;
    private final int digestBytes;

    HashAlgorithm(int code, int digestBytes) {
        this.code = code;
        this.digestBytes = digestBytes;
    }

    /** The number in file formats, frames and the C interface. */
    public int code() {
        return code;
    }

    public int digestBytes() {
        return digestBytes;
    }

    /** @throws IllegalArgumentException for a code this version does not know */
    public static HashAlgorithm ofCode(int code) {
        for (var algorithm : values()) {
            if (algorithm.code == code) {
                return algorithm;
            }
        }
        throw new IllegalArgumentException("unknown hash algorithm code " + code);
    }
}
