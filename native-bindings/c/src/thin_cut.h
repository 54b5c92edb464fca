/* What the cut of thin volumes and its sentinel share. */
#ifndef TIDEMARK_THIN_CUT_H
#define TIDEMARK_THIN_CUT_H

#include <linux/dm-ioctl.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* Of a thin volume's line, or a pool's, some 100. */
#define THIN_LINE_BYTES 400u

/* The kernel's answer of one target follows the head. */
struct thin_table {
    struct dm_ioctl head;
    struct dm_target_spec target;
    char line[THIN_LINE_BYTES];
};

/* "create_snap" and two numbers of 24 bits. */
#define THIN_MESSAGE_BYTES 40u

/* A struct dm_target_msg follows the head. */
struct thin_message {
    struct dm_ioctl head;
    uint64_t sector;
    char text[THIN_MESSAGE_BYTES];
};

/* All that is handed to the kernel for one volume, made before the first suspension. */
struct thin_step {
    struct thin_table check;
    struct dm_ioctl suspend;
    struct dm_ioctl held;
    struct dm_ioctl resume;
    struct thin_message create;
    bool absent; /* the origin has no device */
    bool suspended;
    bool written; /* its pool was well afterwards */
    atomic_bool asked; /* may be suspended by us, also if we did not live to see it */
};

/* The sentinel's calls go a few frames deep, into the kernel alone. */
#define THIN_SENTINEL_STACK_BYTES 32768u

/* In locked memory: the sentinel has nothing else. */
struct thin_window {
    struct thin_step steps[64];
    uint32_t count;
    int control;
    pid_t sentinel; /* 0: none */
    pid_t parent; /* the sentinel's */
    atomic_bool watched;
    _Alignas(16) char stack[THIN_SENTINEL_STACK_BYTES];
};

/*
 * Starts a process that resumes what was asked to be suspended when this thread dies before thin_sentinel_end: by
 * SIGKILL, or with its process in any other way. It shares this process's memory, so that it costs no copy of it. The
 * caller has blocked all signals. Returns whether it watches; thin_sentinel_end is due either way.
 */
bool thin_sentinel_start(struct thin_window *window);

void thin_sentinel_end(struct thin_window *window);

#endif
