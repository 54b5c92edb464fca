/* Kernels over buffers of exact size, against plain loops, under the sanitizers. */
#include "check.h"
#include "hash.h"
#include "tidemark_block.h"

#include <errno.h>

#define CASES 300
#define LENGTH_MAX 20000

static int bit_at(const uint8_t *bits, uint64_t index) {
    return bits[index / 8] >> (index % 8) & 1;
}

static void marks_what_a_plain_loop_marks(void) {
    for (uint64_t number = 1; number <= CASES; number++) {
        uint64_t seed = number;
        size_t length = next_random(&seed) % LENGTH_MAX;
        uint32_t block = 512u << next_random(&seed) % 4;
        size_t blocks = (length + block - 1) / block;
        size_t bitmap = (blocks + 7) / 8;
        uint8_t *left = exact_buffer(length);
        uint8_t *right = exact_buffer(length);
        uint8_t *differing = exact_buffer(bitmap);
        uint8_t *zero = exact_buffer(bitmap);
        memset(left, 0, length);
        memset(right, 0, length);
        memset(differing, 0, bitmap);
        memset(zero, 0, bitmap);
        for (uint64_t flips = next_random(&seed) % 6; flips > 0 && length > 0; flips--) {
            right[next_random(&seed) % length] ^= (uint8_t)next_random(&seed);
        }
        int64_t expected = 0;
        for (size_t i = 0; i < blocks; i++) {
            size_t end = (i + 1) * block < length ? (i + 1) * block : length;
            expected += memcmp(left + i * block, right + i * block, end - i * block) != 0;
        }
        CHECK_EQUAL(tidemark_diff_blocks(left, right, length, block, differing, bitmap), expected);
        CHECK_EQUAL(tidemark_zero_blocks(right, length, block, zero, bitmap), (int64_t)blocks - expected);
        for (size_t i = 0; i < blocks; i++) {
            CHECK_EQUAL(bit_at(differing, i), !bit_at(zero, i));
        }
        free(left);
        free(right);
        free(differing);
        free(zero);
    }
}

typedef void (*digest_function)(const uint8_t *, size_t, size_t, uint8_t *);

static void same_digests(digest_function one, digest_function other, size_t digest_bytes) {
    for (size_t length = 1; length < 1200; length++) {
        uint64_t seed = length;
        uint8_t *data = random_buffer(length, &seed);
        uint8_t *first = exact_buffer(digest_bytes);
        uint8_t *second = exact_buffer(digest_bytes);
        one(data, length, 1, first);
        other(data, length, 1, second);
        CHECK_EQUAL(memcmp(first, second, digest_bytes), 0);
        free(data);
        free(first);
        free(second);
    }
}

static void every_instruction_set_gives_the_same_digests(void) {
    same_digests(tidemark_sha256, tidemark_sha256_portable, 32);
#ifdef TIDEMARK_XXH3_X86_VARIANTS
    if (__builtin_cpu_supports("avx2")) {
        same_digests(tidemark_xxh3_baseline, tidemark_xxh3_avx2, 16);
    }
    if (__builtin_cpu_supports("avx512f")) {
        same_digests(tidemark_xxh3_baseline, tidemark_xxh3_avx512, 16);
    }
#endif
}

static void digest_is(int32_t algorithm, const char *text, const char *expected) {
    uint8_t digest[32];
    char hex[2 * sizeof digest + 1];
    size_t digest_bytes = algorithm == TIDEMARK_HASH_SHA_256 ? 32 : 16;
    CHECK_EQUAL(tidemark_hash_blocks((const uint8_t *)text, strlen(text), 512, algorithm, digest, digest_bytes), 1);
    for (size_t i = 0; i < digest_bytes; i++) {
        snprintf(hex + 2 * i, 3, "%02x", digest[i]);
    }
    CHECK_EQUAL(strcmp(hex, expected), 0);
}

/* FIPS 180-4 examples of NIST; xxhsum -H2. Both SHA-256 paths are equal by the test above. */
static void known_answers(void) {
    digest_is(TIDEMARK_HASH_SHA_256, "abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    digest_is(TIDEMARK_HASH_SHA_256, "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
              "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
    digest_is(TIDEMARK_HASH_XXH3_128, "abc", "06b05ab6733a618578af5f94892f3950");
}

static void blocks_are_hashed_one_by_one(void) {
    uint64_t seed = 7;
    size_t length = 5 * 512 + 3;
    uint8_t *data = random_buffer(length, &seed);
    for (int32_t algorithm = TIDEMARK_HASH_XXH3_128; algorithm <= TIDEMARK_HASH_SHA_256; algorithm++) {
        size_t digest_bytes = algorithm == TIDEMARK_HASH_SHA_256 ? 32 : 16;
        uint8_t *all = exact_buffer(6 * digest_bytes);
        uint8_t one[32];
        CHECK_EQUAL(tidemark_hash_blocks(data, length, 512, algorithm, all, 6 * digest_bytes), 6);
        for (size_t i = 0; i < 6; i++) {
            size_t bytes = i < 5 ? 512 : 3;
            CHECK_EQUAL(tidemark_hash_blocks(data + i * 512, bytes, 512, algorithm, one, sizeof one), 1);
            CHECK_EQUAL(memcmp(all + i * digest_bytes, one, digest_bytes), 0);
        }
        free(all);
    }
    free(data);
}

static void bad_arguments_are_refused(void) {
    uint8_t data[1024] = {0};
    uint8_t out[32] = {0};
    const uint32_t bad[] = {0, 1, 256, 511, 513, 3 << 20, 32u << 20, UINT32_MAX};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        CHECK_EQUAL(tidemark_diff_blocks(data, data, sizeof data, bad[i], out, sizeof out), -EINVAL);
        CHECK_EQUAL(tidemark_zero_blocks(data, sizeof data, bad[i], out, sizeof out), -EINVAL);
        CHECK_EQUAL(tidemark_hash_blocks(data, sizeof data, bad[i], 1, out, sizeof out), -EINVAL);
    }
    CHECK_EQUAL(tidemark_diff_blocks(data, data, 1024, 512, out, 0), -ERANGE);
    CHECK_EQUAL(tidemark_zero_blocks(data, UINT64_MAX, 512, out, sizeof out), -ERANGE);
    CHECK_EQUAL(tidemark_hash_blocks(data, 1024, 512, 1, out, 31), -ERANGE);
    CHECK_EQUAL(tidemark_hash_blocks(data, UINT64_MAX, 512, 2, out, sizeof out), -ERANGE);
    CHECK_EQUAL(tidemark_hash_blocks(data, 1024, 512, 0, out, sizeof out), -EINVAL);
    CHECK_EQUAL(tidemark_hash_blocks(data, 1024, 512, 3, out, sizeof out), -EINVAL);
    CHECK_EQUAL(tidemark_hash_blocks(NULL, 0, 512, 1, NULL, 0), 0);
    CHECK_EQUAL(tidemark_diff_blocks(NULL, NULL, 0, 512, NULL, 0), 0);
}

int main(void) {
    CHECK_EQUAL(tidemark_block_abi(), TIDEMARK_BLOCK_ABI);
    marks_what_a_plain_loop_marks();
    every_instruction_set_gives_the_same_digests();
    known_answers();
    blocks_are_hashed_one_by_one();
    bad_arguments_are_refused();
    return 0;
}
