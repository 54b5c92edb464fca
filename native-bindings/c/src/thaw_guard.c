/*
 * thaw-guard LIMIT_MS ENTRY PATH...
 *
 * Freezes file systems for its parent and makes sure that they thaw: on the parent's word, on the end of its standard
 * input, on SIGTERM, at the limit, and, through the sentinel it forks, when it is itself killed or stopped; also when
 * the sentinel dies, because nobody would be left after it. FIFREEZE outlives the process that asked for it; without
 * this program a dead agent would hang the host's writes for ever. ENTRY, the journal's file that names the PATHs, is
 * locked while either of the two lives.
 *
 * Protocol, one line each, INDEX counting PATHs from 0, nanos of CLOCK_MONOTONIC:
 *
 *   (start)  -> ready | refused INDEX ERRNO (exit 2)     INDEX -1: no path, but the entry, memory or the sentinel
 *   freeze   -> frozen INDEX REQUESTED ACKNOWLEDGED for each, then all-frozen | failed INDEX ERRNO
 *   ask      -> held | expired NANOS                     0 while not all is frozen, or when a freeze failed
 *   thaw     -> thawed INDEX START END HELD for each in reverse, then done (exit 0) | stuck INDEX ERRNO (exit 3)
 *   (limit)  -> expired NANOS; while still freezing, failed INDEX 110
 *   (sentinel dies) -> as at the limit; before the freeze, failed -1 10 in answer to it
 *   (other)  -> unknown
 *
 * After `ready` nothing is allocated and no file is opened. Output never blocks: a line that the pipe has no room for
 * is dropped.
 */
#define _GNU_SOURCE
#include "guard.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* A freeze is meant to last milliseconds; an hour is a mistake in units. */
#define LIMIT_MILLIS_MAX 3600000LL

/* "frozen" and two 19-digit times fit thrice. */
#define LINE_BYTES_MAX 192

#define EXIT_USAGE 64
#define EXIT_STUCK 3

void say(const char *format, ...) {
    char line[LINE_BYTES_MAX];
    va_list arguments;
    va_start(arguments, format);
    int bytes = vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    /* Whoever does not read us must not keep us from thawing: a refused line is lost. */
    ssize_t written = write(STDOUT_FILENO, line, (size_t)bytes);
    (void)written;
}

void notify(int event_fd) {
    uint64_t one = 1;
    ssize_t written = write(event_fd, &one, sizeof one);
    (void)written;
}

static void print_frozen(struct guard *guard) {
    struct guard_board *board = guard->board;
    for (; guard->frozen_lines < board->path_count; guard->frozen_lines++) {
        struct guarded_path *path = &board->paths[guard->frozen_lines];
        if (atomic_load(&path->state) < FROZEN) {
            return;
        }
        say("frozen %d %lld %lld\n", guard->frozen_lines, (long long)atomic_load(&path->requested_nanos),
            (long long)atomic_load(&path->acknowledged_nanos));
    }
}

/* Stops freezing, thaws what is frozen. A freeze still under way thaws itself when it comes back. */
static void release(struct guard *guard) {
    atomic_store(&guard->board->released, true);
    thaw_all_frozen(guard->board);
}

/* Takes the limit away once nothing is frozen or on its way there: until then the sentinel stays on watch too. */
static void disarm_if_thawed(struct guard *guard) {
    if (guard->started && !atomic_load(&guard->freezer_done)) {
        return;
    }
    for (int i = 0; i < guard->board->path_count; i++) {
        int state = atomic_load(&guard->board->paths[i].state);
        if (state != UNTOUCHED && state != REFUSED && state != THAWED) {
            return;
        }
    }
    atomic_store(&guard->board->deadline_nanos, 0);
}

static void fail(struct guard *guard, int index, int why) {
    guard->announced = true;
    guard->failed = true;
    release(guard);
    disarm_if_thawed(guard);
    say("failed %d %d\n", index, why);
}

