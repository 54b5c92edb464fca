/*
 * What the guard's freezer thread, its main thread and its sentinel process know in common: one page of shared memory
 * that is written without locks, because any of the three may be killed or stopped between two instructions.
 */
#ifndef TIDEMARK_GUARD_BOARD_H
#define TIDEMARK_GUARD_BOARD_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/* Paths of one group. Far more file systems than a host freezes at once; bounds what is locked in memory. */
#define GUARD_PATHS_MAX 64

#define NANOS_A_MILLI 1000000LL
#define NANOS_A_SECOND 1000000000LL

/* How often the guard says that it is awake while a freeze that is past the limit has not come back. */
#define BEAT_NANOS (10 * NANOS_A_MILLI)

/*
 * UNTOUCHED -> REQUESTED -> FROZEN -> THAWING -> THAWED, or REQUESTED -> REFUSED, or THAWING -> STUCK -> THAWED.
 * The step to FROZEN is written after FIFREEZE returned, so after a kill REQUESTED may mean frozen.
 */
enum path_state { UNTOUCHED, REQUESTED, REFUSED, FROZEN, THAWING, THAWED, STUCK };

struct guarded_path {
    int fd;
    atomic_int state; /* enum path_state */
    /* CLOCK_MONOTONIC, which is Java's System.nanoTime(); 0 = has not happened. Written before their state. */
    _Atomic int64_t requested_nanos;
    _Atomic int64_t acknowledged_nanos;
    _Atomic int64_t thaw_start_nanos;
    _Atomic int64_t thaw_end_nanos;
    atomic_int failed_errno; /* of FIFREEZE when REFUSED, of FITHAW when STUCK */
    atomic_bool held;        /* frozen without a gap from the acknowledgement to a thaw that was asked for in time */
};

struct guard_board {
    int path_count;
    int64_t limit_nanos;
    _Atomic int64_t deadline_nanos; /* 0 = nothing is frozen or about to be */
    _Atomic int64_t expired_nanos;  /* when the limit began to thaw; 0 = it has not */
    _Atomic int64_t awake_nanos;    /* when the guard's main thread last ran */
    atomic_bool released;           /* no further freeze; a freeze that comes back is thawed at once */
    struct guarded_path paths[GUARD_PATHS_MAX];
};

int64_t now_nanos(void);

/* Waits without caring about signals. */
void sleep_nanos(int64_t nanos);

/*
 * Thaws one path if it is FROZEN; only one of several callers does. Tries again while the kernel says anything but "is
 * not frozen", THAW_TRIES times, then leaves the path STUCK and goes on, so that the next one is not kept waiting.
 */
void thaw_frozen(struct guard_board *board, int index);

/* thaw_frozen for every path, last frozen first. */
void thaw_all_frozen(struct guard_board *board);

/* Marks the limit as passed, once; returns when it was first marked. */
int64_t mark_expired(struct guard_board *board);

/*
 * The sentinel's life: thaws when the guard dies (end of file on alive_fd) or lets the limit pass. Returns when the
 * guard is gone and nothing is left frozen.
 */
void run_sentinel(struct guard_board *board, int alive_fd);

#endif
