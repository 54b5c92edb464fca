/* Cuts thin volumes by the device mapper's ioctls: linux/dm-ioctl.h, and the kernel's thin-provisioning.rst. */
#define _GNU_SOURCE
#include "thin_cut.h"
#include "tidemark_block.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

/* The kernel's numbers of thin volumes have 24 bits. */
#define THIN_ID_MAX 0xffffffu

_Static_assert(sizeof(struct tidemark_thin_cut) == 320, "LinuxDeviceMapper.java has the same");

_Static_assert(offsetof(struct thin_message, text) - offsetof(struct thin_message, sector)
                   == offsetof(struct dm_target_msg, message), "a message starts where the kernel looks for it");

static bool allowed(const struct tidemark_thin_cut *cut) {
    return mapped_named(cut->origin) && mapped_named(cut->pool) && cut->origin_id <= THIN_ID_MAX
           && cut->snapshot_id <= THIN_ID_MAX && cut->origin_id != cut->snapshot_id;
}

static void address(struct thin_message *message, const char *pool) {
    mapped_fill(&message->head, pool, sizeof *message, 0);
    message->head.data_start = (uint32_t)offsetof(struct thin_message, sector);
    message->sector = 0;
}

static void prepare(struct thin_step *step, struct tidemark_thin_cut *cut) {
    mapped_fill(&step->check.head, cut->origin, sizeof step->check, DM_STATUS_TABLE_FLAG);
    address(&step->create, cut->pool);
    snprintf(step->create.text, THIN_MESSAGE_BYTES, "create_snap %u %u", cut->snapshot_id, cut->origin_id);
    step->absent = false;
    cut->error = 0;
    cut->failed_step = TIDEMARK_CUT_STEP_NONE;
    cut->asked_nanos = cut->suspended_nanos = cut->cut_nanos = cut->resumed_nanos = 0;
}

static bool failed(struct tidemark_thin_cut *cut, uint32_t step) {
    cut->error = errno;
    cut->failed_step = step;
    return false;
}

/* Whether it is the volume that the order means, and of the same length. */
static bool same(struct mapped_table *table, const struct tidemark_thin_cut *cut) {
    unsigned id = 0;
    return mapped_answered(table, "thin") && table->target.sector_start == 0
           && table->target.length == cut->origin_sectors && sscanf(table->line, "%*s %u", &id) == 1
           && id == cut->origin_id;
}

/* Finds out whether there is something to suspend, and whether it is what was prepared. */
static bool check(int control, struct thin_step *step, struct tidemark_thin_cut *cut) {
    if (ioctl(control, DM_TABLE_STATUS, &step->check) != 0) {
        if (errno == ENXIO && !cut->active) {
            step->absent = true;
            return true;
        }
        return failed(cut, TIDEMARK_CUT_STEP_CHECK);
    }
    if ((step->check.head.flags & (DM_SUSPEND_FLAG | DM_INACTIVE_PRESENT_FLAG)) != 0) {
        errno = EBUSY;
        return failed(cut, TIDEMARK_CUT_STEP_CHECK);
    }
    if (!same(&step->check, cut)) {
        errno = ESTALE;
        return failed(cut, TIDEMARK_CUT_STEP_CHECK);
    }
    return true;
}

static bool suspend(struct thin_window *thin, uint32_t i, struct tidemark_thin_cut *cut) {
    cut->asked_nanos = window_now_nanos();
    if (!thin->steps[i].absent && !window_suspend(&thin->window, i)) {
        return failed(cut, TIDEMARK_CUT_STEP_SUSPEND);
    }
    cut->suspended_nanos = window_now_nanos();
    return true;
}

static bool create(int control, struct thin_step *step, struct tidemark_thin_cut *cut) {
    if (ioctl(control, DM_TARGET_MSG, &step->create) != 0) {
        return failed(cut, TIDEMARK_CUT_STEP_CREATE);
    }
    cut->cut_nanos = window_now_nanos();
    return true;
}

static void resume(struct thin_window *thin, uint32_t i, struct tidemark_thin_cut *cut) {
    if (!window_resume(&thin->window, i)) {
        failed(cut, TIDEMARK_CUT_STEP_RESUME);
    } else if (cut->suspended_nanos != 0) {
        cut->resumed_nanos = window_now_nanos();
    }
}

