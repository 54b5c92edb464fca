/*
 * Reading past the page cache (O_DIRECT): by io_uring with many reads under way in each thread, or by many threads with
 * pread. Offsets and lengths are widened to what devices demand; the piece is then a part of what was read.
 */
#define _GNU_SOURCE
#include "ring.h"
#include "work.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Pieces under way in each thread: 16 ms of a disk of 1 GB/s, which stays busy while the thread waits for a core. */
#define DEPTH 16u

#define ALIGN_MASK ((uint64_t)TIDEMARK_DIRECT_ALIGNMENT - 1)

/* One file's part of a piece under way. */
struct part {
    uint8_t *buffer;
    size_t wanted_bytes; /* lead and piece, rounded up */
    size_t needed_bytes; /* lead and piece */
};

struct slot {
    struct tidemark_piece piece;
    struct part parts[TIDEMARK_FILES_MAX];
    uint64_t from_bytes; /* rounded down */
    unsigned unread;     /* parts whose read has not ended */
    int failure;
};

static size_t buffer_bytes(const struct tidemark_work *work) {
    return ((work->piece_bytes + ALIGN_MASK) & ~ALIGN_MASK) + 2 * TIDEMARK_DIRECT_ALIGNMENT;
}

static void free_slot(struct tidemark_work *work, struct slot *slot) {
    for (int i = 0; i < work->files; i++) {
        free(slot->parts[i].buffer);
    }
}

static int prepare_slot(struct tidemark_work *work, struct slot *slot) {
    memset(slot, 0, sizeof *slot);
    int result = 0;
    for (int i = 0; i < work->files; i++) {
        slot->parts[i].buffer = aligned_alloc(TIDEMARK_DIRECT_ALIGNMENT, buffer_bytes(work));
        result = slot->parts[i].buffer == NULL ? -ENOMEM : result;
    }
    return result;
}

static void aim(struct tidemark_work *work, struct slot *slot) {
    slot->from_bytes = slot->piece.offset_bytes & ~ALIGN_MASK;
    size_t needed = (size_t)(slot->piece.offset_bytes - slot->from_bytes) + slot->piece.length_bytes;
    for (int i = 0; i < work->files; i++) {
        slot->parts[i].needed_bytes = needed;
        slot->parts[i].wanted_bytes = (needed + ALIGN_MASK) & ~ALIGN_MASK;
    }
    slot->unread = (unsigned)work->files;
    slot->failure = 0;
}

/* The rest of a read that ended early, or all of one that this kernel's io_uring could not do. */
static int read_rest(const struct slot *slot, int fd, const struct part *part, size_t have) {
    while (have < part->needed_bytes) {
        if ((have & ALIGN_MASK) != 0) {
            return -ENODATA;
        }
        ssize_t got = pread(fd, part->buffer + have, part->wanted_bytes - have, (off_t)(slot->from_bytes + have));
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got <= 0) {
            return got < 0 ? -errno : -ENODATA;
        }
        have += (size_t)got;
    }
    return 0;
}

static int take_slot(struct tidemark_work *work, struct slot *slot) {
    const uint8_t *bytes[TIDEMARK_FILES_MAX] = {NULL};
    for (int i = 0; i < work->files; i++) {
        bytes[i] = slot->parts[i].buffer + (slot->piece.offset_bytes - slot->from_bytes);
    }
    return tidemark_take_piece(work, slot->piece, bytes);
}

int tidemark_read_direct_pread(struct tidemark_work *work) {
    struct slot slot;
    int result = prepare_slot(work, &slot);
    while (result == 0 && (result = tidemark_next_piece(work, &slot.piece)) == 1) {
        result = 0;
        aim(work, &slot);
        for (int i = 0; i < work->files && result == 0; i++) {
            result = read_rest(&slot, work->fds[i], &slot.parts[i], 0);
        }
        if (result == 0) {
            /* More threads wait for the device than there are to compute. */
            while (sem_wait(&work->computing) != 0) {
            }
            result = take_slot(work, &slot);
            sem_post(&work->computing);
        }
    }
    free_slot(work, &slot);
    return result;
}