static void on_progress(struct guard *guard) {
    uint64_t ignored;
    ssize_t got = read(guard->progress_fd, &ignored, sizeof ignored);
    (void)got;
    if (guard->announced) {
        disarm_if_thawed(guard);
        return;
    }
    print_frozen(guard);
    int next = guard->frozen_lines;
    if (next == guard->board->path_count) {
        guard->announced = true;
        say("all-frozen\n");
    } else if (atomic_load(&guard->freezer_done)) {
        struct guarded_path *path = &guard->board->paths[next];
        fail(guard, next, atomic_load(&path->state) == REFUSED ? atomic_load(&path->failed_errno) : ETIMEDOUT);
    }
}

static void on_limit(struct guard *guard) {
    int64_t expired = mark_expired(guard->board);
    guard->limit_passed = true;
    release(guard);
    disarm_if_thawed(guard);
    if (guard->announced) {
        if (!guard->failed) {
            say("expired %lld\n", (long long)expired);
        }
        return;
    }
    print_frozen(guard);
    int last = guard->board->path_count - 1;
    fail(guard, guard->frozen_lines < last ? guard->frozen_lines : last, ETIMEDOUT);
}

/* A guard alone must not hold a freeze: were it killed, nobody would thaw. */
static void on_sentinel_death(struct guard *guard) {
    guard->sentinel_died = true;
    if (guard->started && !guard->limit_passed) {
        on_limit(guard);
    }
}

static void start_freezing(struct guard *guard) {
    if (guard->started) {
        say("failed -1 %d\n", EALREADY);
        return;
    }
    if (guard->sentinel_died) {
        say("failed -1 %d\n", ECHILD);
        return;
    }
    guard->started = true;
    atomic_store(&guard->board->deadline_nanos, now_nanos() + guard->board->limit_nanos);
    ssize_t woken = write(guard->alive_fd, "!", 1);
    (void)woken;
    notify(guard->start_fd);
}

static void answer(struct guard *guard) {
    int64_t expired = atomic_load(&guard->board->expired_nanos);
    bool holding = guard->announced && !guard->failed;
    if (holding && expired == 0) {
        say("held\n");
    } else {
        say("expired %lld\n", (long long)expired);
    }
}

/* Waits for a freeze that is still under way; the sentinel watches over us meanwhile. */
static void await_freezer(struct guard *guard) {
    while (guard->started && !atomic_load(&guard->freezer_done)) {
        struct pollfd progress = {.fd = guard->progress_fd, .events = POLLIN};
        uint64_t ignored;
        atomic_store(&guard->board->awake_nanos, now_nanos());
        if (poll(&progress, 1, (int)(BEAT_NANOS / NANOS_A_MILLI)) > 0) {
            ssize_t got = read(guard->progress_fd, &ignored, sizeof ignored);
            (void)got;
        }
    }
}

/* Thaws, tells how it went, ends. in_time: the parent asked, so a freeze that still stands has held. */
static _Noreturn void finish(struct guard *guard, bool in_time) {
    struct guard_board *board = guard->board;
    bool whole = guard->announced && !guard->failed;
    atomic_store(&board->released, atomic_load(&board->released) || !in_time || !whole);
    thaw_all_frozen(board);
    await_freezer(guard);
    thaw_all_frozen(board);
    int code = 0;
    for (int i = board->path_count - 1; i >= 0; i--) {
        struct guarded_path *path = &board->paths[i];
        int state = atomic_load(&path->state);
        if (state == STUCK) {
            say("stuck %d %d\n", i, atomic_load(&path->failed_errno));
            code = EXIT_STUCK;
        } else if (state == THAWED) {
            say("thawed %d %lld %lld %d\n", i, (long long)atomic_load(&path->thaw_start_nanos),
                (long long)atomic_load(&path->thaw_end_nanos), atomic_load(&path->held));
        }
    }
    if (code == 0) {
        disarm_if_thawed(guard);
        say("done\n");
        /* The sentinel sees the end of the pipe, finds nothing frozen and goes; it must not be left a zombie. */
        close(guard->alive_fd);
        waitpid(guard->sentinel, NULL, 0);
    }
    _exit(code);
}

