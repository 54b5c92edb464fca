/*
 * XXH3-128 of blocks. Compiled once for each instruction set that build.sh names, each time under another name
 * (TIDEMARK_XXH3_NAME); hash.c chooses at run time. The algorithm itself is the system's xxhash.h, all inlined.
 */
#define XXH_INLINE_ALL
#include <xxhash.h>

#include "hash.h"

void TIDEMARK_XXH3_NAME(const uint8_t *data, size_t block_bytes, size_t count, uint8_t *digests) {
    for (size_t i = 0; i < count; i++) {
        XXH128_hash_t hash = XXH3_128bits(data + i * block_bytes, block_bytes);
        XXH128_canonicalFromHash((XXH128_canonical_t *)(void *)(digests + i * sizeof(XXH128_canonical_t)), hash);
    }
}
