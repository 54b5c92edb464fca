/* Cuts thin volumes by the device mapper's ioctls: linux/dm-ioctl.h, and the kernel's thin-provisioning.rst. */
#define _GNU_SOURCE
#include "thin_cut.h"
#include "tidemark_block.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#define CONTROL "/dev/mapper/control"

/* An emulator knows no process that shares memory and is not a thread. */
#ifdef TIDEMARK_EMULATED
#define SENTINEL_NEEDED false
#else
#define SENTINEL_NEEDED true
#endif

/* The kernel's numbers of thin volumes have 24 bits. */
#define THIN_ID_MAX 0xffffffu

/* A resumption has no reason to fail but want of memory, which may pass. */
#define RESUME_ATTEMPTS 3

_Static_assert(TIDEMARK_MAPPED_NAME_BYTES == DM_NAME_LEN, "names are as long as the kernel's");
_Static_assert(sizeof(((struct thin_window *)0)->steps) == TIDEMARK_THIN_CUTS_MAX * sizeof(struct thin_step),
               "a window has room for every cut");
_Static_assert(sizeof(struct tidemark_thin_cut) == 320, "LinuxDeviceMapper.java has the same");

_Static_assert(offsetof(struct thin_message, text) - offsetof(struct thin_message, sector)
                   == offsetof(struct dm_target_msg, message), "a message starts where the kernel looks for it");

