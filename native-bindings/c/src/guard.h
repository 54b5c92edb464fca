/* What the parts of the thaw-guard program share inside its main process. */
#ifndef TIDEMARK_GUARD_H
#define TIDEMARK_GUARD_H

#include "guard_board.h"

#include <stddef.h>
#include <sys/types.h>

/* The longest word is six bytes; what is longer is no command. */
#define COMMAND_BYTES_MAX 64u

struct guard {
    struct guard_board *board;
    int start_fd;    /* eventfd: freeze now */
    int progress_fd; /* eventfd: the freezer has something to tell */
    int signal_fd;
    int alive_fd;    /* pipe to the sentinel: open as long as we live */
    int sentinel_fd; /* pipe from the sentinel: ends when it dies */
    pid_t sentinel;
    bool started;
    bool announced; /* all-frozen or failed was printed */
    bool failed;
    bool limit_passed;
    bool sentinel_died;
    int frozen_lines; /* paths whose `frozen` line was printed */
    atomic_bool freezer_done;
    char command[COMMAND_BYTES_MAX];
    size_t command_bytes;
};

/* Writes a line of the protocol; one that the pipe has no room for is dropped. */
__attribute__((format(printf, 1, 2))) void say(const char *format, ...);

/* Adds one to an eventfd. */
void notify(int event_fd);

/*
 * Locks the entry, opens the paths, prepares signals, forks the sentinel, starts the freezer thread and locks memory:
 * all that may fail,
 * allocate or open. On failure prints `refused` and ends the program.
 */
void prepare(struct guard *guard, const char *entry, char *const *paths, int count);

#endif