static void on_command(struct guard *guard) {
    const char *command = guard->command;
    if (strcmp(command, "freeze") == 0) {
        start_freezing(guard);
    } else if (strcmp(command, "ask") == 0) {
        answer(guard);
    } else if (strcmp(command, "thaw") == 0) {
        finish(guard, true);
    } else {
        say("unknown\n");
    }
}

static void on_input(struct guard *guard) {
    char input[COMMAND_BYTES_MAX];
    ssize_t got = read(STDIN_FILENO, input, sizeof input);
    if (got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR)) {
        finish(guard, false);
    }
    for (ssize_t i = 0; i < got; i++) {
        if (input[i] == '\n') {
            guard->command[guard->command_bytes] = '\0';
            guard->command_bytes = 0;
            on_command(guard);
        } else if (guard->command_bytes < COMMAND_BYTES_MAX - 1) {
            guard->command[guard->command_bytes++] = input[i];
        }
    }
}

/* Nanoseconds until the main thread must act by itself; 0 = now, -1 = only when something comes. */
static int64_t wait_nanos(struct guard *guard) {
    int64_t now = now_nanos();
    atomic_store(&guard->board->awake_nanos, now);
    if (guard->limit_passed) {
        return atomic_load(&guard->freezer_done) ? -1 : BEAT_NANOS;
    }
    /* Marked by the sentinel when we were stopped past the limit. */
    if (atomic_load(&guard->board->expired_nanos) != 0) {
        return 0;
    }
    int64_t deadline = atomic_load(&guard->board->deadline_nanos);
    if (deadline == 0) {
        return -1;
    }
    return deadline <= now ? 0 : deadline - now;
}

static _Noreturn void serve(struct guard *guard) {
    for (;;) {
        int64_t wait = wait_nanos(guard);
        if (wait == 0) {
            on_limit(guard);
            continue;
        }
        struct timespec timeout = {.tv_sec = wait / NANOS_A_SECOND, .tv_nsec = wait % NANOS_A_SECOND};
        struct pollfd events[4] = {{.fd = guard->signal_fd, .events = POLLIN},
                                   {.fd = guard->progress_fd, .events = POLLIN},
                                   {.fd = STDIN_FILENO, .events = POLLIN},
                                   {.fd = guard->sentinel_died ? -1 : guard->sentinel_fd, .events = POLLIN}};
        if (ppoll(events, 4, wait < 0 ? NULL : &timeout, NULL) <= 0) {
            continue;
        }
        if (events[0].revents != 0) {
            finish(guard, false);
        }
        if (wait_nanos(guard) == 0) {
            continue; /* the limit goes before whatever else has come */
        }
        if (events[3].revents != 0) {
            on_sentinel_death(guard);
            continue;
        }
        if (events[1].revents != 0) {
            on_progress(guard);
        }
        if (events[2].revents != 0) {
            on_input(guard);
        }
    }
}

int main(int argc, char **argv) {
    char *end = "";
    errno = 0;
    long long limit_millis = argc > 3 ? strtoll(argv[1], &end, 10) : 0;
    if (errno != 0 || *end != '\0' || limit_millis < 1 || limit_millis > LIMIT_MILLIS_MAX
        || argc - 3 > GUARD_PATHS_MAX) {
        fprintf(stderr, "usage: thaw-guard LIMIT_MS ENTRY PATH... (1 to %lld ms, at most %d paths)\n", LIMIT_MILLIS_MAX,
                GUARD_PATHS_MAX);
        return EXIT_USAGE;
    }
    static struct guard guard;
    prepare(&guard, argv[2], argv + 3, argc - 3);
    guard.board->limit_nanos = limit_millis * NANOS_A_MILLI;
    say("ready\n");
    serve(&guard);
}
