/* Thawing, as the guard and its sentinel both do it. */
#define _GNU_SOURCE
#include "guard_board.h"

#include <errno.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <time.h>

/* FITHAW fails with something else than EINVAL when the file system cannot write its superblock: 20 tries in 100 ms. */
#define THAW_TRIES 20
#define THAW_TRY_NANOS (5 * NANOS_A_MILLI)

int64_t now_nanos(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * NANOS_A_SECOND + now.tv_nsec;
}

void sleep_nanos(int64_t nanos) {
    struct timespec left = {.tv_sec = nanos / NANOS_A_SECOND, .tv_nsec = nanos % NANOS_A_SECOND};
    while (nanosleep(&left, &left) != 0 && errno == EINTR) {
    }
}

void thaw_frozen(struct guard_board *board, int index) {
    struct guarded_path *path = &board->paths[index];
    int expected = FROZEN;
    if (!atomic_compare_exchange_strong(&path->state, &expected, THAWING)) {
        return;
    }
    atomic_store(&path->thaw_start_nanos, now_nanos());
    int failed = ioctl(path->fd, FITHAW, 0) == 0 ? 0 : errno;
    for (int tries = 1; failed != 0 && failed != EINVAL && tries < THAW_TRIES; tries++) {
        sleep_nanos(THAW_TRY_NANOS);
        failed = ioctl(path->fd, FITHAW, 0) == 0 ? 0 : errno;
    }
    atomic_store(&path->thaw_end_nanos, now_nanos());
    atomic_store(&path->failed_errno, failed);
    /* EINVAL: somebody else thawed it before us, so it did not hold. */
    atomic_store(&path->held, failed == 0 && !atomic_load(&board->released));
    atomic_store(&path->state, failed == 0 || failed == EINVAL ? THAWED : STUCK);
}

void thaw_all_frozen(struct guard_board *board) {
    for (int i = board->path_count - 1; i >= 0; i--) {
        thaw_frozen(board, i);
    }
}

int64_t mark_expired(struct guard_board *board) {
    int64_t none = 0;
    int64_t now = now_nanos();
    return atomic_compare_exchange_strong(&board->expired_nanos, &none, now) ? now : none;
}
