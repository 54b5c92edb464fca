/* Handing out pieces of files to threads; pace, progress and cancellation. */
#define _GNU_SOURCE
#include "work.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* How often a thread that waits for its turn looks whether the call is cancelled. */
#define PAUSE_NANOS 20000000u

/* How far reading may be behind its rate and make up for it: one piece of a read at a rate, as run.c cuts them. */
#define CREDIT_NANOS 50000000u

#define NANOS_PER_SECOND 1000000000u

/* Of read buffers: the kernel copies whole pages faster. */
#define PAGE_BYTES 4096u

static uint64_t load(const uint64_t *shared) {
    return __atomic_load_n(shared, __ATOMIC_RELAXED);
}

static uint64_t now_nanos(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * NANOS_PER_SECOND + (uint64_t)now.tv_nsec;
}

static int check_range(const struct tidemark_reading *reading, uint64_t index, uint64_t from) {
    struct tidemark_range range = reading->ranges[index];
    uint32_t block = reading->block_bytes;
    bool last = index + 1 == reading->range_count;
    bool fits = range.offset_bytes >= from && range.offset_bytes % block == 0 && range.length_bytes != 0
                && range.offset_bytes <= INT64_MAX && range.length_bytes <= INT64_MAX - range.offset_bytes
                && (last || range.length_bytes % block == 0);
    return fits ? 0 : -EINVAL;
}

int tidemark_check_reading(const struct tidemark_reading *reading) {
    if (tidemark_check_block_bytes(reading->block_bytes) != 0 || reading->base_bytes % reading->block_bytes != 0
        || reading->threads < 1 || reading->threads > TIDEMARK_THREADS_MAX
        || reading->read_by < TIDEMARK_READ_MAPPED || reading->read_by > TIDEMARK_READ_DIRECT_PREAD) {
        return -EINVAL;
    }
    uint64_t from = reading->base_bytes;
    for (uint64_t i = 0; i < reading->range_count; i++) {
        if (check_range(reading, i, from) != 0) {
            return -EINVAL;
        }
        from = reading->ranges[i].offset_bytes + reading->ranges[i].length_bytes;
    }
    return 0;
}

uint64_t tidemark_reading_blocks(const struct tidemark_reading *reading) {
    if (reading->range_count == 0) {
        return 0;
    }
    struct tidemark_range last = reading->ranges[reading->range_count - 1];
    return tidemark_block_count(last.offset_bytes + last.length_bytes - reading->base_bytes, reading->block_bytes);
}

static bool stopped(struct tidemark_work *work) {
    return __atomic_load_n(&work->control->cancelled, __ATOMIC_RELAXED) != 0 || atomic_load(&work->failure) != 0;
}

/*
 * Time until bytes after so many others are due at a rate; not positive when they are. Who is behind by more than the
 * credit moves the start forward: time in which nothing was read is not made up for.
 */
static double nanos_until_due(struct tidemark_control *control, uint64_t before, uint64_t rate) {
    while (true) {
        uint64_t from = load(&control->paced_from_nanos);
        double left = (double)before / (double)rate * NANOS_PER_SECOND - (double)(int64_t)(now_nanos() - from);
        if (left >= -(double)CREDIT_NANOS) {
            return left;
        }
        uint64_t moved = from + (uint64_t)(-left - (double)CREDIT_NANOS);
        /* Where another thread has just moved it, this one may be behind no more. */
        if (__atomic_compare_exchange_n(&control->paced_from_nanos, &from, moved, false, __ATOMIC_RELAXED,
                                        __ATOMIC_RELAXED)) {
            return -(double)CREDIT_NANOS;
        }
    }
}

