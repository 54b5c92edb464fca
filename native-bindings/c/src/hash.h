/* What hash.c shares with the digest functions. Not installed, not exported. */
#ifndef TIDEMARK_HASH_H
#define TIDEMARK_HASH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TIDEMARK_HIDDEN __attribute__((visibility("hidden")))

/*
 * Digests of `count` blocks of block_bytes each, one after the other. Blocks are whole; a short last block is a call
 * of its own with count 1.
 */
typedef void (*tidemark_digest_blocks)(const uint8_t *data, size_t block_bytes, size_t count, uint8_t *digests);

struct tidemark_algorithm {
    tidemark_digest_blocks digest;
    size_t digest_bytes;
};

/* hash.c: the fastest code this processor runs. 0, or -EINVAL for a code that is not known. */
TIDEMARK_HIDDEN int tidemark_find_algorithm(int32_t code, struct tidemark_algorithm *found);

/* hash.c: all blocks of a buffer, the short last one too. Returns how many. */
TIDEMARK_HIDDEN uint64_t tidemark_digest_all(const struct tidemark_algorithm *with, const uint8_t *data,
                                             uint64_t length_bytes, uint32_t block_bytes, uint8_t *digests);

/* xxh3.c, compiled once for each instruction set. */
TIDEMARK_HIDDEN void tidemark_xxh3_baseline(const uint8_t *data, size_t block_bytes, size_t count, uint8_t *digests);
#ifdef TIDEMARK_XXH3_X86_VARIANTS
TIDEMARK_HIDDEN void tidemark_xxh3_avx2(const uint8_t *data, size_t block_bytes, size_t count, uint8_t *digests);
TIDEMARK_HIDDEN void tidemark_xxh3_avx512(const uint8_t *data, size_t block_bytes, size_t count, uint8_t *digests);
#endif

/* sha256.c: the processor's SHA instructions where it has them, else portable C. Both are reachable for tests. */
TIDEMARK_HIDDEN void tidemark_sha256(const uint8_t *data, size_t block_bytes, size_t count, uint8_t *digests);
TIDEMARK_HIDDEN void tidemark_sha256_portable(const uint8_t *data, size_t block_bytes, size_t count,
                                              uint8_t *digests);

/* blocks.c: 0, or -EINVAL for a size outside the contract. */
TIDEMARK_HIDDEN int tidemark_check_block_bytes(uint32_t block_bytes);

/* blocks.c: blocks in length_bytes, the short last one included. block_bytes is a checked power of two. */
TIDEMARK_HIDDEN uint64_t tidemark_block_count(uint64_t length_bytes, uint32_t block_bytes);

/* blocks.c: whether every byte is zero. */
TIDEMARK_HIDDEN bool tidemark_all_zero(const uint8_t *data, size_t length_bytes);

/* blocks.c: whether both hold the same bytes; fetches ahead, which memory that no cache holds is read faster with. */
TIDEMARK_HIDDEN bool tidemark_same_bytes(const uint8_t *left, const uint8_t *right, size_t length_bytes);

#endif
