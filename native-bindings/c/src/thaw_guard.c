/*
 * thaw-guard LIMIT_MS PATH...
 *
 * Freezes file systems for its parent and makes sure that they thaw: on the parent's word, on the end of its standard
 * input, on SIGTERM, at the limit, and, through the sentinel it forks, when it is itself killed or stopped. FIFREEZE
 * outlives the process that asked for it; without this program a dead agent would hang the host's writes for ever.
 *
 * Protocol, one line each, INDEX counting PATHs from 0, nanos of CLOCK_MONOTONIC:
 *
 *   (start)  -> ready | refused INDEX ERRNO (exit 2)     INDEX -1: no path, but locking memory or making the sentinel
 *   freeze   -> frozen INDEX REQUESTED ACKNOWLEDGED for each, then all-frozen | failed INDEX ERRNO
 *   ask      -> held | expired NANOS                     0 while not all is frozen, or when a freeze failed
 *   thaw     -> thawed INDEX START END HELD for each in reverse, then done (exit 0) | stuck INDEX ERRNO (exit 3)
 *   (limit)  -> expired NANOS; while still freezing, failed INDEX 110
 *   (other)  -> unknown
 *
 * After `ready` nothing is allocated and no file is opened. Output never blocks: a line that the pipe has no room for is
 * dropped.
 */
#define _GNU_SOURCE
#include "guard_board.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/fs.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* A freeze is meant to last milliseconds; an hour is a mistake in units. */
#define LIMIT_MILLIS_MAX 3600000LL

/* The longest word is six bytes; what is longer is no command. */
#define COMMAND_BYTES_MAX 64u

/* "frozen" and two 19-digit times fit thrice. */
#define LINE_BYTES_MAX 192

/* glibc's smallest usable stack with room for ioctl and a signal frame; all of it is locked. */
#define FREEZER_STACK_BYTES (64u << 10)

#define EXIT_USAGE 64
#define EXIT_REFUSED 2
#define EXIT_STUCK 3

struct guard {
    struct guard_board *board;
    int start_fd;    /* eventfd: freeze now */
    int progress_fd; /* eventfd: the freezer has something to tell */
    int signal_fd;
    int alive_fd; /* pipe to the sentinel: open as long as we live */
    pid_t sentinel;
    bool started;
    bool announced; /* all-frozen or failed was printed */
    bool failed;
    bool limit_passed;
    int frozen_lines; /* paths whose `frozen` line was printed */
    atomic_bool freezer_done;
    char command[COMMAND_BYTES_MAX];
    size_t command_bytes;
};

__attribute__((format(printf, 1, 2))) static void say(const char *format, ...) {
    char line[LINE_BYTES_MAX];
    va_list arguments;
    va_start(arguments, format);
    int bytes = vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    /* Whoever does not read us must not keep us from thawing: a refused line is lost. */
    ssize_t written = write(STDOUT_FILENO, line, (size_t)bytes);
    (void)written;
}

static void refuse(int index, int why) {
    say("refused %d %d\n", index, why);
    exit(EXIT_REFUSED);
}

static void notify(int event_fd) {
    uint64_t one = 1;
    ssize_t written = write(event_fd, &one, sizeof one);
    (void)written;
}

/* ---- the freezer thread: FIFREEZE flushes and may block, so nobody else waits for it ---- */

static bool freeze_path(struct guard_board *board, int index) {
    struct guarded_path *path = &board->paths[index];
    atomic_store(&path->requested_nanos, now_nanos());
    atomic_store(&path->state, REQUESTED);
    int failed = ioctl(path->fd, FIFREEZE, 0) == 0 ? 0 : errno;
    atomic_store(&path->acknowledged_nanos, now_nanos());
    if (failed != 0) {
        atomic_store(&path->failed_errno, failed);
        atomic_store(&path->state, REFUSED);
        return false;
    }
    int expected = REQUESTED;
    atomic_compare_exchange_strong(&path->state, &expected, FROZEN);
    if (atomic_load(&board->released)) {
        thaw_frozen(board, index);
        return false;
    }
    return true;
}

static void *run_freezer(void *argument) {
    struct guard *guard = argument;
    uint64_t ignored;
    while (read(guard->start_fd, &ignored, sizeof ignored) < 0 && errno == EINTR) {
    }
    for (int i = 0; i < guard->board->path_count && !atomic_load(&guard->board->released); i++) {
        if (!freeze_path(guard->board, i)) {
            break;
        }
        notify(guard->progress_fd);
    }
    atomic_store(&guard->freezer_done, true);
    notify(guard->progress_fd);
    return NULL;
}

