/*
 * Cuts classic volumes by the device mapper's ioctls: linux/dm-ioctl.h. What a snapshot's target and its store do at
 * each step is in Linux, drivers/md/dm-snap.c and dm-snap-persistent.c:
 *
 * - A table with a snapshot target reads its store when it is loaded, and where the store has no magic number makes it
 *   anew. It takes part in its origin's writes only once its table is live. So all but that is done before the window.
 * - A snapshot whose store another live one has would take over what that one knows, at its resumption: hence the error
 *   target in between, which ends the old one.
 * - Of the store's first chunk the kernel reads 16 bytes, and writes the chunk as a whole, with zeros behind them,
 *   where it makes it anew or invalidates it.
 */
#define _GNU_SOURCE
#include "cut_window.h"
#include "tidemark_block.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

/* The least chunk of LVM, and a multiple of every disk's block. */
#define BLOCK_BYTES 4096u

/* "SnAp", and the number one for "valid", each of 32 bits, little-endian. */
static const uint8_t fresh_header[] = {0x53, 0x6e, 0x41, 0x70, 1, 0, 0, 0};

_Static_assert(sizeof(struct tidemark_classic_cut) == 944, "LinuxDeviceMapper.java has the same");
_Static_assert(TIDEMARK_MARK_AT + TIDEMARK_MARK_BYTES <= BLOCK_BYTES, "a mark lies in the first block");

/* All for one volume beside its suspension, made before the first one. */
struct classic_step {
    struct mapped_table origin;
    struct mapped_table snapshot; /* as it was found */
    struct mapped_table load;
    struct dm_ioctl loaded;
    struct dm_ioctl activate;
    int store;
    bool reset;  /* its table is loaded, and not live */
    bool marked;
};

/* In locked memory. */
struct classic_window {
    _Alignas(BLOCK_BYTES) uint8_t blocks[TIDEMARK_CUTS_MAX][BLOCK_BYTES]; /* of the stores */
    struct classic_step steps[TIDEMARK_CUTS_MAX];
    struct cut_window window;
};

static bool failed(struct tidemark_classic_cut *cut, uint32_t step) {
    cut->error = errno;
    cut->failed_step = step;
    return false;
}

static bool allowed(const struct tidemark_classic_cut *cut) {
    return mapped_named(cut->origin) && mapped_named(cut->snapshot) && mapped_named(cut->store);
}

static bool prepare(struct classic_step *step, struct tidemark_classic_cut *cut) {
    char path[sizeof "/dev/mapper/" + TIDEMARK_MAPPED_NAME_BYTES];
    mapped_fill(&step->origin.head, cut->origin, sizeof step->origin, DM_STATUS_TABLE_FLAG);
    mapped_fill(&step->snapshot.head, cut->snapshot, sizeof step->snapshot, DM_STATUS_TABLE_FLAG);
    snprintf(path, sizeof path, "/dev/mapper/%s", cut->store);
    step->reset = step->marked = false;
    /* Past the page cache, as the kernel reads and writes it. */
    step->store = open(path, O_RDWR | O_DIRECT | O_CLOEXEC);
    return step->store >= 0 || failed(cut, TIDEMARK_CUT_STEP_CHECK);
}

static bool has_target(struct mapped_table *table, const char *type, uint64_t sectors) {
    return mapped_answered(table, type) && table->target.sector_start == 0 && table->target.length == sectors;
}

/* Whether the devices are a volume, a snapshot of it, and the store of that, by what their tables name. */
static bool related(struct classic_step *step, uint64_t sectors) {
    unsigned real[2];
    unsigned origin[2];
    unsigned store[2];
    struct stat opened;
    return has_target(&step->origin, "snapshot-origin", sectors) && has_target(&step->snapshot, "snapshot", sectors)
           && sscanf(step->origin.line, "%u:%u", &real[0], &real[1]) == 2
           && sscanf(step->snapshot.line, "%u:%u %u:%u P", &origin[0], &origin[1], &store[0], &store[1]) == 4
           && origin[0] == real[0] && origin[1] == real[1] && fstat(step->store, &opened) == 0
           && major(opened.st_rdev) == store[0] && minor(opened.st_rdev) == store[1];
}

static bool check(int control, struct classic_step *step, struct tidemark_classic_cut *cut) {
    if (ioctl(control, DM_TABLE_STATUS, &step->origin) != 0 || ioctl(control, DM_TABLE_STATUS, &step->snapshot) != 0) {
        return failed(cut, TIDEMARK_CUT_STEP_CHECK);
    }
    /* Who has the snapshot open would go on seeing what it was, in the page cache. */
    if (((step->origin.head.flags | step->snapshot.head.flags) & (DM_SUSPEND_FLAG | DM_INACTIVE_PRESENT_FLAG)) != 0
        || step->snapshot.head.open_count != 0) {
        errno = EBUSY;
        return failed(cut, TIDEMARK_CUT_STEP_CHECK);
    }
    if (!related(step, cut->origin_sectors)) {
        errno = ESTALE;
        return failed(cut, TIDEMARK_CUT_STEP_CHECK);
    }
    return true;
}

