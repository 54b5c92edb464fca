/* SHA-256 (FIPS 180-4) of blocks: portable C, and the x86 SHA instructions where the processor has them. */
#include "hash.h"

#include <string.h>

#define CHUNK_BYTES 64u
#define DIGEST_BYTES 32u

/* FIPS 180-4, 4.2.2 */
static const uint32_t ROUND[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

/* FIPS 180-4, 5.3.3 */
static const uint32_t INITIAL[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                    0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};

typedef void (*compress_chunks)(uint32_t state[8], const uint8_t *data, size_t chunks);

static uint32_t load_big_endian(const uint8_t *from) {
    return (uint32_t)from[0] << 24 | (uint32_t)from[1] << 16 | (uint32_t)from[2] << 8 | (uint32_t)from[3];
}

static void store_big_endian(uint8_t *to, uint32_t value) {
    to[0] = (uint8_t)(value >> 24);
    to[1] = (uint8_t)(value >> 16);
    to[2] = (uint8_t)(value >> 8);
    to[3] = (uint8_t)value;
}

static uint32_t rotate_right(uint32_t value, unsigned bits) {
    return value >> bits | value << (32 - bits);
}

static void schedule(uint32_t w[64], const uint8_t *chunk) {
    for (int t = 0; t < 16; t++) {
        w[t] = load_big_endian(chunk + 4 * t);
    }
    for (int t = 16; t < 64; t++) {
        uint32_t s0 = rotate_right(w[t - 15], 7) ^ rotate_right(w[t - 15], 18) ^ w[t - 15] >> 3;
        uint32_t s1 = rotate_right(w[t - 2], 17) ^ rotate_right(w[t - 2], 19) ^ w[t - 2] >> 10;
        w[t] = w[t - 16] + s0 + w[t - 7] + s1;
    }
}

static void compress_portable(uint32_t state[8], const uint8_t *data, size_t chunks) {
    for (; chunks > 0; chunks--, data += CHUNK_BYTES) {
        uint32_t w[64];
        uint32_t v[8];
        schedule(w, data);
        memcpy(v, state, sizeof v);
        for (int t = 0; t < 64; t++) {
            uint32_t sum1 = rotate_right(v[4], 6) ^ rotate_right(v[4], 11) ^ rotate_right(v[4], 25);
            uint32_t choice = (v[4] & v[5]) ^ (~v[4] & v[6]);
            uint32_t t1 = v[7] + sum1 + choice + ROUND[t] + w[t];
            uint32_t sum0 = rotate_right(v[0], 2) ^ rotate_right(v[0], 13) ^ rotate_right(v[0], 22);
            uint32_t majority = (v[0] & v[1]) ^ (v[0] & v[2]) ^ (v[1] & v[2]);
            memmove(v + 1, v, 7 * sizeof v[0]);
            v[4] += t1;
            v[0] = t1 + sum0 + majority;
        }
        for (int i = 0; i < 8; i++) {
            state[i] += v[i];
        }
    }
}

#if defined(__x86_64__)
#include <immintrin.h>

/*
 * The state lives in two registers as the instructions want it, ABEF and CDGH; each loop turn does four rounds and
 * prepares the message words that are needed twelve rounds later.
 */
__attribute__((target("sha,sse4.1,ssse3"))) static void compress_sha_ni(uint32_t state[8], const uint8_t *data,
                                                                          size_t chunks) {
    const __m128i swap = _mm_set_epi64x(0x0c0d0e0f08090a0bLL, 0x0405060700010203LL);
    __m128i dcba = _mm_loadu_si128((const __m128i *)(const void *)&state[0]);
    __m128i hgfe = _mm_loadu_si128((const __m128i *)(const void *)&state[4]);
    __m128i cdab = _mm_shuffle_epi32(dcba, 0xb1);
    __m128i efgh = _mm_shuffle_epi32(hgfe, 0x1b);
    __m128i abef = _mm_alignr_epi8(cdab, efgh, 8);
    __m128i cdgh = _mm_blend_epi16(efgh, cdab, 0xf0);
    for (; chunks > 0; chunks--, data += CHUNK_BYTES) {
        __m128i abef_before = abef;
        __m128i cdgh_before = cdgh;
        __m128i w[4];
        for (int i = 0; i < 4; i++) {
            w[i] = _mm_shuffle_epi8(_mm_loadu_si128((const __m128i *)(const void *)(data + 16 * i)), swap);
        }
#pragma GCC unroll 16
        for (int i = 0; i < 16; i++) {
            __m128i constants = _mm_loadu_si128((const __m128i *)(const void *)&ROUND[4 * i]);
            __m128i sum = _mm_add_epi32(w[i & 3], constants);
            cdgh = _mm_sha256rnds2_epu32(cdgh, abef, sum);
            abef = _mm_sha256rnds2_epu32(abef, cdgh, _mm_shuffle_epi32(sum, 0x0e));
            if (i < 12) {
                __m128i older = _mm_sha256msg1_epu32(w[i & 3], w[(i + 1) & 3]);
                __m128i middle = _mm_alignr_epi8(w[(i + 3) & 3], w[(i + 2) & 3], 4);
                w[i & 3] = _mm_sha256msg2_epu32(_mm_add_epi32(older, middle), w[(i + 3) & 3]);
            }
        }
        abef = _mm_add_epi32(abef, abef_before);
        cdgh = _mm_add_epi32(cdgh, cdgh_before);
    }
    __m128i feba = _mm_shuffle_epi32(abef, 0x1b);
    __m128i dchg = _mm_shuffle_epi32(cdgh, 0xb1);
    _mm_storeu_si128((__m128i *)(void *)&state[0], _mm_blend_epi16(feba, dchg, 0xf0));
    _mm_storeu_si128((__m128i *)(void *)&state[4], _mm_alignr_epi8(dchg, feba, 8));
}

/*
 * CPUID leaf 7, EBX bit 29; __builtin_cpu_supports of gcc 12 and clang 14 does not know "sha". Asked once, when the
 * library is loaded: under a hypervisor the instruction traps and costs more than hashing a small block.
 */
#include <cpuid.h>

static int has_sha_ni;

__attribute__((constructor)) static void detect_sha_ni(void) {
    unsigned eax, ebx, ecx, edx;
    __builtin_cpu_init();
    has_sha_ni = __builtin_cpu_supports("sse4.1") && __get_cpuid_count(7, 0, &eax, &ebx, &ecx, &edx) && (ebx >> 29 & 1);
}
#endif

static void digest(compress_chunks compress, const uint8_t *data, size_t length, uint8_t *out) {
    uint32_t state[8];
    uint8_t tail[2 * CHUNK_BYTES] = {0};
    size_t rest = length % CHUNK_BYTES;
    size_t tail_chunks = rest < CHUNK_BYTES - 8 ? 1 : 2;
    uint64_t bits = (uint64_t)length * 8;
    memcpy(state, INITIAL, sizeof state);
    compress(state, data, length / CHUNK_BYTES);
    memcpy(tail, data + (length - rest), rest);
    tail[rest] = 0x80;
    store_big_endian(tail + tail_chunks * CHUNK_BYTES - 8, (uint32_t)(bits >> 32));
    store_big_endian(tail + tail_chunks * CHUNK_BYTES - 4, (uint32_t)bits);
    compress(state, tail, tail_chunks);
    for (int i = 0; i < 8; i++) {
        store_big_endian(out + 4 * i, state[i]);
    }
}

static void digest_blocks(compress_chunks compress, const uint8_t *data, size_t block_bytes, size_t count,
                          uint8_t *digests) {
    for (size_t i = 0; i < count; i++) {
        digest(compress, data + i * block_bytes, block_bytes, digests + i * DIGEST_BYTES);
    }
}

void tidemark_sha256_portable(const uint8_t *data, size_t block_bytes, size_t count, uint8_t *digests) {
    digest_blocks(compress_portable, data, block_bytes, count, digests);
}

void tidemark_sha256(const uint8_t *data, size_t block_bytes, size_t count, uint8_t *digests) {
#if defined(__x86_64__)
    if (has_sha_ni) {
        digest_blocks(compress_sha_ni, data, block_bytes, count, digests);
        return;
    }
#endif
    digest_blocks(compress_portable, data, block_bytes, count, digests);
}
