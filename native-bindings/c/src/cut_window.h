/*
 * The window of a cut: devices of the device mapper that are suspended for some milliseconds, and a sentinel that
 * resumes them when whoever cuts dies. What is cut in it is the business of thin_cut.c and classic_cut.c.
 */
#ifndef TIDEMARK_CUT_WINDOW_H
#define TIDEMARK_CUT_WINDOW_H

#include <linux/dm-ioctl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* An emulator knows no process that shares memory and is not a thread. */
#ifdef TIDEMARK_EMULATED
#define SENTINEL_NEEDED false
#else
#define SENTINEL_NEEDED true
#endif

/* Of a volume's line, or a pool's, some 100. */
#define MAPPED_LINE_BYTES 400u

/* One target, as the kernel answers it and takes it: it follows the head. */
struct mapped_table {
    struct dm_ioctl head;
    struct dm_target_spec target;
    char line[MAPPED_LINE_BYTES];
};

/* A device that is suspended in the window: what is handed to the kernel for it, made before the first suspension. */
struct held_device {
    struct dm_ioctl suspend;
    struct dm_ioctl held;
    struct dm_ioctl resume;
    bool suspended;
    atomic_bool asked; /* may be suspended by us, also if we did not live to see it */
};

/* The sentinel's calls go a few frames deep, into the kernel alone. */
#define SENTINEL_STACK_BYTES 32768u

/* In locked memory: the sentinel has nothing else. */
struct cut_window {
    struct held_device devices[64];
    uint32_t count;
    int control;
    pid_t sentinel; /* 0: none */
    pid_t parent; /* the sentinel's */
    atomic_bool watched;
    bool flusher; /* allocations of this thread waited for no device before, too */
    sigset_t signals; /* that were blocked before */
    _Alignas(16) char stack[SENTINEL_STACK_BYTES];
};

int64_t window_now_nanos(void);

/* A request for the device mapper. */
void mapped_fill(struct dm_ioctl *request, const char *name, size_t bytes, uint32_t flags);

/* Whether it is the name of a device, with its NUL within TIDEMARK_MAPPED_NAME_BYTES. */
bool mapped_named(const char *name);

/* Whether the table is of one target of that type whose line came as a whole, behind the head. */
bool mapped_answered(struct mapped_table *table, const char *type);

/* Descriptor of the device mapper's control file, or a negative errno. */
int mapped_control(void);

/* Makes all requests for one device of the window. */
void window_add(struct cut_window *window, const char *name);

/*
 * Before the first suspension: locks the window, signals out, and two pages of code from each address in `code`; starts
 * the sentinel. Allocations of this thread wait for no device from here on. Returns whether somebody watches;
 * window_leave is due either way.
 */
bool window_enter(struct cut_window *window, const uintptr_t *code, size_t count);

void window_leave(struct cut_window *window);

/* Each is for one device of the window; errno says why it is false. */
bool window_suspend(struct cut_window *window, uint32_t device);

/* Whether nobody else has resumed it. */
bool window_held(struct cut_window *window, uint32_t device);

bool window_resume(struct cut_window *window, uint32_t device);

/*
 * Starts a process that resumes what was asked to be suspended when this thread dies before sentinel_end: by SIGKILL,
 * or with its process in any other way. It shares this process's memory, so that it costs no copy of it. The caller has
 * blocked all signals. Returns whether it watches; sentinel_end is due either way.
 */
bool sentinel_start(struct cut_window *window);

void sentinel_end(struct cut_window *window);

#endif
