/* Comparing blocks and finding those that hold nothing but zeros. */
#include "tidemark_block.h"

#include "hash.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

uint32_t tidemark_block_abi(void) {
    return TIDEMARK_BLOCK_ABI;
}

int tidemark_check_block_bytes(uint32_t block_bytes) {
    bool fits = block_bytes >= TIDEMARK_BLOCK_BYTES_MIN && block_bytes <= TIDEMARK_BLOCK_BYTES_MAX;
    return fits && (block_bytes & (block_bytes - 1)) == 0 ? 0 : -EINVAL;
}

uint64_t tidemark_block_count(uint64_t length_bytes, uint32_t block_bytes) {
    return length_bytes / block_bytes + (length_bytes % block_bytes != 0);
}

static int check_bitmap(uint64_t length_bytes, uint32_t block_bytes, uint64_t bitmap_bytes) {
    if (tidemark_check_block_bytes(block_bytes) != 0) {
        return -EINVAL;
    }
    uint64_t blocks = tidemark_block_count(length_bytes, block_bytes);
    return bitmap_bytes >= blocks / 8 + (blocks % 8 != 0) ? 0 : -ERANGE;
}

static inline void set_bit(uint8_t *bits, uint64_t index) {
    bits[index >> 3] |= (uint8_t)(1u << (index & 7));
}

/*
 * A run is all zeros when its first bytes are and every byte equals the one `head` bytes before it: so the C library's
 * vectorised memcmp does the work on every architecture.
 */
bool tidemark_all_zero(const uint8_t *data, size_t length_bytes) {
    static const uint8_t zeros[64];
    size_t head = length_bytes < sizeof zeros ? length_bytes : sizeof zeros;
    return memcmp(data, zeros, head) == 0 && memcmp(data, data + head, length_bytes - head) == 0;
}

/*
 * Bytes compared between fetches, and how far ahead these are. Two streams from memory, one core: 6.7 GB/s a side by
 * one memcmp a block, 7.9 with fetches 512 to 2,048 bytes ahead, where the memory ends.
 */
#define STEP_BYTES 256u
#define AHEAD_BYTES 1024u
#define LINE_BYTES 64u

bool tidemark_same_bytes(const uint8_t *left, const uint8_t *right, size_t length_bytes) {
    size_t at = 0;
    for (; length_bytes - at > AHEAD_BYTES + STEP_BYTES; at += STEP_BYTES) {
        for (size_t line = 0; line < STEP_BYTES; line += LINE_BYTES) {
            __builtin_prefetch(left + at + AHEAD_BYTES + line);
            __builtin_prefetch(right + at + AHEAD_BYTES + line);
        }
        if (memcmp(left + at, right + at, STEP_BYTES) != 0) {
            return false;
        }
    }
    return memcmp(left + at, right + at, length_bytes - at) == 0;
}

int64_t tidemark_diff_blocks(const uint8_t *left, const uint8_t *right, uint64_t length_bytes, uint32_t block_bytes,
                             uint8_t *differing_bits, uint64_t bitmap_bytes) {
    int refused = check_bitmap(length_bytes, block_bytes, bitmap_bytes);
    if (refused != 0) {
        return refused;
    }
    int64_t differing = 0;
    uint64_t index = 0;
    for (uint64_t at = 0; at < length_bytes; index++) {
        size_t length = length_bytes - at < block_bytes ? (size_t)(length_bytes - at) : block_bytes;
        if (memcmp(left + at, right + at, length) != 0) {
            set_bit(differing_bits, index);
            differing++;
        }
        at += length;
    }
    return differing;
}

int64_t tidemark_zero_blocks(const uint8_t *data, uint64_t length_bytes, uint32_t block_bytes, uint8_t *zero_bits,
                             uint64_t bitmap_bytes) {
    int refused = check_bitmap(length_bytes, block_bytes, bitmap_bytes);
    if (refused != 0) {
        return refused;
    }
    int64_t zero = 0;
    uint64_t index = 0;
    for (uint64_t at = 0; at < length_bytes; index++) {
        size_t length = length_bytes - at < block_bytes ? (size_t)(length_bytes - at) : block_bytes;
        if (tidemark_all_zero(data + at, length)) {
            set_bit(zero_bits, index);
            zero++;
        }
        at += length;
    }
    return zero;
}
