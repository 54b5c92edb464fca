/*
 * libFuzzer: any bytes, cut into blocks of any allowed or forbidden size, must give what plain loops give, on every
 * path, without one byte read or written outside the buffers. `build.sh --fuzz` builds it; `build.sh --test` runs it
 * over seeds (seeds_main.c).
 */
#include "check.h"
#include "hash.h"
#include "tidemark_block.h"

struct question {
    uint32_t block_bytes;
    int32_t algorithm;
    size_t length;
    const uint8_t *left;
    const uint8_t *right;
};

static size_t block_length(const struct question *q, size_t index) {
    size_t rest = q->length - index * q->block_bytes;
    return rest < q->block_bytes ? rest : q->block_bytes;
}

static int is_zero(const uint8_t *data, size_t length) {
    for (size_t i = 0; i < length; i++) {
        if (data[i] != 0) {
            return 0;
        }
    }
    return 1;
}

static void check_marks(const struct question *q, size_t blocks) {
    size_t bitmap_bytes = (blocks + 7) / 8;
    uint8_t *differing = exact_buffer(bitmap_bytes);
    uint8_t *zero = exact_buffer(bitmap_bytes);
    memset(differing, 0, bitmap_bytes);
    memset(zero, 0, bitmap_bytes);
    int64_t differing_count =
        tidemark_diff_blocks(q->left, q->right, q->length, q->block_bytes, differing, bitmap_bytes);
    int64_t zero_count = tidemark_zero_blocks(q->left, q->length, q->block_bytes, zero, bitmap_bytes);
    for (size_t i = 0; i < blocks; i++) {
        size_t at = i * q->block_bytes;
        int differs = memcmp(q->left + at, q->right + at, block_length(q, i)) != 0;
        CHECK_EQUAL(differing[i / 8] >> (i % 8) & 1, differs);
        CHECK_EQUAL(zero[i / 8] >> (i % 8) & 1, is_zero(q->left + at, block_length(q, i)));
        differing_count -= differs;
        zero_count -= is_zero(q->left + at, block_length(q, i));
    }
    CHECK_EQUAL(differing_count, 0);
    CHECK_EQUAL(zero_count, 0);
    free(differing);
    free(zero);
}

static void check_digests(const struct question *q, size_t blocks) {
    size_t digest_bytes = q->algorithm == TIDEMARK_HASH_SHA_256 ? 32 : 16;
    uint8_t *digests = exact_buffer(blocks * digest_bytes);
    uint8_t one[32];
    CHECK_EQUAL(tidemark_hash_blocks(q->left, q->length, q->block_bytes, q->algorithm, digests, blocks * digest_bytes),
                blocks);
    for (size_t i = 0; i < blocks; i++) {
        const uint8_t *block = q->left + i * q->block_bytes;
        if (q->algorithm == TIDEMARK_HASH_SHA_256) {
            tidemark_sha256_portable(block, block_length(q, i), 1, one);
        } else {
            tidemark_xxh3_baseline(block, block_length(q, i), 1, one);
        }
        CHECK_EQUAL(memcmp(one, digests + i * digest_bytes, digest_bytes), 0);
    }
    free(digests);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size < 4) {
        return 0;
    }
    uint32_t raw_block = (uint32_t)data[0] << 8 | (uint32_t)data[1] << 16;
    struct question q = {
        .block_bytes = data[2] & 1 ? raw_block : 512u << (data[2] >> 1) % 16,
        .algorithm = data[3] % 4,
        .length = (size - 4) / 2,
    };
    uint8_t *left = exact_buffer(q.length);
    uint8_t *right = exact_buffer(q.length);
    memcpy(left, data + 4, q.length);
    memcpy(right, data + 4 + q.length, q.length);
    q.left = left;
    q.right = right;
    uint8_t none[1];
    if (tidemark_check_block_bytes(q.block_bytes) != 0) {
        CHECK(tidemark_diff_blocks(left, right, q.length, q.block_bytes, none, UINT64_MAX) < 0);
        CHECK(tidemark_hash_blocks(left, q.length, q.block_bytes, 1, none, UINT64_MAX) < 0);
    } else {
        size_t blocks = (size_t)tidemark_block_count(q.length, q.block_bytes);
        check_marks(&q, blocks);
        if (q.algorithm == TIDEMARK_HASH_XXH3_128 || q.algorithm == TIDEMARK_HASH_SHA_256) {
            check_digests(&q, blocks);
        } else {
            CHECK(tidemark_hash_blocks(left, q.length, q.block_bytes, q.algorithm, none, UINT64_MAX) < 0);
        }
    }
    free(left);
    free(right);
    return 0;
}
