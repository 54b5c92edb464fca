/* Digests of blocks in memory, by the instruction set that the processor has. */
#include "hash.h"

#include "tidemark_block.h"

#include <errno.h>

/* Asked on each call: a load and a test, so that nothing has to be initialised or shared. */
static tidemark_digest_blocks fastest_xxh3(void) {
#ifdef TIDEMARK_XXH3_X86_VARIANTS
    if (__builtin_cpu_supports("avx512f")) {
        return tidemark_xxh3_avx512;
    }
    if (__builtin_cpu_supports("avx2")) {
        return tidemark_xxh3_avx2;
    }
#endif
    return tidemark_xxh3_baseline;
}

int tidemark_find_algorithm(int32_t code, struct tidemark_algorithm *found) {
    switch (code) {
    case TIDEMARK_HASH_XXH3_128:
        *found = (struct tidemark_algorithm){fastest_xxh3(), 16};
        return 0;
    case TIDEMARK_HASH_SHA_256:
        *found = (struct tidemark_algorithm){tidemark_sha256, 32};
        return 0;
    default:
        return -EINVAL;
    }
}

static int check_digests(uint64_t length_bytes, uint32_t block_bytes, int32_t code, uint64_t digests_bytes,
                         struct tidemark_algorithm *found) {
    if (tidemark_check_block_bytes(block_bytes) != 0 || tidemark_find_algorithm(code, found) != 0) {
        return -EINVAL;
    }
    return digests_bytes / found->digest_bytes >= tidemark_block_count(length_bytes, block_bytes) ? 0 : -ERANGE;
}

uint64_t tidemark_digest_all(const struct tidemark_algorithm *with, const uint8_t *data, uint64_t length_bytes,
                             uint32_t block_bytes, uint8_t *digests) {
    uint64_t whole = length_bytes / block_bytes;
    size_t rest = (size_t)(length_bytes % block_bytes);
    with->digest(data, block_bytes, (size_t)whole, digests);
    if (rest != 0) {
        with->digest(data + whole * block_bytes, rest, 1, digests + whole * with->digest_bytes);
    }
    return whole + (rest != 0);
}

int64_t tidemark_hash_blocks(const uint8_t *data, uint64_t length_bytes, uint32_t block_bytes, int32_t algorithm,
                             uint8_t *digests, uint64_t digests_bytes) {
    struct tidemark_algorithm with;
    int refused = check_digests(length_bytes, block_bytes, algorithm, digests_bytes, &with);
    if (refused != 0) {
        return refused;
    }
    return length_bytes == 0 ? 0 : (int64_t)tidemark_digest_all(&with, data, length_bytes, block_bytes, digests);
}
