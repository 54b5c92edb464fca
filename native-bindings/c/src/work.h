/*
 * One call's work on one or two files: pieces handed out to threads, read in one of three ways, taken by the function
 * that computes. Not installed, not exported.
 */
#ifndef TIDEMARK_WORK_H
#define TIDEMARK_WORK_H

#include "hash.h"
#include "tidemark_block.h"

#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TIDEMARK_FILES_MAX 2

/* Of buffers, file offsets and lengths of O_DIRECT: no device in use asks for more. */
#define TIDEMARK_DIRECT_ALIGNMENT 4096u

/* What is read and computed at once: whole blocks, but for the last one of a range. */
struct tidemark_piece {
    uint64_t offset_bytes;
    size_t length_bytes;
};

/* Computes over one piece: bytes[i] is that of file i, valid during the call. On several threads at once. */
typedef void (*tidemark_take)(void *job, struct tidemark_piece piece, const uint8_t *const *bytes);

struct tidemark_work {
    const struct tidemark_reading *reading;
    struct tidemark_control *control;
    int files;
    int fds[TIDEMARK_FILES_MAX];
    size_t piece_bytes; /* a multiple of the block size */
    tidemark_take take;
    void *job;

    pthread_mutex_t cursor; /* guards the two below */
    uint64_t range;
    uint64_t within_bytes;

    sem_t computing;    /* where more threads read than may compute */
    atomic_int failure; /* the first thread's; others stop at their next piece */
};

/* What a thread runs: asks for pieces until there are none. Returns 0 or a negative errno. */
typedef int (*tidemark_reader)(struct tidemark_work *work);

/*
 * run.c: opens the files (paths, with NULL in place of a second), reads all ranges, closes them. `work` has reading,
 * control, take and job. Returns 0 or a negative errno.
 */
TIDEMARK_HIDDEN int tidemark_run_work(struct tidemark_work *work, const char *const *paths);

/* work.c: 0, or the errno with which the header refuses such a struct. */
TIDEMARK_HIDDEN int tidemark_check_reading(const struct tidemark_reading *reading);

/* work.c: blocks from base_bytes to the end of the last range. */
TIDEMARK_HIDDEN uint64_t tidemark_reading_blocks(const struct tidemark_reading *reading);

/*
 * work.c: the next piece, after as long a pause as the rate demands. Returns 1; 0 when there is none; or -ECANCELED,
 * also when another thread failed.
 */
TIDEMARK_HIDDEN int tidemark_next_piece(struct tidemark_work *work, struct tidemark_piece *piece);

/*
 * work.c: computes over what was read, and counts the piece as done. 0, or -ENODATA when a file now ends before the
 * piece does: what is read while it is cut may be zeros.
 */
TIDEMARK_HIDDEN int tidemark_take_piece(struct tidemark_work *work, struct tidemark_piece piece,
                                        const uint8_t *const *bytes);

/* work.c: fills the buffer. 0, -ENODATA when the file ends first, or what pread gives. */
TIDEMARK_HIDDEN int tidemark_read_fully(int fd, uint8_t *buffer, size_t length_bytes, uint64_t offset_bytes);

/* work.c: pread into a buffer that stays in the cache. */
TIDEMARK_HIDDEN int tidemark_read_buffered(struct tidemark_work *work);

/* mapping.c */
TIDEMARK_HIDDEN int tidemark_read_mapped(struct tidemark_work *work);

/* direct.c: files are open with O_DIRECT. */
TIDEMARK_HIDDEN int tidemark_read_direct(struct tidemark_work *work);
TIDEMARK_HIDDEN int tidemark_read_direct_pread(struct tidemark_work *work);

/* Threads that keep a device busy without io_uring. */
#define TIDEMARK_DIRECT_PREAD_THREADS 16u

/* ring.c: whether this process may use io_uring; many containers forbid it. */
TIDEMARK_HIDDEN bool tidemark_ring_works(void);

/* Sets a bit that shares its byte with other threads' bits. */
static inline void tidemark_set_bit_shared(uint8_t *bits, uint64_t index) {
    __atomic_fetch_or(&bits[index >> 3], (uint8_t)(1u << (index & 7)), __ATOMIC_RELAXED);
}

#endif