/* Waits until the rate allows bytes after those that were let through before. */
static int keep_pace(struct tidemark_work *work, uint64_t bytes) {
    struct tidemark_control *control = work->control;
    uint64_t rate = load(&control->rate_bytes_per_second);
    if (rate == 0) {
        return 0;
    }
    uint64_t unset = 0;
    (void)__atomic_compare_exchange_n(&control->paced_from_nanos, &unset, now_nanos(), false, __ATOMIC_RELAXED,
                                      __ATOMIC_RELAXED);
    uint64_t before = __atomic_fetch_add(&control->paced_bytes, bytes, __ATOMIC_RELAXED);
    for (double left = nanos_until_due(control, before, rate); left > 0;
         left = nanos_until_due(control, before, rate)) {
        if (stopped(work)) {
            return -ECANCELED;
        }
        struct timespec pause = {.tv_nsec = left < PAUSE_NANOS ? (long)left : (long)PAUSE_NANOS};
        nanosleep(&pause, NULL);
    }
    return 0;
}

int tidemark_next_piece(struct tidemark_work *work, struct tidemark_piece *piece) {
    if (stopped(work)) {
        return -ECANCELED;
    }
    const struct tidemark_reading *reading = work->reading;
    pthread_mutex_lock(&work->cursor);
    bool found = work->range < reading->range_count;
    if (found) {
        struct tidemark_range range = reading->ranges[work->range];
        uint64_t rest = range.length_bytes - work->within_bytes;
        piece->offset_bytes = range.offset_bytes + work->within_bytes;
        piece->length_bytes = rest < work->piece_bytes ? (size_t)rest : work->piece_bytes;
        work->within_bytes += piece->length_bytes;
        if (work->within_bytes == range.length_bytes) {
            work->range++;
            work->within_bytes = 0;
        }
    }
    pthread_mutex_unlock(&work->cursor);
    if (!found) {
        return 0;
    }
    int refused = keep_pace(work, (uint64_t)work->files * piece->length_bytes);
    return refused != 0 ? refused : 1;
}

/*
 * Of the page that holds a file's new end the rest reads as zeros, without a signal and, beside truncate(2), without a
 * short read. The size is lowered before that page is cleared, so who looks at it afterwards knows. A device has no
 * size here.
 */
static bool ended_before(int fd, struct tidemark_piece piece) {
    struct stat status;
    return fstat(fd, &status) == 0 && S_ISREG(status.st_mode)
           && (uint64_t)status.st_size < piece.offset_bytes + piece.length_bytes;
}

int tidemark_take_piece(struct tidemark_work *work, struct tidemark_piece piece, const uint8_t *const *bytes) {
    work->take(work->job, piece, bytes);
    for (int i = 0; i < work->files; i++) {
        if (ended_before(work->fds[i], piece)) {
            return -ENODATA;
        }
    }
    __atomic_fetch_add(&work->control->done_bytes, piece.length_bytes, __ATOMIC_RELAXED);
    return 0;
}

int tidemark_read_fully(int fd, uint8_t *buffer, size_t length_bytes, uint64_t offset_bytes) {
    size_t have = 0;
    while (have < length_bytes) {
        ssize_t got = pread(fd, buffer + have, length_bytes - have, (off_t)(offset_bytes + have));
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

int tidemark_read_buffered(struct tidemark_work *work) {
    uint8_t *buffers[TIDEMARK_FILES_MAX] = {NULL};
    int result = 0;
    size_t room = (work->piece_bytes + PAGE_BYTES - 1) / PAGE_BYTES * PAGE_BYTES;
    for (int i = 0; i < work->files; i++) {
        buffers[i] = aligned_alloc(PAGE_BYTES, room);
        result = buffers[i] == NULL ? -ENOMEM : result;
    }
    struct tidemark_piece piece;
    while (result == 0 && (result = tidemark_next_piece(work, &piece)) == 1) {
        result = 0;
        for (int i = 0; i < work->files && result == 0; i++) {
            result = tidemark_read_fully(work->fds[i], buffers[i], piece.length_bytes, piece.offset_bytes);
        }
        if (result == 0) {
            result = tidemark_take_piece(work, piece, (const uint8_t *const *)buffers);
        }
    }
    for (int i = 0; i < work->files; i++) {
        free(buffers[i]);
    }
    return result;
}
