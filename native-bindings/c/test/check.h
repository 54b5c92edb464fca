/* What the C tests share: a check that names its line, and bytes from a seed. */
#ifndef TIDEMARK_TEST_CHECK_H
#define TIDEMARK_TEST_CHECK_H

#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHECK_EQUAL(actual, expected)                                                                                \
    do {                                                                                                             \
        int64_t actual_ = (int64_t)(actual);                                                                         \
        int64_t expected_ = (int64_t)(expected);                                                                     \
        if (actual_ != expected_) {                                                                                  \
            fprintf(stderr, "%s:%d: %s is %" PRId64 ", expected %" PRId64 "\n", __FILE__, __LINE__, #actual, actual_, \
                    expected_);                                                                                      \
            exit(1);                                                                                                 \
        }                                                                                                            \
    } while (0)

#define CHECK(condition) CHECK_EQUAL(!!(condition), 1)

/* xorshift64*: enough to fill buffers; the seed is printed by whoever fails. */
static inline uint64_t next_random(uint64_t *seed) {
    *seed ^= *seed >> 12;
    *seed ^= *seed << 25;
    *seed ^= *seed >> 27;
    return *seed * 0x2545F4914F6CDD1DULL;
}

/* A buffer of exactly so many bytes, so that the sanitizer sees one byte too many. Never NULL. */
static inline uint8_t *exact_buffer(size_t bytes) {
    uint8_t *buffer = malloc(bytes == 0 ? 1 : bytes);
    if (buffer == NULL) {
        abort();
    }
    return buffer;
}

static inline uint8_t *random_buffer(size_t bytes, uint64_t *seed) {
    uint8_t *buffer = exact_buffer(bytes);
    for (size_t i = 0; i < bytes; i++) {
        buffer[i] = (uint8_t)(next_random(seed) >> 32);
    }
    return buffer;
}

#endif
