/* io_uring(7) without liburing: two calls, three mappings, and the order of loads and stores the manual asks for. */
#define _GNU_SOURCE
#include "ring.h"

#include "work.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

static void *map(int fd, size_t bytes, off_t what) {
    return mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, fd, what);
}

static void *at(void *start, uint32_t offset) {
    return (uint8_t *)start + offset;
}

void tidemark_ring_close(struct tidemark_ring *ring) {
    if (ring->sq_map != MAP_FAILED) {
        munmap(ring->sq_map, ring->sq_map_bytes);
    }
    if (ring->cq_map != MAP_FAILED) {
        munmap(ring->cq_map, ring->cq_map_bytes);
    }
    if ((void *)ring->sqes != MAP_FAILED) {
        munmap(ring->sqes, ring->sqes_bytes);
    }
    close(ring->fd);
}

int tidemark_ring_open(struct tidemark_ring *ring, unsigned entries) {
    struct io_uring_params params;
    memset(&params, 0, sizeof params);
    memset(ring, 0, sizeof *ring);
    long fd = syscall(__NR_io_uring_setup, entries, &params);
    if (fd < 0) {
        return -errno;
    }
    ring->fd = (int)fd;
    ring->sq_map_bytes = params.sq_off.array + params.sq_entries * sizeof(unsigned);
    ring->cq_map_bytes = params.cq_off.cqes + params.cq_entries * sizeof(struct io_uring_cqe);
    ring->sqes_bytes = params.sq_entries * sizeof(struct io_uring_sqe);
    ring->sq_map = map(ring->fd, ring->sq_map_bytes, IORING_OFF_SQ_RING);
    ring->cq_map = map(ring->fd, ring->cq_map_bytes, IORING_OFF_CQ_RING);
    ring->sqes = map(ring->fd, ring->sqes_bytes, IORING_OFF_SQES);
    if (ring->sq_map == MAP_FAILED || ring->cq_map == MAP_FAILED || (void *)ring->sqes == MAP_FAILED) {
        tidemark_ring_close(ring);
        return -ENOMEM;
    }
    ring->sq_tail = at(ring->sq_map, params.sq_off.tail);
    ring->sq_mask = *(unsigned *)at(ring->sq_map, params.sq_off.ring_mask);
    ring->sq_slots = at(ring->sq_map, params.sq_off.array);
    ring->cq_head = at(ring->cq_map, params.cq_off.head);
    ring->cq_tail = at(ring->cq_map, params.cq_off.tail);
    ring->cq_mask = *(unsigned *)at(ring->cq_map, params.cq_off.ring_mask);
    ring->cqes = at(ring->cq_map, params.cq_off.cqes);
    return 0;
}

bool tidemark_ring_works(void) {
    struct tidemark_ring ring;
    if (tidemark_ring_open(&ring, 1) != 0) {
        return false;
    }
    tidemark_ring_close(&ring);
    return true;
}

void tidemark_ring_read(struct tidemark_ring *ring, int fd, uint8_t *buffer, uint32_t length_bytes,
                        uint64_t offset_bytes, uint64_t tag) {
    unsigned tail = *ring->sq_tail;
    unsigned slot = tail & ring->sq_mask;
    struct io_uring_sqe *sqe = &ring->sqes[slot];
    memset(sqe, 0, sizeof *sqe);
    sqe->opcode = IORING_OP_READ;
    sqe->fd = fd;
    sqe->addr = (uint64_t)(uintptr_t)buffer;
    sqe->len = length_bytes;
    sqe->off = offset_bytes;
    sqe->user_data = tag;
    ring->sq_slots[slot] = slot;
    /* The kernel must see the entry before the tail that covers it. */
    __atomic_store_n(ring->sq_tail, tail + 1, __ATOMIC_RELEASE);
    ring->unsubmitted++;
}

int tidemark_ring_enter(struct tidemark_ring *ring, unsigned ended) {
    unsigned flags = ended > 0 ? IORING_ENTER_GETEVENTS : 0;
    for (;;) {
        long entered = syscall(__NR_io_uring_enter, ring->fd, ring->unsubmitted, ended, flags, NULL, 0);
        if (entered >= 0) {
            ring->unsubmitted -= (unsigned)entered;
            return 0;
        }
        if (errno != EINTR && errno != EAGAIN && errno != EBUSY) {
            return -errno;
        }
    }
}

int tidemark_ring_take(struct tidemark_ring *ring, uint64_t *tag, int32_t *result) {
    unsigned head = *ring->cq_head;
    if (head == __atomic_load_n(ring->cq_tail, __ATOMIC_ACQUIRE)) {
        return 0;
    }
    const struct io_uring_cqe *cqe = &ring->cqes[head & ring->cq_mask];
    *tag = cqe->user_data;
    *result = cqe->res;
    /* The kernel may write over the entry from here on. */
    __atomic_store_n(ring->cq_head, head + 1, __ATOMIC_RELEASE);
    return 1;
}
