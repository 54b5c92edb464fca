/*
 * The sentinel: a second process that thaws when the guard cannot, because it was killed or stopped. It holds the
 * same descriptors, does nothing until then, and needs nothing but its locked memory.
 */
#define _GNU_SOURCE
#include "guard_board.h"

#include <errno.h>
#include <linux/fs.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <unistd.h>

/* The guard goes first at the limit; a guard that has not thawed after this long is stopped or starved. */
#define GUARD_GRACE_NANOS (30 * NANOS_A_MILLI)

/* Between two rounds over paths that do not thaw yet: a freeze still under way cannot be undone before it is done. */
#define ROUND_NANOS (10 * NANOS_A_MILLI)

/* A guard that missed five beats is stopped or stuck in the kernel. */
#define AWAKE_WITHIN_NANOS (5 * BEAT_NANOS)

/* Rounds after the guard's death, 10 minutes: a flush to slow storage ends within; an error that stays, stays. */
#define ROUNDS_WITHOUT_GUARD 60000

/* Returns whether the path is certainly not frozen any more. */
static bool thaw_path(struct guarded_path *path, int state, bool guard_lives) {
    int64_t start = now_nanos();
    bool thawed = ioctl(path->fd, FITHAW, 0) == 0;
    bool still_freezing = state == REQUESTED && guard_lives;
    if (!thawed && (errno != EINVAL || still_freezing)) {
        return false;
    }
    if (thawed) {
        atomic_store(&path->held, false);
        atomic_store(&path->thaw_start_nanos, start);
        atomic_store(&path->thaw_end_nanos, now_nanos());
    }
    atomic_compare_exchange_strong(&path->state, &state, THAWED);
    return true;
}

static bool guard_is_awake(struct guard_board *board) {
    return now_nanos() - atomic_load(&board->awake_nanos) < AWAKE_WITHIN_NANOS;
}

/*
 * One round over all that is or may be frozen, known ones first. What an awake guard is at work on is left to it: our
 * FITHAW would queue behind its call and could thaw the freeze of somebody who came between. Returns whether something
 * may still be frozen.
 */
static bool thaw_round(struct guard_board *board, bool guard_lives) {
    bool left = false;
    for (int i = board->path_count - 1; i >= 0; i--) {
        int state = atomic_load(&board->paths[i].state);
        if (state == FROZEN || state == STUCK) {
            left |= !thaw_path(&board->paths[i], state, guard_lives);
        }
    }
    for (int i = board->path_count - 1; i >= 0; i--) {
        int state = atomic_load(&board->paths[i].state);
        if (state != REQUESTED && state != THAWING) {
            continue;
        }
        bool leave = guard_lives && guard_is_awake(board);
        left |= leave || !thaw_path(&board->paths[i], state, guard_lives);
    }
    return left;
}

static bool overdue(struct guard_board *board) {
    int64_t deadline = atomic_load(&board->deadline_nanos);
    return deadline != 0 && now_nanos() >= deadline + GUARD_GRACE_NANOS;
}

/* Milliseconds until the sentinel must act; -1 = only when the guard dies or wakes it. */
static int wait_millis(struct guard_board *board) {
    int64_t deadline = atomic_load(&board->deadline_nanos);
    if (deadline == 0) {
        return -1;
    }
    int64_t left = deadline + GUARD_GRACE_NANOS - now_nanos();
    return left <= 0 ? 0 : (int)(left / NANOS_A_MILLI) + 1;
}

/* Whether the guard lives; takes away the bytes it wakes us with. */
static bool watch_guard(int alive_fd, int timeout_millis) {
    struct pollfd alive = {.fd = alive_fd, .events = POLLIN};
    char wakes[16];
    if (poll(&alive, 1, timeout_millis) <= 0) {
        return true;
    }
    ssize_t got = read(alive_fd, wakes, sizeof wakes);
    return got > 0 || (got < 0 && (errno == EAGAIN || errno == EINTR));
}

void run_sentinel(struct guard_board *board, int alive_fd) {
    while (watch_guard(alive_fd, wait_millis(board))) {
        if (overdue(board)) {
            atomic_store(&board->released, true);
            mark_expired(board);
            if (thaw_round(board, true)) {
                sleep_nanos(ROUND_NANOS);
            } else {
                atomic_store(&board->deadline_nanos, 0);
            }
        }
    }
    atomic_store(&board->released, true);
    for (int round = 0; round < ROUNDS_WITHOUT_GUARD && thaw_round(board, false); round++) {
        sleep_nanos(ROUND_NANOS);
    }
}
