/* What the cut of thin volumes hands to the kernel. */
#ifndef TIDEMARK_THIN_CUT_H
#define TIDEMARK_THIN_CUT_H

#include "cut_window.h"

/* "create_snap" and two numbers of 24 bits. */
#define THIN_MESSAGE_BYTES 40u

/* A struct dm_target_msg follows the head. */
struct thin_message {
    struct dm_ioctl head;
    uint64_t sector;
    char text[THIN_MESSAGE_BYTES];
};

/* All for one volume beside its suspension, made before the first one. */
struct thin_step {
    struct mapped_table check;
    struct thin_message create;
    bool absent; /* the origin has no device */
    bool written; /* its pool was well afterwards */
};

/* In locked memory. */
struct thin_window {
    struct cut_window window;
    struct thin_step steps[64];
};

#endif
