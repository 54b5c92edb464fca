/* Suspends devices and resumes them whatever happens, by the device mapper's ioctls: linux/dm-ioctl.h. */
#define _GNU_SOURCE
#include "cut_window.h"
#include "tidemark_block.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#define CONTROL "/dev/mapper/control"

/* A resumption has no reason to fail but want of memory, which may pass. */
#define RESUME_ATTEMPTS 3

_Static_assert(TIDEMARK_MAPPED_NAME_BYTES == DM_NAME_LEN, "names are as long as the kernel's");
_Static_assert(sizeof(((struct cut_window *)0)->devices) == TIDEMARK_CUTS_MAX * sizeof(struct held_device),
               "a window has room for every cut");

int64_t window_now_nanos(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

void mapped_fill(struct dm_ioctl *request, const char *name, size_t bytes, uint32_t flags) {
    memset(request, 0, sizeof *request);
    request->version[0] = DM_VERSION_MAJOR;
    request->data_size = (uint32_t)bytes;
    request->data_start = sizeof *request;
    request->flags = flags;
    memcpy(request->name, name, strlen(name) + 1);
}

bool mapped_named(const char *name) {
    size_t length = strnlen(name, DM_NAME_LEN);
    return length > 0 && length < DM_NAME_LEN;
}

bool mapped_answered(struct mapped_table *table, const char *type) {
    table->line[MAPPED_LINE_BYTES - 1] = '\0';
    return table->head.data_start == offsetof(struct mapped_table, target) && table->head.target_count == 1
           && (table->head.flags & DM_BUFFER_FULL_FLAG) == 0
           && strncmp(table->target.target_type, type, DM_MAX_TYPE_NAME) == 0;
}

int mapped_control(void) {
    int control = open(CONTROL, O_RDWR | O_CLOEXEC);
    return control < 0 ? -errno : control;
}

void window_add(struct cut_window *window, const char *name) {
    struct held_device *device = &window->devices[window->count++];
    /* Without DM_NOFLUSH_FLAG: what is under way is waited for, and is in the snapshot. */
    mapped_fill(&device->suspend, name, sizeof device->suspend, DM_SUSPEND_FLAG | DM_SKIP_LOCKFS_FLAG);
    mapped_fill(&device->held, name, sizeof device->held, 0);
    mapped_fill(&device->resume, name, sizeof device->resume, 0);
    device->suspended = false;
    atomic_store(&device->asked, false);
}

/* They stay in memory, for they may lie on what is suspended. */
static void lock_code(const uintptr_t *code, size_t count) {
    uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
    for (size_t i = 0; i < count; i++) {
        /* Two pages: a function may reach into the next one. Not allowed to: then they were at least just read. */
        mlock((const void *)(code[i] & ~(page - 1)), 2 * page); // NOLINT(performance-no-int-to-ptr)
    }
}

bool window_enter(struct cut_window *window, const uintptr_t *code, size_t count) {
    const uintptr_t own[] = {(uintptr_t)&window_now_nanos, (uintptr_t)&window_suspend, (uintptr_t)&window_resume,
                             (uintptr_t)&ioctl, (uintptr_t)&clock_gettime};
    lock_code(own, sizeof own / sizeof own[0]);
    lock_code(code, count);
    mlock(window, sizeof *window);
    /* A signal would interrupt a suspension, or run a handler whose pages are not locked. */
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &window->signals);
    window->flusher = prctl(PR_GET_IO_FLUSHER, 0, 0, 0, 0) == 1;
    /* The kernel allocates for our calls, and might first write to what is suspended. Old ones know no such word. */
    prctl(PR_SET_IO_FLUSHER, 1, 0, 0, 0);
    return sentinel_start(window) || !SENTINEL_NEEDED;
}

void window_leave(struct cut_window *window) {
    sentinel_end(window);
    if (!window->flusher) {
        prctl(PR_SET_IO_FLUSHER, 0, 0, 0, 0);
    }
    pthread_sigmask(SIG_SETMASK, &window->signals, NULL);
    munlock(window, sizeof *window);
}

bool window_suspend(struct cut_window *window, uint32_t number) {
    struct held_device *device = &window->devices[number];
    atomic_store(&device->asked, true);
    device->suspended = ioctl(window->control, DM_DEV_SUSPEND, &device->suspend) == 0;
    return device->suspended;
}

bool window_held(struct cut_window *window, uint32_t number) {
    struct held_device *device = &window->devices[number];
    return !device->suspended
           || (ioctl(window->control, DM_DEV_STATUS, &device->held) == 0
               && (device->held.flags & DM_SUSPEND_FLAG) != 0);
}

bool window_resume(struct cut_window *window, uint32_t number) {
    struct held_device *device = &window->devices[number];
    if (!device->suspended) {
        return true;
    }
    struct dm_ioctl fresh = device->resume;
    for (int attempt = 0; attempt < RESUME_ATTEMPTS; attempt++) {
        device->resume = fresh; /* the kernel writes its answer over it */
        if (ioctl(window->control, DM_DEV_SUSPEND, &device->resume) == 0) {
            return true;
        }
    }
    return false;
}

static int64_t resume_suspended(int control, const char *name) {
    struct dm_ioctl request;
    mapped_fill(&request, name, sizeof request, 0);
    if (ioctl(control, DM_DEV_STATUS, &request) != 0) {
        return -errno;
    }
    if ((request.flags & DM_SUSPEND_FLAG) == 0) {
        return 0;
    }
    if ((request.flags & DM_INACTIVE_PRESENT_FLAG) != 0) {
        return -EBUSY;
    }
    mapped_fill(&request, name, sizeof request, 0);
    return ioctl(control, DM_DEV_SUSPEND, &request) != 0 ? -errno : 1;
}

int64_t tidemark_resume(const char *mapped_name) {
    if (!mapped_named(mapped_name)) {
        return -EINVAL;
    }
    int control = mapped_control();
    if (control < 0) {
        return control;
    }
    int64_t result = resume_suspended(control, mapped_name);
    close(control);
    return result;
}