static int64_t now_nanos(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static void fill(struct dm_ioctl *request, const char *name, size_t bytes, uint32_t flags) {
    memset(request, 0, sizeof *request);
    request->version[0] = DM_VERSION_MAJOR;
    request->data_size = (uint32_t)bytes;
    request->data_start = sizeof *request;
    request->flags = flags;
    memcpy(request->name, name, strlen(name) + 1);
}

static bool named(const char *name) {
    size_t length = strnlen(name, DM_NAME_LEN);
    return length > 0 && length < DM_NAME_LEN;
}

static bool allowed(const struct tidemark_thin_cut *cut) {
    return named(cut->origin) && named(cut->pool) && cut->origin_id <= THIN_ID_MAX && cut->snapshot_id <= THIN_ID_MAX
           && cut->origin_id != cut->snapshot_id;
}

static void address(struct thin_message *message, const char *pool) {
    fill(&message->head, pool, sizeof *message, 0);
    message->head.data_start = (uint32_t)offsetof(struct thin_message, sector);
    message->sector = 0;
}

static void prepare(struct thin_step *step, struct tidemark_thin_cut *cut) {
    fill(&step->check.head, cut->origin, sizeof step->check, DM_STATUS_TABLE_FLAG);
    /* Without DM_NOFLUSH_FLAG: what is under way is waited for, and is in the snapshot. */
    fill(&step->suspend, cut->origin, sizeof step->suspend, DM_SUSPEND_FLAG | DM_SKIP_LOCKFS_FLAG);
    fill(&step->held, cut->origin, sizeof step->held, 0);
    fill(&step->resume, cut->origin, sizeof step->resume, 0);
    address(&step->create, cut->pool);
    snprintf(step->create.text, THIN_MESSAGE_BYTES, "create_snap %u %u", cut->snapshot_id, cut->origin_id);
    step->absent = false;
    step->suspended = false;
    atomic_store(&step->asked, false);
    cut->error = 0;
    cut->failed_step = TIDEMARK_THIN_STEP_NONE;
    cut->asked_nanos = cut->suspended_nanos = cut->cut_nanos = cut->resumed_nanos = 0;
}

static bool failed(struct tidemark_thin_cut *cut, uint32_t step) {
    cut->error = errno;
    cut->failed_step = step;
    return false;
}

/* One target whose line came as a whole, behind the head. */
static bool answered(struct thin_table *table, const char *type) {
    table->line[THIN_LINE_BYTES - 1] = '\0';
    return table->head.data_start == offsetof(struct thin_table, target) && table->head.target_count == 1
           && (table->head.flags & DM_BUFFER_FULL_FLAG) == 0
           && strncmp(table->target.target_type, type, DM_MAX_TYPE_NAME) == 0;
}

/* Whether it is the volume that the order means, and of the same length. */
static bool same(struct thin_table *table, const struct tidemark_thin_cut *cut) {
    unsigned id = 0;
    return answered(table, "thin") && table->target.sector_start == 0 && table->target.length == cut->origin_sectors
           && sscanf(table->line, "%*s %u", &id) == 1 && id == cut->origin_id;
}

/* Finds out whether there is something to suspend, and whether it is what was prepared. */
static bool check(int control, struct thin_step *step, struct tidemark_thin_cut *cut) {
    if (ioctl(control, DM_TABLE_STATUS, &step->check) != 0) {
        if (errno == ENXIO && !cut->active) {
            step->absent = true;
            return true;
        }
        return failed(cut, TIDEMARK_THIN_STEP_CHECK);
    }
    if ((step->check.head.flags & (DM_SUSPEND_FLAG | DM_INACTIVE_PRESENT_FLAG)) != 0) {
        errno = EBUSY;
        return failed(cut, TIDEMARK_THIN_STEP_CHECK);
    }
    if (!same(&step->check, cut)) {
        errno = ESTALE;
        return failed(cut, TIDEMARK_THIN_STEP_CHECK);
    }
    return true;
}

static bool suspend(int control, struct thin_step *step, struct tidemark_thin_cut *cut) {
    cut->asked_nanos = now_nanos();
    if (!step->absent) {
        atomic_store(&step->asked, true);
        if (ioctl(control, DM_DEV_SUSPEND, &step->suspend) != 0) {
            return failed(cut, TIDEMARK_THIN_STEP_SUSPEND);
        }
        step->suspended = true;
    }
    cut->suspended_nanos = now_nanos();
    return true;
}

static bool create(int control, struct thin_step *step, struct tidemark_thin_cut *cut) {
    if (ioctl(control, DM_TARGET_MSG, &step->create) != 0) {
        return failed(cut, TIDEMARK_THIN_STEP_CREATE);
    }
    cut->cut_nanos = now_nanos();
    return true;
}

/* Whether nobody else has resumed it, so that it was still when the last snapshot was made. */
static bool held(int control, struct thin_step *step) {
    return !step->suspended
           || (ioctl(control, DM_DEV_STATUS, &step->held) == 0 && (step->held.flags & DM_SUSPEND_FLAG) != 0);
}

static void resume(int control, struct thin_step *step, struct tidemark_thin_cut *cut) {
    int result = 0;
    if (step->suspended) {
        struct dm_ioctl fresh = step->resume;
        for (int attempt = 0; attempt < RESUME_ATTEMPTS; attempt++) {
            step->resume = fresh; /* the kernel writes its answer over it */
            result = ioctl(control, DM_DEV_SUSPEND, &step->resume);
            if (result == 0) {
                break;
            }
        }
    }
    if (result != 0) {
        failed(cut, TIDEMARK_THIN_STEP_RESUME);
    } else if (cut->suspended_nanos != 0) {
        cut->resumed_nanos = now_nanos();
    }
}

/* The window. Returns whether what was cut is of one instant. */
static bool cut_all(int control, struct thin_step *steps, struct tidemark_thin_cut *cuts, uint32_t count) {
    bool well = true;
    bool whole = true;
    for (uint32_t i = 0; i < count && well; i++) {
        well = check(control, &steps[i], &cuts[i]);
    }
    for (uint32_t i = 0; i < count && well; i++) {
        well = suspend(control, &steps[i], &cuts[i]);
    }
    for (uint32_t i = 0; i < count && well; i++) {
        well = create(control, &steps[i], &cuts[i]);
    }
    for (uint32_t i = 0; i < count && cuts[0].cut_nanos != 0; i++) {
        whole = held(control, &steps[i]) && whole;
    }
    for (uint32_t i = count; i > 0; i--) {
        resume(control, &steps[i - 1], &cuts[i - 1]);
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
        failed(cut, TIDEMARK_THIN_STEP_HELD);
    }
}

/* The kernel answers a message well where committing it failed: the pool takes no more changes then. */
static bool writes(int control, struct thin_table *table, const char *pool) {
    static const char *const broken[] = {" ro ", "Fail", "Error", "needs_check"};
    fill(&table->head, pool, sizeof *table, DM_NOFLUSH_FLAG);
    if (ioctl(control, DM_TABLE_STATUS, table) != 0 || !answered(table, "thin-pool")) {
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
                failed(&cuts[i], TIDEMARK_THIN_STEP_POOL);
            }
        }
    }
    return done;
}