/* Loads a table of one target, behind the live one. */
static bool load(int control, struct classic_step *step, const char *name, const char *type, const char *line) {
    uint32_t read_only = step->snapshot.head.flags & DM_READONLY_FLAG;
    struct mapped_table *table = &step->load;
    memset(table, 0, sizeof *table);
    mapped_fill(&table->head, name, sizeof *table, read_only);
    table->head.target_count = 1;
    table->target.length = step->snapshot.target.length;
    table->target.next = (uint32_t)(sizeof *table - offsetof(struct mapped_table, target));
    snprintf(table->target.target_type, sizeof table->target.target_type, "%s", type);
    snprintf(table->line, sizeof table->line, "%s", line);
    return ioctl(control, DM_TABLE_LOAD, table) == 0;
}

static bool activate(int control, struct classic_step *step, const char *name) {
    mapped_fill(&step->activate, name, sizeof step->activate, DM_SKIP_LOCKFS_FLAG);
    return ioctl(control, DM_DEV_SUSPEND, &step->activate) == 0;
}

static bool write_block(int store, const uint8_t *block) {
    ssize_t written = pwrite(store, block, BLOCK_BYTES, 0);
    if (written >= 0 && written != (ssize_t)BLOCK_BYTES) {
        errno = EIO;
    }
    return written == (ssize_t)BLOCK_BYTES;
}

static bool read_fresh(int store, uint8_t *block) {
    ssize_t length = pread(store, block, BLOCK_BYTES, 0);
    if (length >= 0 && (length != (ssize_t)BLOCK_BYTES || memcmp(block, fresh_header, sizeof fresh_header) != 0)) {
        errno = EIO;
        return false;
    }
    return length >= 0;
}

/* Throws the old content away. Writers of the origin go on, and are not in it any more. */
static bool reset(int control, struct classic_step *step, uint8_t *block, struct tidemark_classic_cut *cut) {
    memset(block, 0, BLOCK_BYTES);
    if (!load(control, step, cut->snapshot, "error", "") || !activate(control, step, cut->snapshot)
        || !write_block(step->store, block) || !load(control, step, cut->snapshot, "snapshot", step->snapshot.line)) {
        return failed(cut, TIDEMARK_CUT_STEP_RESET);
    }
    step->reset = true;
    /* What the kernel made anew is on disk before the mark is. */
    if (!read_fresh(step->store, block) || fdatasync(step->store) != 0) {
        return failed(cut, TIDEMARK_CUT_STEP_RESET);
    }
    memcpy(block + TIDEMARK_MARK_AT, cut->mark, TIDEMARK_MARK_BYTES);
    mapped_fill(&step->loaded, cut->snapshot, sizeof step->loaded, 0);
    mapped_fill(&step->activate, cut->snapshot, sizeof step->activate, DM_SKIP_LOCKFS_FLAG);
    return true;
}

static bool suspend(struct classic_window *classic, uint32_t i, struct tidemark_classic_cut *cut) {
    cut->asked_nanos = window_now_nanos();
    if (!window_suspend(&classic->window, i)) {
        return failed(cut, TIDEMARK_CUT_STEP_SUSPEND);
    }
    cut->suspended_nanos = window_now_nanos();
    return true;
}

/* The snapshot begins. Where its table has become live before, by somebody else, it is of another instant. */
static bool begin(int control, struct classic_step *step, struct tidemark_classic_cut *cut) {
    if (ioctl(control, DM_DEV_STATUS, &step->loaded) != 0) {
        return failed(cut, TIDEMARK_CUT_STEP_CREATE);
    }
    if ((step->loaded.flags & DM_INACTIVE_PRESENT_FLAG) == 0) {
        errno = ESTALE;
        return failed(cut, TIDEMARK_CUT_STEP_HELD);
    }
    if (ioctl(control, DM_DEV_SUSPEND, &step->activate) != 0) {
        return failed(cut, TIDEMARK_CUT_STEP_CREATE);
    }
    step->reset = false;
    return true;
}

/* Not once writers go on: the kernel may write the same block then, to say that the store is full. */
static bool mark(struct classic_step *step, const uint8_t *block, struct tidemark_classic_cut *cut) {
    if (!write_block(step->store, block) || fdatasync(step->store) != 0) {
        return failed(cut, TIDEMARK_CUT_STEP_MARK);
    }
    step->marked = true;
    cut->cut_nanos = window_now_nanos();
    return true;
}