struct reads {
    struct tidemark_ring ring;
    struct slot slots[DEPTH];
    unsigned pieces; /* under way */
    bool ended;      /* no further piece is asked for */
    int result;
};

static void stop(struct reads *reads, int result) {
    reads->ended = true;
    reads->result = reads->result == 0 ? result : reads->result;
}

/* Aims the slot at the next piece, if there is one. */
static void refill(struct tidemark_work *work, struct reads *reads, unsigned index) {
    struct slot *slot = &reads->slots[index];
    int found = reads->ended ? 0 : tidemark_next_piece(work, &slot->piece);
    if (found != 1) {
        stop(reads, found);
        return;
    }
    aim(work, slot);
    reads->pieces++;
    for (int i = 0; i < work->files; i++) {
        const struct part *part = &slot->parts[i];
        uint64_t tag = (uint64_t)index * TIDEMARK_FILES_MAX + (unsigned)i;
        tidemark_ring_read(&reads->ring, work->fds[i], part->buffer, (uint32_t)part->wanted_bytes, slot->from_bytes,
                           tag);
    }
    /* At once, so that the device is busy while the next piece is computed. A refusal shows again when waiting. */
    (void)tidemark_ring_enter(&reads->ring, 0);
}

static void ended(struct tidemark_work *work, struct reads *reads, uint64_t tag, int32_t bytes) {
    unsigned index = (unsigned)(tag / TIDEMARK_FILES_MAX);
    unsigned file = (unsigned)(tag % TIDEMARK_FILES_MAX);
    struct slot *slot = &reads->slots[index];
    int failure = read_rest(slot, work->fds[file], &slot->parts[file], bytes < 0 ? 0 : (size_t)bytes);
    slot->failure = slot->failure == 0 ? failure : slot->failure;
    if (--slot->unread > 0) {
        return;
    }
    reads->pieces--;
    /* While this piece is computed, the others of this thread are being read. */
    failure = slot->failure != 0 ? slot->failure : take_slot(work, slot);
    if (failure != 0) {
        stop(reads, failure);
        return;
    }
    refill(work, reads, index);
}

static int read_by_ring(struct tidemark_work *work, struct reads *reads) {
    for (unsigned i = 0; i < DEPTH; i++) {
        refill(work, reads, i);
    }
    while (reads->pieces > 0) {
        int failed = tidemark_ring_enter(&reads->ring, 1);
        if (failed != 0) {
            /* Cannot happen with a ring that worked before; buffers the kernel may still write to are not freed. */
            return failed;
        }
        uint64_t tag;
        int32_t bytes;
        while (tidemark_ring_take(&reads->ring, &tag, &bytes) == 1) {
            ended(work, reads, tag, bytes);
        }
    }
    for (unsigned i = 0; i < DEPTH; i++) {
        free_slot(work, &reads->slots[i]);
    }
    return reads->result;
}

int tidemark_read_direct(struct tidemark_work *work) {
    struct reads *reads = calloc(1, sizeof *reads);
    if (reads == NULL) {
        return -ENOMEM;
    }
    int result = tidemark_ring_open(&reads->ring, DEPTH * TIDEMARK_FILES_MAX);
    if (result != 0) {
        /* No memory for one more ring, perhaps: this thread reads by itself. */
        free(reads);
        return tidemark_read_direct_pread(work);
    }
    for (unsigned i = 0; i < DEPTH; i++) {
        int failed = prepare_slot(work, &reads->slots[i]);
        result = failed != 0 ? failed : result;
    }
    if (result == 0) {
        result = read_by_ring(work, reads);
    } else {
        for (unsigned i = 0; i < DEPTH; i++) {
            free_slot(work, &reads->slots[i]);
        }
    }
    tidemark_ring_close(&reads->ring);
    free(reads);
    return result;
}
