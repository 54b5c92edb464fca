/* Everything the thaw guard does before it says `ready`, and the thread that freezes. */
#define _GNU_SOURCE
#include "guard.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/fs.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <unistd.h>

/* glibc's smallest usable stack with room for ioctl and a signal frame; all of it is locked. */
#define FREEZER_STACK_BYTES (64u << 10)

#define EXIT_REFUSED 2

static void refuse(int index, int why) {
    say("refused %d %d\n", index, why);
    exit(EXIT_REFUSED);
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

static bool may_freeze(void) {
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
    struct __user_cap_data_struct data[2] = {{0}, {0}};
    return syscall(SYS_capget, &header, data) == 0 && (data[0].effective >> CAP_SYS_ADMIN & 1) != 0;
}

/*
 * The entry of the journal that names this freeze stays locked while the guard or its sentinel lives, both of which
 * hold the description: whoever sweeps the journal waits until nobody freezes or thaws what it names.
 */
static void lock_entry(const char *entry) {
    struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    int fd = open(entry, O_RDWR | O_CLOEXEC);
    if (fd < 0 || fcntl(fd, F_OFD_SETLK, &whole) != 0) {
        refuse(-1, errno);
    }
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

/* Never returns. Keeps no descriptor but paths, entry and its pipes: an inherited one would hide an end of file. */
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
    int watch[2];
    int ready[2];
    if (pipe2(alive, O_CLOEXEC | O_NONBLOCK) != 0 || pipe2(watch, O_CLOEXEC | O_NONBLOCK) != 0
        || pipe2(ready, O_CLOEXEC) != 0) {
        refuse(-1, errno);
    }
    guard->sentinel = fork();
    if (guard->sentinel < 0) {
        refuse(-1, errno);
    }
    if (guard->sentinel == 0) {
        close(alive[1]);
        close(watch[0]);
        close(ready[0]);
        be_sentinel(guard->board, alive[0], ready[1]);
    }
    close(alive[0]);
    close(watch[1]);
    close(ready[1]);
    guard->alive_fd = alive[1];
    guard->sentinel_fd = watch[0];
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

void prepare(struct guard *guard, const char *entry, char *const *paths, int count) {
    tidy_descriptors();
    guard->board = mmap(NULL, sizeof *guard->board, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (guard->board == MAP_FAILED) {
        refuse(-1, errno);
    }
    lock_entry(entry);
    open_paths(guard->board, paths, count);
    prepare_signals(guard);
    survive();
    fork_sentinel(guard);
    start_freezer(guard);
    if (mlockall(MCL_CURRENT | MCL_FUTURE) != 0) {
        refuse(-1, errno);
    }
}
