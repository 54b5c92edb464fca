package io.tidemark.nativeblock;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.HexFormat;

/**
 * XXH3 with 128 bits, seed 0 and the default secret, as the xxHash specification 0.8 defines it ("XXH3 Algorithm
 * Overview"): one path for each class of lengths. Written so that {@link JavaBlockKernel} answers what the native
 * library answers, on machines where that cannot load.
 */
final class Xxh3 {
    private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfLong BIG_ENDIAN_LONG =
            ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.BIG_ENDIAN);

    private static final long P32_1 = 0x9E3779B1L;
    private static final long P32_2 = 0x85EBCA77L;
    private static final long P32_3 = 0xC2B2AE3DL;
    private static final long P64_1 = 0x9E3779B185EBCA87L;
    private static final long P64_2 = 0xC2B2AE3D27D4EB4FL;
    private static final long P64_3 = 0x165667B19E3779F9L;
    private static final long P64_4 = 0x85EBCA77C2B2AE63L;
    private static final long P64_5 = 0x27D4EB2F165667C5L;
    private static final long PRIME_MX1 = 0x165667919E3779F9L;
    private static final long PRIME_MX2 = 0x9FB21C651E98DF25L;

    private static final int STRIPE_BYTES = 64;
    /** The secret moves on by this much from stripe to stripe. */
    private static final int SECRET_STEP_BYTES = 8;

    /** The specification's default secret. */
    private static final MemorySegment SECRET = MemorySegment.ofArray(HexFormat.of()
            .parseHex("b8fe6c3923a44bbe7c01812cf721ad1cded46de9839097db7240a4a4b7b3671f"
                    + "cb79e64eccc0e578825ad07dccff7221b8084674f743248ee03590e6813a264c"
                    + "3c2852bb91c300cb88d0658b1b532ea371644897a20df94e3819ef46a9deacd8"
                    + "a8fa763fe39c343ff9dcbbc7c70b4f1d8a51e04bcdb45931c89f7ec9d9787364"
                    + "eac5ac8334d3ebc3c581a0fffa1363eb170ddd51b7f0da49d316552629d4689e"
                    + "2b16be587d47a1fc8ff8b8d17ad031ce45cb3a8f95160428afd7fbcabb4b407e"));

    private static final int SECRET_BYTES = 192;
    private static final int STRIPES_A_BLOCK = (SECRET_BYTES - STRIPE_BYTES) / SECRET_STEP_BYTES;
    private static final int BLOCK_BYTES = STRIPES_A_BLOCK * STRIPE_BYTES;
    /** Secret of the scramble that ends each block. */
    private static final int SCRAMBLE_AT = SECRET_BYTES - STRIPE_BYTES;

    private Xxh3() {}

    /** Writes the canonical (big-endian, high half first) digest of {@code [from, from + length)}. */
    static void digest(MemorySegment data, long from, long length, MemorySegment digests, long digestAt) {
        if (length > 240) {
            digestLong(data, from, length, digests, digestAt);
        } else if (length > 128) {
            digest129To240(data, from, (int) length, digests, digestAt);
        } else if (length > 16) {
            digest17To128(data, from, (int) length, digests, digestAt);
        } else {
            digestTo16(data, from, (int) length, digests, digestAt);
        }
    }

    private static void put(MemorySegment digests, long at, long low, long high) {
        digests.set(BIG_ENDIAN_LONG, at, high);
        digests.set(BIG_ENDIAN_LONG, at + Long.BYTES, low);
    }

    private static long secret(long at) {
        return SECRET.get(LONG, at);
    }

    private static void digestTo16(MemorySegment data, long from, int length, MemorySegment digests, long digestAt) {
        if (length > 8) {
            long high = data.get(LONG, from + length - 8);
            long folded = data.get(LONG, from) ^ high ^ secret(32) ^ secret(40);
            long flipped = high ^ secret(48) ^ secret(56);
            long low = folded * P64_1 + ((length - 1L) << 54);
            long up = Math.unsignedMultiplyHigh(folded, P64_1) + flipped + (flipped & 0xFFFFFFFFL) * (P32_2 - 1);
            low ^= Long.reverseBytes(up);
            long outHigh = Math.unsignedMultiplyHigh(low, P64_2) + up * P64_2;
            put(digests, digestAt, avalanche(low * P64_2), avalanche(outHigh));
        } else if (length >= 4) {
            long low32 = data.get(INT, from) & 0xFFFFFFFFL;
            long high32 = data.get(INT, from + length - 4) & 0xFFFFFFFFL;
            long keyed = (low32 + (high32 << 32)) ^ secret(16) ^ secret(24);
            long factor = P64_1 + ((long) length << 2);
            long low = keyed * factor;
            long high = Math.unsignedMultiplyHigh(keyed, factor) + (low << 1);
            low ^= high >>> 3;
            low ^= low >>> 35;
            low *= PRIME_MX2;
            low ^= low >>> 28;
            put(digests, digestAt, low, avalanche(high));
        } else if (length > 0) {
            int first = data.get(ValueLayout.JAVA_BYTE, from) & 0xFF;
            int middle = data.get(ValueLayout.JAVA_BYTE, from + (length >> 1)) & 0xFF;
            int last = data.get(ValueLayout.JAVA_BYTE, from + length - 1) & 0xFF;
            int combined = first << 16 | middle << 24 | last | length << 8;
            int mirrored = Integer.rotateLeft(Integer.reverseBytes(combined), 13);
            long low = (combined ^ SECRET.get(INT, 0) ^ SECRET.get(INT, 4)) & 0xFFFFFFFFL;
            long high = (mirrored ^ SECRET.get(INT, 8) ^ SECRET.get(INT, 12)) & 0xFFFFFFFFL;
            put(digests, digestAt, avalanche64(low), avalanche64(high));
        } else {
            put(digests, digestAt, avalanche64(secret(64) ^ secret(72)), avalanche64(secret(80) ^ secret(88)));
        }
    }

    /** The two running sums of the middle lengths. */
    private static final class Mix {
        private final MemorySegment data;
        private long low;
        private long high;

        Mix(MemorySegment data, int length) {
            this.data = data;
            this.low = length * P64_1;
        }

        void add(long first, long second, long secretAt) {
            low += fold(first, secretAt);
            low ^= data.get(LONG, second) + data.get(LONG, second + 8);
            high += fold(second, secretAt + 16);
            high ^= data.get(LONG, first) + data.get(LONG, first + 8);
        }

        private long fold(long at, long secretAt) {
            return foldedProduct(data.get(LONG, at) ^ secret(secretAt), data.get(LONG, at + 8) ^ secret(secretAt + 8));
        }

        void avalancheBoth() {
            low = avalanche(low);
            high = avalanche(high);
        }

        void finish(int length, MemorySegment digests, long digestAt) {
            long mixed = low * P64_1 + high * P64_4 + length * P64_2;
            put(digests, digestAt, avalanche(low + high), -avalanche(mixed));
        }
    }

    private static void digest17To128(MemorySegment data, long from, int length, MemorySegment digests, long digestAt) {
        var mix = new Mix(data, length);
        for (int i = (length - 1) / 32; i >= 0; i--) {
            mix.add(from + 16L * i, from + length - 16L * (i + 1), 32L * i);
        }
        mix.finish(length, digests, digestAt);
    }

    private static void digest129To240(
            MemorySegment data, long from, int length, MemorySegment digests, long digestAt) {
        var mix = new Mix(data, length);
        for (int i = 0; i < 4; i++) {
            mix.add(from + 32L * i, from + 32L * i + 16, 32L * i);
        }
        mix.avalancheBoth();
        for (int i = 4; i < length / 32; i++) {
            mix.add(from + 32L * i, from + 32L * i + 16, 3 + 32L * (i - 4));
        }
        mix.add(from + length - 16, from + length - 32, 103);
        mix.finish(length, digests, digestAt);
    }

    private static void digestLong(MemorySegment data, long from, long length, MemorySegment digests, long digestAt) {
        long[] sums = {P32_3, P64_1, P64_2, P64_3, P64_4, P32_2, P64_5, P32_1};
        long blocks = (length - 1) / BLOCK_BYTES;
        for (long block = 0; block < blocks; block++) {
            accumulate(sums, data, from + block * BLOCK_BYTES, STRIPES_A_BLOCK);
            scramble(sums);
        }
        long last = from + blocks * BLOCK_BYTES;
        accumulate(sums, data, last, (int) ((length - 1 - blocks * BLOCK_BYTES) / STRIPE_BYTES));
        accumulateStripe(sums, data, from + length - STRIPE_BYTES, SCRAMBLE_AT - 7);
        long low = merge(sums, 11, length * P64_1);
        long high = merge(sums, SECRET_BYTES - STRIPE_BYTES - 11, ~(length * P64_2));
        put(digests, digestAt, low, high);
    }

    /** Several stripes with the sums held in registers: an array would be stored to at every step. */
    private static void accumulate(long[] sums, MemorySegment data, long from, int stripes) {
        long s0 = sums[0];
        long s1 = sums[1];
        long s2 = sums[2];
        long s3 = sums[3];
        long s4 = sums[4];
        long s5 = sums[5];
        long s6 = sums[6];
        long s7 = sums[7];
        for (int stripe = 0; stripe < stripes; stripe++) {
            long at = from + (long) stripe * STRIPE_BYTES;
            long secretAt = (long) stripe * SECRET_STEP_BYTES;
            long d0 = data.get(LONG, at);
            long d1 = data.get(LONG, at + 8);
            long d2 = data.get(LONG, at + 16);
            long d3 = data.get(LONG, at + 24);
            long d4 = data.get(LONG, at + 32);
            long d5 = data.get(LONG, at + 40);
            long d6 = data.get(LONG, at + 48);
            long d7 = data.get(LONG, at + 56);
            s0 += d1 + halvesProduct(d0 ^ secret(secretAt));
            s1 += d0 + halvesProduct(d1 ^ secret(secretAt + 8));
            s2 += d3 + halvesProduct(d2 ^ secret(secretAt + 16));
            s3 += d2 + halvesProduct(d3 ^ secret(secretAt + 24));
            s4 += d5 + halvesProduct(d4 ^ secret(secretAt + 32));
            s5 += d4 + halvesProduct(d5 ^ secret(secretAt + 40));
            s6 += d7 + halvesProduct(d6 ^ secret(secretAt + 48));
            s7 += d6 + halvesProduct(d7 ^ secret(secretAt + 56));
        }
        sums[0] = s0;
        sums[1] = s1;
        sums[2] = s2;
        sums[3] = s3;
        sums[4] = s4;
        sums[5] = s5;
        sums[6] = s6;
        sums[7] = s7;
    }

    private static void accumulateStripe(long[] sums, MemorySegment data, long at, int secretAt) {
        for (int i = 0; i < 8; i++) {
            long word = data.get(LONG, at + 8L * i);
            sums[i ^ 1] += word;
            sums[i] += halvesProduct(word ^ secret(secretAt + 8L * i));
        }
    }

    private static void scramble(long[] sums) {
        for (int i = 0; i < 8; i++) {
            sums[i] = (sums[i] ^ (sums[i] >>> 47) ^ secret(SCRAMBLE_AT + 8L * i)) * P32_1;
        }
    }

    private static long merge(long[] sums, int secretAt, long start) {
        long result = start;
        for (int i = 0; i < 4; i++) {
            result += foldedProduct(
                    sums[2 * i] ^ secret(secretAt + 16L * i), sums[2 * i + 1] ^ secret(secretAt + 16L * i + 8));
        }
        return avalanche(result);
    }

    private static long halvesProduct(long key) {
        return (key & 0xFFFFFFFFL) * (key >>> 32);
    }

    private static long foldedProduct(long left, long right) {
        return (left * right) ^ Math.unsignedMultiplyHigh(left, right);
    }

    private static long avalanche(long hash) {
        long mixed = (hash ^ (hash >>> 37)) * PRIME_MX1;
        return mixed ^ (mixed >>> 32);
    }

    /** The final mix of XXH64, which XXH3 keeps for its shortest inputs. */
    private static long avalanche64(long hash) {
        long mixed = (hash ^ (hash >>> 33)) * P64_2;
        mixed = (mixed ^ (mixed >>> 29)) * P64_3;
        return mixed ^ (mixed >>> 32);
    }
}
