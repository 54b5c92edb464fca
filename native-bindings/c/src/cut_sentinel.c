/*
 * The sentinel of a cut: a process for the milliseconds in which volumes are suspended. Without it a process that
 * is killed just then would leave them so, and whoever writes to them would hang.
 */
#define _GNU_SOURCE
#include "cut_window.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* What the kernel tells it of the death of the thread that started it. Not for anything else in use: it is blocked. */
#define DEATH_SIGNAL SIGUSR1

/* Until a new process has run its first lines; longer, and the machine is in no state to suspend anything. */
#define START_ROUNDS 10000
#define START_PAUSE_NANOS 100000

static void resume_suspended(struct cut_window *window, struct held_device *device) {
    struct dm_ioctl fresh = device->resume;
    device->held = fresh;
    if (ioctl(window->control, DM_DEV_STATUS, &device->held) == 0 && (device->held.flags & DM_SUSPEND_FLAG) == 0) {
        return;
    }
    ioctl(window->control, DM_DEV_SUSPEND, &device->resume);
}

/*
 * Until the thread has died it asks the kernel for nothing that would touch what libc keeps for the thread, for they
 * share that. It waits for the thread's own death, not for the end of a pipe: another thread of its process that waits
 * for a suspended volume would keep the pipe open.
 */
static int watch(void *argument) {
    struct cut_window *window = argument;
    sigset_t death;
    sigemptyset(&death);
    sigaddset(&death, DEATH_SIGNAL);
    prctl(PR_SET_PDEATHSIG, DEATH_SIGNAL);
    if (syscall(SYS_getppid) != window->parent) {
        return 0; /* died before that, with nothing suspended; nobody will tell */
    }
    atomic_store(&window->watched, true);
    /* Not sigwaitinfo(3), which is a cancellation point. */
    while (syscall(SYS_rt_sigtimedwait, &death, NULL, NULL, _NSIG / 8) != DEATH_SIGNAL) {
    }
    for (uint32_t i = window->count; i > 0; i--) {
        if (atomic_load(&window->devices[i - 1].asked)) {
            resume_suspended(window, &window->devices[i - 1]);
        }
    }
    return 0;
}

bool sentinel_start(struct cut_window *window) {
    window->parent = getpid();
    pid_t sentinel = clone(watch, window->stack + SENTINEL_STACK_BYTES, CLONE_VM, window);
    if (sentinel < 0) {
        return false;
    }
    window->sentinel = sentinel;
    struct timespec pause = {.tv_nsec = START_PAUSE_NANOS};
    for (int round = 0; round < START_ROUNDS && !atomic_load(&window->watched); round++) {
        nanosleep(&pause, NULL);
    }
    return atomic_load(&window->watched);
}

void sentinel_end(struct cut_window *window) {
    if (window->sentinel > 0) {
        kill(window->sentinel, SIGKILL);
        while (waitpid(window->sentinel, NULL, __WALL) < 0 && errno == EINTR) {
        }
    }
}
