/* What the fuzz target over files makes of the fuzzer's bytes: decisions, and files in memory. */
#ifndef TIDEMARK_TEST_FUZZ_INPUT_H
#define TIDEMARK_TEST_FUZZ_INPUT_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "check.h"

#include <fcntl.h>
#include <stdbool.h>
#include <sys/mman.h>
#include <unistd.h>

/* Decisions, taken from the fuzzer's bytes; when these run out, each is the first of its kind. */
struct input {
    const uint8_t *at;
    size_t left;
};

struct image {
    int fd;
    char path[32];
    uint8_t *bytes; /* the same as in the file */
    size_t length;
};

static inline uint32_t pick(struct input *in, uint32_t below) {
    uint32_t value = 0;
    for (int i = 0; i < 2 && in->left > 0; i++, in->left--) {
        value = value << 8 | *in->at++;
    }
    return value % below;
}

static inline bool one_in(struct input *in, uint32_t many) {
    return pick(in, many) == many - 1;
}

/* Small and large numbers alike: 16 bits, moved by less than so many. */
static inline size_t pick_size(struct input *in, uint32_t shifts) {
    size_t value = pick(in, 65536);
    return value << pick(in, shifts);
}

static inline void fill(uint8_t *bytes, size_t length, uint64_t seed) {
    for (size_t at = 0; at < length; at += 8) {
        uint64_t random = next_random(&seed);
        memcpy(bytes + at, &random, length - at < 8 ? length - at : 8);
    }
}

/* A run of random bytes, of one value, or a hole, anywhere in the file. */
static inline void patch(struct input *in, const struct image *image) {
    if (image->length == 0) {
        return;
    }
    size_t at = (size_t)((uint64_t)pick(in, 65536) * image->length / 65536);
    size_t room = image->length - at;
    size_t length = 1 + pick_size(in, 7) % room;
    switch (pick(in, 4)) {
    case 0:
        fill(image->bytes + at, length, 1 + pick(in, 65535));
        break;
    case 1:
        memset(image->bytes + at, (int)pick(in, 256), length);
        break;
    case 2:
        length = 1;
        image->bytes[at] ^= 1;
        break;
    default:
        memset(image->bytes + at, 0, length);
        CHECK_EQUAL(fallocate(image->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (off_t)at, (off_t)length), 0);
        return;
    }
    CHECK_EQUAL(pwrite(image->fd, image->bytes + at, length, (off_t)at), length);
}

/* A file of so many bytes that begins as another one does; the rest is a hole. */
static inline void open_image(struct image *image, size_t length, const struct image *as) {
    image->fd = memfd_create("tidemark-fuzz", MFD_CLOEXEC);
    CHECK(image->fd >= 0);
    snprintf(image->path, sizeof image->path, "/proc/self/fd/%d", image->fd);
    image->length = length;
    image->bytes = exact_buffer(length);
    memset(image->bytes, 0, length);
    CHECK_EQUAL(ftruncate(image->fd, (off_t)length), 0);
    size_t same = as == NULL ? 0 : length < as->length ? length : as->length;
    if (same > 0) {
        memcpy(image->bytes, as->bytes, same);
        CHECK_EQUAL(pwrite(image->fd, image->bytes, same, 0), same);
    }
}

static inline void close_image(struct image *image) {
    free(image->bytes);
    close(image->fd);
}

#endif