/* The pages of code that run in the window: this file's, and the call into the kernel. They stay locked. */
static void lock_code(void) {
    uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
    const uintptr_t code[] = {(uintptr_t)&now_nanos, (uintptr_t)&cut_all, (uintptr_t)&ioctl, (uintptr_t)&clock_gettime};
    for (size_t i = 0; i < sizeof code / sizeof code[0]; i++) {
        /* Two pages: a function may reach into the next one. Not allowed to: then they were at least just read. */
        mlock((const void *)(code[i] & ~(page - 1)), 2 * page); // NOLINT(performance-no-int-to-ptr)
    }
}

static int64_t cut_guarded(struct thin_window *window, struct tidemark_thin_cut *cuts, uint32_t count) {
    sigset_t all;
    sigset_t before;
    lock_code();
    mlock(window, sizeof *window);
    mlock(cuts, count * sizeof *cuts);
    /* A signal would interrupt a suspension, or run a handler whose pages are not locked. */
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    bool watched = thin_sentinel_start(window);
    bool tried = watched || !SENTINEL_NEEDED;
    bool whole = !tried || cut_all(window->control, window->steps, cuts, count);
    for (uint32_t i = 0; i < count && !whole; i++) {
        undo(window->control, &window->steps[i], &cuts[i]);
    }
    int64_t done = tried ? confirm(window->control, window->steps, cuts, count) : -EAGAIN;
    thin_sentinel_end(window);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    munlock(cuts, count * sizeof *cuts);
    munlock(window, sizeof *window);
    return done;
}

int64_t tidemark_thin_cut(struct tidemark_thin_cut *cuts, uint32_t count) {
    if (count > TIDEMARK_THIN_CUTS_MAX) {
        return -EINVAL;
    }
    for (uint32_t i = 0; i < count; i++) {
        if (!allowed(&cuts[i])) {
            return -EINVAL;
        }
    }
    int control = open(CONTROL, O_RDWR | O_CLOEXEC);
    if (control < 0) {
        return -errno;
    }
    struct thin_window *window = calloc(1, sizeof *window);
    if (window == NULL) {
        close(control);
        return -ENOMEM;
    }
    window->control = control;
    window->count = count;
    for (uint32_t i = 0; i < count; i++) {
        prepare(&window->steps[i], &cuts[i]);
    }
    int64_t done = cut_guarded(window, cuts, count);
    free(window);
    close(control);
    return done;
}

static int64_t resume_suspended(int control, const char *name) {
    struct dm_ioctl request;
    fill(&request, name, sizeof request, 0);
    if (ioctl(control, DM_DEV_STATUS, &request) != 0) {
        return -errno;
    }
    if ((request.flags & DM_SUSPEND_FLAG) == 0) {
        return 0;
    }
    if ((request.flags & DM_INACTIVE_PRESENT_FLAG) != 0) {
        return -EBUSY;
    }
    fill(&request, name, sizeof request, 0);
    return ioctl(control, DM_DEV_SUSPEND, &request) != 0 ? -errno : 1;
}

int64_t tidemark_resume(const char *mapped_name) {
    if (!named(mapped_name)) {
        return -EINVAL;
    }
    int control = open(CONTROL, O_RDWR | O_CLOEXEC);
    if (control < 0) {
        return -errno;
    }
    int64_t result = resume_suspended(control, mapped_name);
    close(control);
    return result;
}