/* The window. Returns whether what was cut is of one instant. */
static bool cut_all(struct thin_window *thin, struct tidemark_thin_cut *cuts, uint32_t count) {
    int control = thin->window.control;
    bool well = true;
    bool whole = true;
    for (uint32_t i = 0; i < count && well; i++) {
        well = check(control, &thin->steps[i], &cuts[i]);
    }
    for (uint32_t i = 0; i < count && well; i++) {
        well = suspend(thin, i, &cuts[i]);
    }
    for (uint32_t i = 0; i < count && well; i++) {
        well = create(control, &thin->steps[i], &cuts[i]);
    }
    for (uint32_t i = 0; i < count && cuts[0].cut_nanos != 0; i++) {
        whole = window_held(&thin->window, i) && whole;
    }
    for (uint32_t i = count; i > 0; i--) {
        resume(thin, i - 1, &cuts[i - 1]);
    }
    return whole;
}

/* Of no instant: no part of it may be taken for a snapshot later. */
static void undo(int control, struct thin_step *step, struct tidemark_thin_cut *cut) {
    if (cut->cut_nanos != 0) {
        address(&step->create, cut->pool);
        snprintf(step->create.text, THIN_MESSAGE_BYTES, "delete %u", cut->snapshot_id);
        ioctl(control, DM_TARGET_MSG, &step->create);
        cut->cut_nanos = 0;
    }
    if (cut->error == 0) {
        errno = ESTALE;
        failed(cut, TIDEMARK_CUT_STEP_HELD);
    }
}

/* The kernel answers a message well where committing it failed: the pool takes no more changes then. */
static bool writes(int control, struct mapped_table *table, const char *pool) {
    static const char *const broken[] = {" ro ", "Fail", "Error", "needs_check"};
    mapped_fill(&table->head, pool, sizeof *table, DM_NOFLUSH_FLAG);
    if (ioctl(control, DM_TABLE_STATUS, table) != 0 || !mapped_answered(table, "thin-pool")) {
        return false;
    }
    bool well = true;
    for (size_t i = 0; i < sizeof broken / sizeof broken[0]; i++) {
        well = well && strstr(table->line, broken[i]) == NULL;
    }
    return well;
}

/* When all are resumed. Returns how many were cut. */
static int64_t confirm(int control, struct thin_step *steps, struct tidemark_thin_cut *cuts, uint32_t count) {
    int64_t done = 0;
    for (uint32_t i = 0; i < count; i++) {
        if (cuts[i].cut_nanos == 0) {
            continue;
        }
        uint32_t first = 0; /* of this pool: it was asked then */
        while (cuts[first].cut_nanos == 0 || strcmp(cuts[first].pool, cuts[i].pool) != 0) {
            first++;
        }
        steps[i].written = first == i ? writes(control, &steps[i].check, cuts[i].pool) : steps[first].written;
        done += steps[i].written;
    }
    for (uint32_t i = 0; i < count; i++) {
        if (cuts[i].cut_nanos != 0 && !steps[i].written) {
            cuts[i].cut_nanos = 0;
            if (cuts[i].error == 0) {
                errno = EIO;
                failed(&cuts[i], TIDEMARK_CUT_STEP_POOL);
            }
        }
    }
    return done;
}

static int64_t cut_guarded(struct thin_window *thin, struct tidemark_thin_cut *cuts, uint32_t count) {
    const uintptr_t code[] = {(uintptr_t)&check, (uintptr_t)&cut_all};
    int control = thin->window.control;
    mlock(thin, sizeof *thin);
    mlock(cuts, count * sizeof *cuts);
    bool tried = window_enter(&thin->window, code, sizeof code / sizeof code[0]);
    bool whole = !tried || cut_all(thin, cuts, count);
    for (uint32_t i = 0; i < count && !whole; i++) {
        undo(control, &thin->steps[i], &cuts[i]);
    }
    int64_t done = tried ? confirm(control, thin->steps, cuts, count) : -EAGAIN;
    window_leave(&thin->window);
    munlock(cuts, count * sizeof *cuts);
    munlock(thin, sizeof *thin);
    return done;
}

int64_t tidemark_thin_cut(struct tidemark_thin_cut *cuts, uint32_t count) {
    if (count > TIDEMARK_CUTS_MAX) {
        return -EINVAL;
    }
    for (uint32_t i = 0; i < count; i++) {
        if (!allowed(&cuts[i])) {
            return -EINVAL;
        }
    }
    int control = mapped_control();
    if (control < 0) {
        return control;
    }
    struct thin_window *thin = calloc(1, sizeof *thin);
    if (thin == NULL) {
        close(control);
        return -ENOMEM;
    }
    thin->window.control = control;
    for (uint32_t i = 0; i < count; i++) {
        window_add(&thin->window, cuts[i].origin);
        prepare(&thin->steps[i], &cuts[i]);
    }
    int64_t done = cut_guarded(thin, cuts, count);
    free(thin);
    close(control);
    return done;
}