static void resume(struct classic_window *classic, uint32_t i, struct tidemark_classic_cut *cut) {
    if (!window_resume(&classic->window, i)) {
        failed(cut, TIDEMARK_CUT_STEP_RESUME);
    } else if (cut->suspended_nanos != 0) {
        cut->resumed_nanos = window_now_nanos();
    }
}

/* Nothing has been marked then: the snapshots are of no one instant. */
static bool all_held(struct classic_window *classic, struct tidemark_classic_cut *cuts, uint32_t count) {
    bool held = true;
    for (uint32_t i = 0; i < count; i++) {
        held = window_held(&classic->window, i) && held;
    }
    for (uint32_t i = 0; i < count && !held; i++) {
        errno = ESTALE;
        failed(&cuts[i], TIDEMARK_CUT_STEP_HELD);
    }
    return held;
}

static void cut_window(struct classic_window *classic, struct tidemark_classic_cut *cuts, uint32_t count) {
    int control = classic->window.control;
    bool well = true;
    for (uint32_t i = 0; i < count && well; i++) {
        well = suspend(classic, i, &cuts[i]);
    }
    for (uint32_t i = 0; i < count && well; i++) {
        well = begin(control, &classic->steps[i], &cuts[i]);
    }
    well = well && all_held(classic, cuts, count);
    for (uint32_t i = 0; i < count && well; i++) {
        well = mark(&classic->steps[i], classic->blocks[i], &cuts[i]);
    }
    for (uint32_t i = count; i > 0; i--) {
        resume(classic, i - 1, &cuts[i - 1]);
    }
}

/* Lets live what is loaded and was not needed: LVM finds a snapshot that it knows, which has no mark. */
static void restore(int control, struct classic_step *step, const struct tidemark_classic_cut *cut) {
    if (step->reset) {
        activate(control, step, cut->snapshot);
    }
}

static int64_t cut_guarded(struct classic_window *classic, struct tidemark_classic_cut *cuts, uint32_t count) {
    const uintptr_t code[] = {(uintptr_t)&cut_window, (uintptr_t)&begin, (uintptr_t)&mark, (uintptr_t)&pwrite,
                              (uintptr_t)&fdatasync};
    int64_t done = 0;
    mlock(classic, sizeof *classic);
    mlock(cuts, count * sizeof *cuts);
    if (window_enter(&classic->window, code, sizeof code / sizeof code[0])) {
        int control = classic->window.control;
        bool well = true;
        for (uint32_t i = 0; i < count && well; i++) {
            well = check(control, &classic->steps[i], &cuts[i]);
        }
        for (uint32_t i = 0; i < count && well; i++) {
            well = reset(control, &classic->steps[i], classic->blocks[i], &cuts[i]);
        }
        if (well) {
            cut_window(classic, cuts, count);
        }
        for (uint32_t i = 0; i < count; i++) {
            restore(control, &classic->steps[i], &cuts[i]);
            done += classic->steps[i].marked;
        }
    } else {
        done = -EAGAIN;
    }
    window_leave(&classic->window);
    munlock(cuts, count * sizeof *cuts);
    munlock(classic, sizeof *classic);
    return done;
}

static int64_t cut_by(int control, struct tidemark_classic_cut *cuts, uint32_t count) {
    struct classic_window *classic = aligned_alloc(BLOCK_BYTES, sizeof *classic);
    if (classic == NULL) {
        return -ENOMEM;
    }
    memset(classic, 0, sizeof *classic);
    classic->window.control = control;
    uint32_t opened = 0;
    bool well = true;
    for (; opened < count && well; opened++) {
        window_add(&classic->window, cuts[opened].origin);
        well = prepare(&classic->steps[opened], &cuts[opened]);
    }
    int64_t done = well ? cut_guarded(classic, cuts, count) : 0;
    for (uint32_t i = 0; i < opened; i++) {
        if (classic->steps[i].store >= 0) {
            close(classic->steps[i].store);
        }
    }
    free(classic);
    return done;
}

int64_t tidemark_classic_cut(struct tidemark_classic_cut *cuts, uint32_t count) {
    if (count > TIDEMARK_CUTS_MAX) {
        return -EINVAL;
    }
    for (uint32_t i = 0; i < count; i++) {
        if (!allowed(&cuts[i])) {
            return -EINVAL;
        }
        /* Also of those that an earlier one's failure keeps from being looked at. */
        cuts[i].error = 0;
        cuts[i].failed_step = TIDEMARK_CUT_STEP_NONE;
        cuts[i].asked_nanos = cuts[i].suspended_nanos = cuts[i].cut_nanos = cuts[i].resumed_nanos = 0;
    }
    int control = mapped_control();
    if (control < 0) {
        return control;
    }
    int64_t done = cut_by(control, cuts, count);
    close(control);
    return done;
}
