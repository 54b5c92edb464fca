/* As much of io_uring as reading takes, by its bare system calls. Not installed, not exported. */
#ifndef TIDEMARK_RING_H
#define TIDEMARK_RING_H

#include "hash.h"

#include <linux/io_uring.h>
#include <stddef.h>
#include <stdint.h>

/* One thread's. */
struct tidemark_ring {
    int fd;
    unsigned *sq_tail;
    unsigned sq_mask;
    unsigned *sq_slots;
    struct io_uring_sqe *sqes;
    unsigned *cq_head;
    unsigned *cq_tail;
    unsigned cq_mask;
    struct io_uring_cqe *cqes;
    unsigned unsubmitted;
    void *sq_map;
    void *cq_map;
    size_t sq_map_bytes;
    size_t cq_map_bytes;
    size_t sqes_bytes;
};

/* Returns 0 or a negative errno: EPERM or ENOSYS where io_uring is refused. */
TIDEMARK_HIDDEN int tidemark_ring_open(struct tidemark_ring *ring, unsigned entries);

/* Only when no read is under way. */
TIDEMARK_HIDDEN void tidemark_ring_close(struct tidemark_ring *ring);

/* Puts a read into the ring; at most as many as it has entries may be under way. */
TIDEMARK_HIDDEN void tidemark_ring_read(struct tidemark_ring *ring, int fd, uint8_t *buffer, uint32_t length_bytes,
                                        uint64_t offset_bytes, uint64_t tag);

/* Starts what was put in and waits until so many reads have ended. Returns 0 or a negative errno. */
TIDEMARK_HIDDEN int tidemark_ring_enter(struct tidemark_ring *ring, unsigned ended);

/* Takes one ended read: its tag, and bytes read or a negative errno. Returns 1, or 0 when none is there. */
TIDEMARK_HIDDEN int tidemark_ring_take(struct tidemark_ring *ring, uint64_t *tag, int32_t *result);

#endif