/* ---- what the main thread does ---- */

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

static void start_freezing(struct guard *guard) {
    if (guard->started) {
        say("failed -1 %d\n", EALREADY);
        return;
    }
    if (waitpid(guard->sentinel, NULL, WNOHANG) != 0) {
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
        if (poll(&progress, 1, -1) > 0) {
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

static _Noreturn void serve(struct guard *guard) {
    for (;;) {
        int64_t deadline = guard->limit_passed ? 0 : atomic_load(&guard->board->deadline_nanos);
        int64_t left = deadline - now_nanos();
        /* Marked by the sentinel when we were stopped past the limit. */
        bool marked = !guard->limit_passed && atomic_load(&guard->board->expired_nanos) != 0;
        if (marked || (deadline != 0 && left <= 0)) {
            on_limit(guard);
            continue;
        }
        struct timespec timeout = {.tv_sec = left / NANOS_A_SECOND, .tv_nsec = left % NANOS_A_SECOND};
        struct pollfd events[3] = {{.fd = guard->signal_fd, .events = POLLIN},
                                   {.fd = guard->progress_fd, .events = POLLIN},
                                   {.fd = STDIN_FILENO, .events = POLLIN}};
        if (ppoll(events, 3, deadline == 0 ? NULL : &timeout, NULL) <= 0) {
            continue;
        }
        if (events[0].revents != 0) {
            finish(guard, false);
        }
        if (deadline != 0 && now_nanos() >= deadline) {
            continue; /* the limit goes before whatever else has come */
        }
        if (events[1].revents != 0) {
            on_progress(guard);
        }
        if (events[2].revents != 0) {
            on_input(guard);
        }
    }
}

/* ---- preparing: all that may fail, allocate or open happens here ---- */

static bool may_freeze(void) {
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
    struct __user_cap_data_struct data[2] = {{0}, {0}};
    return syscall(SYS_capget, &header, data) == 0 && (data[0].effective >> CAP_SYS_ADMIN & 1) != 0;
}

static void open_paths(struct guard_board *board, char *const *paths, int count) {
    for (int i = 0; i < count; i++) {
        int fd = open(paths[i], O_RDONLY | O_CLOEXEC | O_NONBLOCK);
        if (fd < 0) {
            refuse(i, errno);
        }
        board->paths[i].fd = fd;
    }
    board->path_count = count;
    if (!may_freeze()) {
        refuse(0, EPERM);
    }
}

/*
 * Standard descriptors exist, so that no path gets one of their numbers, and nothing else is inherited: a pipe that we
 * keep open would hide its end from somebody.
 */
static void tidy_descriptors(void) {
    int fd;
    do {
        fd = open("/dev/null", O_RDWR);
    } while (fd >= 0 && fd <= STDERR_FILENO);
    if (fd >= 0) {
        close(fd);
    }
#ifdef SYS_close_range
    syscall(SYS_close_range, STDERR_FILENO + 1, ~0u, 0);
#endif
}

/* Best effort, all three: under memory pressure and load the guard is what must still run. */
static void survive(void) {
    int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
    if (fd >= 0) {
        ssize_t written = write(fd, "-1000", 5);
        (void)written;
        close(fd);
    }
    struct sched_param lowest = {.sched_priority = sched_get_priority_min(SCHED_FIFO)};
    sched_setscheduler(0, SCHED_FIFO, &lowest);
    if (chdir("/") != 0) {
        /* Stays where it is: costs an unmount later, not a thaw. */
    }
}

/* Never returns. Keeps no descriptor but the paths and its pipe: an inherited one would hide an end of file. */
static _Noreturn void be_sentinel(struct guard_board *board, int alive_fd, int ready_fd) {
    sigset_t all;
    sigfillset(&all);
    sigprocmask(SIG_BLOCK, &all, NULL);
    setsid();
    prctl(PR_SET_NAME, "thaw-sentinel");
    for (int fd = 0; fd <= STDERR_FILENO; fd++) {
        close(fd);
    }
    int failed = mlockall(MCL_CURRENT | MCL_FUTURE) == 0 ? 0 : errno;
    ssize_t told = write(ready_fd, &failed, sizeof failed);
    close(ready_fd);
    if (failed == 0 && told == (ssize_t)sizeof failed) {
        run_sentinel(board, alive_fd);
    }
    _exit(0);
}

static void fork_sentinel(struct guard *guard) {
    int alive[2];
    int ready[2];
    if (pipe2(alive, O_CLOEXEC | O_NONBLOCK) != 0 || pipe2(ready, O_CLOEXEC) != 0) {
        refuse(-1, errno);
    }
    guard->sentinel = fork();
    if (guard->sentinel < 0) {
        refuse(-1, errno);
    }
    if (guard->sentinel == 0) {
        close(alive[1]);
        close(ready[0]);
        be_sentinel(guard->board, alive[0], ready[1]);
    }
    close(alive[0]);
    close(ready[1]);
    guard->alive_fd = alive[1];
    int failed;
    if (read(ready[0], &failed, sizeof failed) != (ssize_t)sizeof failed) {
        failed = ECHILD;
    }
    close(ready[0]);
    if (failed != 0) {
        refuse(-1, failed);
    }
}

static void start_freezer(struct guard *guard) {
    pthread_attr_t attributes;
    pthread_t thread;
    struct sched_param normal = {.sched_priority = 0};
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, FREEZER_STACK_BYTES);
    /* Flushing a file system is not urgent: only thawing is. */
    pthread_attr_setinheritsched(&attributes, PTHREAD_EXPLICIT_SCHED);
    pthread_attr_setschedpolicy(&attributes, SCHED_OTHER);
    pthread_attr_setschedparam(&attributes, &normal);
    int failed = pthread_create(&thread, &attributes, run_freezer, guard);
    if (failed != 0) {
        refuse(-1, failed);
    }
    pthread_attr_destroy(&attributes);
}

static void prepare_signals(struct guard *guard) {
    /* A terminal's Ctrl-C, Ctrl-\ and Ctrl-Z reach the whole foreground group: the guard ends after its parent. */
    const int ignored[] = {SIGINT, SIGHUP, SIGQUIT, SIGTSTP, SIGPIPE};
    for (size_t i = 0; i < sizeof ignored / sizeof ignored[0]; i++) {
        signal(ignored[i], SIG_IGN);
    }
    sigset_t terminate;
    sigemptyset(&terminate);
    sigaddset(&terminate, SIGTERM);
    sigprocmask(SIG_BLOCK, &terminate, NULL);
    guard->signal_fd = signalfd(-1, &terminate, SFD_CLOEXEC | SFD_NONBLOCK);
    guard->start_fd = eventfd(0, EFD_CLOEXEC);
    guard->progress_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (guard->signal_fd < 0 || guard->start_fd < 0 || guard->progress_fd < 0) {
        refuse(-1, errno);
    }
    fcntl(STDIN_FILENO, F_SETFL, fcntl(STDIN_FILENO, F_GETFL) | O_NONBLOCK);
    fcntl(STDOUT_FILENO, F_SETFL, fcntl(STDOUT_FILENO, F_GETFL) | O_NONBLOCK);
}

int main(int argc, char **argv) {
    char *end = "";
    errno = 0;
    long long limit_millis = argc > 2 ? strtoll(argv[1], &end, 10) : 0;
    if (errno != 0 || *end != '\0' || limit_millis < 1 || limit_millis > LIMIT_MILLIS_MAX
        || argc - 2 > GUARD_PATHS_MAX) {
        fprintf(stderr, "usage: thaw-guard LIMIT_MS PATH... (1 to %lld ms, at most %d paths)\n", LIMIT_MILLIS_MAX,
                GUARD_PATHS_MAX);
        return EXIT_USAGE;
    }
    tidy_descriptors();
    static struct guard guard;
    guard.board = mmap(NULL, sizeof *guard.board, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (guard.board == MAP_FAILED) {
        refuse(-1, errno);
    }
    guard.board->limit_nanos = limit_millis * NANOS_A_MILLI;
    open_paths(guard.board, argv + 2, argc - 2);
    prepare_signals(&guard);
    survive();
    fork_sentinel(&guard);
    start_freezer(&guard);
    if (mlockall(MCL_CURRENT | MCL_FUTURE) != 0) {
        refuse(-1, errno);
    }
    say("ready\n");
    serve(&guard);
}
