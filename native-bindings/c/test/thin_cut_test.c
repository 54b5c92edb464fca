/* Cutting thin volumes, on a device mapper of this test's own: what it is asked, in which order, also when it fails. */
#define _GNU_SOURCE
#include "check.h"
#include "tidemark_block.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/dm-ioctl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <sched.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define SAID_BYTES 1024u

/* An emulator knows no process that shares memory and is not a thread: there is no sentinel then. */
#ifdef TIDEMARK_EMULATED
#define EMULATED true
#else
#define EMULATED false
#endif

/* Shared with what is forked. */
struct mapper {
    char said[SAID_BYTES]; /* what the device mapper was asked, one word each */
    bool suspended[10];    /* by the last digit of the device's name */
};
static struct mapper *mapper;
static int control_errno;     /* not 0: there is no device mapper */
static int fail_at;           /* number of the question that fails, from 1; 0: none */
static int fail_count;        /* of how many from there */
static int fail_errno;
static int asked;
static uint32_t status_flags;
static int kill_at;           /* number of the question before which, if negative after which, the process is killed */
static int resumed_at;        /* number of the question before which somebody else resumes all; 0: none */
static const char *target_type;
static uint64_t sectors;      /* of each volume */
static unsigned id_offset;    /* of a volume's number, from its name's digit */
static const char *pool_line;
static int absent_origin;     /* the volume of this number has no device; 0: all have */

/* Takes the place of libc's for all that is linked here; of paths only the control file's is another one. */
int open(const char *path, int flags, ...) {
    va_list arguments;
    va_start(arguments, flags);
    int mode = va_arg(arguments, int);
    va_end(arguments);
    bool control = strcmp(path, "/dev/mapper/control") == 0;
    if (control && control_errno != 0) {
        errno = control_errno;
        return -1;
    }
    return (int)syscall(SYS_openat, AT_FDCWD, control ? "/dev/null" : path, flags, mode);
}

static bool clone_fails;

int clone(int (*function)(void *), void *stack, int flags, void *argument, ...) {
    int (*libc)(int (*)(void *), void *, int, void *, ...) = NULL;
    *(void **)&libc = dlsym(RTLD_NEXT, "clone");
    if (clone_fails) {
        errno = EAGAIN;
        return -1;
    }
    return libc(function, stack, flags, argument);
}

static void say(const char *word, const char *name) {
    size_t at = strlen(mapper->said);
    snprintf(mapper->said + at, SAID_BYTES - at, "%s%s:%s", at == 0 ? "" : " ", word, name);
}

static const char *word_of(unsigned long request, const struct dm_ioctl *head) {
    if (request == DM_DEV_STATUS) {
        return "status";
    }
    if (request == DM_TABLE_STATUS) {
        CHECK(head->flags == DM_STATUS_TABLE_FLAG || head->flags == DM_NOFLUSH_FLAG);
        return head->flags == DM_STATUS_TABLE_FLAG ? "table" : "pool";
    }
    if (request == DM_TARGET_MSG) {
        return (const char *)head + head->data_start + sizeof(uint64_t);
    }
    CHECK_EQUAL(request, DM_DEV_SUSPEND);
    CHECK(head->flags == 0 || head->flags == (DM_SUSPEND_FLAG | DM_SKIP_LOCKFS_FLAG));
    return head->flags == 0 ? "resume" : "suspend";
}

/* The kernel's answer of one target. */
static void answer_table(struct dm_ioctl *head, int device) {
    bool of_pool = head->flags == DM_NOFLUSH_FLAG;
    struct dm_target_spec *target = (struct dm_target_spec *)((char *)head + sizeof *head);
    char *line = (char *)(target + 1);
    CHECK(head->data_size > sizeof *head + sizeof *target + 100);
    head->data_start = sizeof *head;
    head->target_count = 1;
    target->sector_start = 0;
    target->length = sectors;
    snprintf(target->target_type, sizeof target->target_type, "%s", of_pool ? "thin-pool" : target_type);
    if (of_pool) {
        snprintf(line, 100, "%s", pool_line);
    } else {
        snprintf(line, 100, "253:4 %u", (unsigned)device + id_offset);
    }
}

int ioctl(int fd, unsigned long request, ...) {
    va_list arguments;
    va_start(arguments, request);
    struct dm_ioctl *head = va_arg(arguments, struct dm_ioctl *);
    va_end(arguments);
    CHECK(fd >= 0);
    CHECK_EQUAL(head->version[0], DM_VERSION_MAJOR);
    say(word_of(request, head), head->name);
    asked++;
    int device = (head->name[strlen(head->name) - 1] - '0') % 10;
    if (asked == kill_at) {
        kill(getpid(), SIGKILL);
    }
    if (asked == resumed_at) {
        memset(mapper->suspended, 0, sizeof mapper->suspended);
    }
    if (request == DM_TABLE_STATUS) {
        answer_table(head, device);
    }
    if (request == DM_DEV_STATUS || request == DM_TABLE_STATUS) {
        if (absent_origin != 0 && device == absent_origin) {
            errno = ENXIO;
            return -1;
        }
        head->flags = status_flags | (mapper->suspended[device] ? DM_SUSPEND_FLAG : 0);
    }
    if (fail_at != 0 && asked >= fail_at && asked < fail_at + fail_count) {
        head->flags = UINT32_MAX; /* what the kernel leaves there is not to be asked with again */
        errno = fail_errno;
        return -1;
    }
    if (request == DM_DEV_SUSPEND) {
        mapper->suspended[device] = (head->flags & DM_SUSPEND_FLAG) != 0;
    }
    if (asked == -kill_at) {
        kill(getpid(), SIGKILL);
    }
    return 0;
}

static void forget(void) {
    memset(mapper, 0, sizeof *mapper);
    control_errno = fail_at = asked = kill_at = absent_origin = resumed_at = 0;
    target_type = "thin";
    sectors = 8192;
    id_offset = 0;
    pool_line = "1 20/1024 5/512 - rw discard_passdown queue_if_no_space - 1024 ";
    fail_count = 1;
    fail_errno = EIO;
    status_flags = DM_ACTIVE_PRESENT_FLAG;
}

static struct tidemark_thin_cut cuts[TIDEMARK_CUTS_MAX + 1];

static void make(uint32_t count) {
    memset(cuts, 0, sizeof cuts);
    for (uint32_t i = 0; i < count; i++) {
        snprintf(cuts[i].origin, sizeof cuts[i].origin, "vg-o%u", i + 1);
        snprintf(cuts[i].pool, sizeof cuts[i].pool, "vg-p-tpool");
        cuts[i].origin_id = i + 1;
        cuts[i].snapshot_id = 100 + i;
        cuts[i].active = 1;
        cuts[i].origin_sectors = 8192;
    }
}

static void check_said(const char *expected) {
    if (strcmp(mapper->said, expected) != 0) {
        fprintf(stderr, "the device mapper was asked:\n%s\nand not:\n%s\n", mapper->said, expected);
        exit(1);
    }
}

static void all_are_suspended_before_the_first_is_cut(void) {
    forget();
    make(2);
    CHECK_EQUAL(tidemark_thin_cut(cuts, 2), 2);
    check_said("table:vg-o1 table:vg-o2 suspend:vg-o1 suspend:vg-o2 create_snap 100 1:vg-p-tpool "
               "create_snap 101 2:vg-p-tpool status:vg-o1 status:vg-o2 resume:vg-o2 resume:vg-o1 pool:vg-p-tpool");
    CHECK(cuts[0].asked_nanos <= cuts[0].suspended_nanos && cuts[1].suspended_nanos <= cuts[0].cut_nanos);
    CHECK(cuts[1].cut_nanos <= cuts[1].resumed_nanos && cuts[1].resumed_nanos <= cuts[0].resumed_nanos);
    CHECK_EQUAL(cuts[0].error, 0);
}

static void whatever_fails_what_was_suspended_is_resumed(void) {
    static const uint32_t failed[] = {TIDEMARK_CUT_STEP_CHECK, TIDEMARK_CUT_STEP_CHECK, TIDEMARK_CUT_STEP_SUSPEND,
                                      TIDEMARK_CUT_STEP_SUSPEND, TIDEMARK_CUT_STEP_CREATE, TIDEMARK_CUT_STEP_CREATE};
    static const char *const undone[] = {"table:vg-o1", "table:vg-o2", "suspend:vg-o1",
                                         "suspend:vg-o2 resume:vg-o1",
                                         "create_snap 100 1:vg-p-tpool resume:vg-o2 resume:vg-o1",
                                         "create_snap 101 2:vg-p-tpool status:vg-o1 status:vg-o2 resume:vg-o2 "
                                         "resume:vg-o1 pool:vg-p-tpool"};
    for (int at = 1; at <= 6; at++) {
        forget();
        make(2);
        fail_at = at;
        uint32_t which = (uint32_t)(at - 1) % 2;
        CHECK_EQUAL(tidemark_thin_cut(cuts, 2), at == 6 ? 1 : 0);
        CHECK_EQUAL(cuts[which].failed_step, failed[at - 1]);
        CHECK_EQUAL(cuts[which].error, EIO);
        CHECK_EQUAL(cuts[1 - which].error, 0);
        CHECK_EQUAL(cuts[1].cut_nanos, 0);
        CHECK(strlen(mapper->said) >= strlen(undone[at - 1]));
        CHECK_EQUAL(strcmp(mapper->said + strlen(mapper->said) - strlen(undone[at - 1]), undone[at - 1]), 0);
    }
}

static void resumption_is_tried_again(void) {
    forget();
    make(1);
    fail_at = 5;
    fail_count = 2;
    CHECK_EQUAL(tidemark_thin_cut(cuts, 1), 1);
    check_said("table:vg-o1 suspend:vg-o1 create_snap 100 1:vg-p-tpool status:vg-o1 resume:vg-o1 resume:vg-o1 "
               "resume:vg-o1 pool:vg-p-tpool");
    CHECK_EQUAL(cuts[0].error, 0);
    CHECK(cuts[0].resumed_nanos > 0);

    forget();
    fail_at = 5;
    fail_count = 3;
    CHECK_EQUAL(tidemark_thin_cut(cuts, 1), 1);
    CHECK_EQUAL(cuts[0].failed_step, TIDEMARK_CUT_STEP_RESUME);
    CHECK_EQUAL(cuts[0].resumed_nanos, 0);
}

static void volume_without_device_is_not_suspended(void) {
    forget();
    make(2);
    cuts[0].active = 0;
    cuts[1].active = 0;
    absent_origin = 1;
    CHECK_EQUAL(tidemark_thin_cut(cuts, 2), 2);
    check_said("table:vg-o1 table:vg-o2 suspend:vg-o2 create_snap 100 1:vg-p-tpool create_snap 101 2:vg-p-tpool "
               "status:vg-o2 resume:vg-o2 pool:vg-p-tpool");

    forget();
    cuts[0].active = 1;
    absent_origin = 1;
    CHECK_EQUAL(tidemark_thin_cut(cuts, 2), 0);
    CHECK_EQUAL(cuts[0].error, ENXIO);
    CHECK_EQUAL(cuts[0].failed_step, TIDEMARK_CUT_STEP_CHECK);
}

static void what_others_have_suspended_is_left_to_them(void) {
    static const uint32_t theirs[] = {DM_SUSPEND_FLAG, DM_INACTIVE_PRESENT_FLAG};
    for (size_t i = 0; i < 2; i++) {
        forget();
        make(1);
        status_flags = DM_ACTIVE_PRESENT_FLAG | theirs[i];
        CHECK_EQUAL(tidemark_thin_cut(cuts, 1), 0);
        CHECK_EQUAL(cuts[0].error, EBUSY);
        check_said("table:vg-o1");
    }
}

static void what_is_not_what_was_prepared_is_not_cut(void) {
    for (int change = 0; change < 3; change++) {
        forget();
        make(2);
        target_type = change == 0 ? "linear" : "thin";
        sectors = change == 1 ? 16384 : 8192;
        id_offset = change == 2;
        CHECK_EQUAL(tidemark_thin_cut(cuts, 2), 0);
        CHECK_EQUAL(cuts[0].error, ESTALE);
        CHECK_EQUAL(cuts[0].failed_step, TIDEMARK_CUT_STEP_CHECK);
        check_said("table:vg-o1");
    }
}

static void cut_in_which_somebody_resumes_is_undone(void) {
    forget();
    make(2);
    resumed_at = 6;
    CHECK_EQUAL(tidemark_thin_cut(cuts, 2), 0);
    check_said("table:vg-o1 table:vg-o2 suspend:vg-o1 suspend:vg-o2 create_snap 100 1:vg-p-tpool "
               "create_snap 101 2:vg-p-tpool status:vg-o1 status:vg-o2 resume:vg-o2 resume:vg-o1 "
               "delete 100:vg-p-tpool delete 101:vg-p-tpool");
    for (int i = 0; i < 2; i++) {
        CHECK_EQUAL(cuts[i].cut_nanos, 0);
        CHECK_EQUAL(cuts[i].error, ESTALE);
        CHECK_EQUAL(cuts[i].failed_step, TIDEMARK_CUT_STEP_HELD);
    }
}

static void pool_that_stopped_writing_has_cut_nothing(void) {
    static const char *const broken[] = {"1 20/1024 5/512 - ro discard_passdown queue_if_no_space - 1024 ", "Fail",
                                         "1 20/1024 5/512 - rw discard_passdown queue_if_no_space needs_check 1024 "};
    for (size_t i = 0; i < 3; i++) {
        forget();
        make(2);
        pool_line = broken[i];
        CHECK_EQUAL(tidemark_thin_cut(cuts, 2), 0);
        CHECK_EQUAL(cuts[1].cut_nanos, 0);
        CHECK_EQUAL(cuts[1].error, EIO);
        CHECK_EQUAL(cuts[1].failed_step, TIDEMARK_CUT_STEP_POOL);
        CHECK(cuts[1].resumed_nanos > 0);
    }
}

static void arguments_are_checked_before_anything_is_asked(void) {
    forget();
    make(TIDEMARK_CUTS_MAX);
    CHECK_EQUAL(tidemark_thin_cut(cuts, TIDEMARK_CUTS_MAX + 1), -EINVAL);
    CHECK_EQUAL(tidemark_thin_cut(NULL, 0), 0);
    cuts[1].snapshot_id = 1u << 24;
    CHECK_EQUAL(tidemark_thin_cut(cuts, 2), -EINVAL);
    cuts[1].snapshot_id = cuts[1].origin_id;
    CHECK_EQUAL(tidemark_thin_cut(cuts, 2), -EINVAL);
    make(2);
    memset(cuts[1].origin, 'a', sizeof cuts[1].origin);
    CHECK_EQUAL(tidemark_thin_cut(cuts, 2), -EINVAL);
    make(2);
    cuts[1].pool[0] = '\0';
    CHECK_EQUAL(tidemark_thin_cut(cuts, 2), -EINVAL);
    CHECK_EQUAL(tidemark_resume(""), -EINVAL);
    make(2);
    control_errno = EACCES;
    CHECK_EQUAL(tidemark_thin_cut(cuts, 2), -EACCES);
    CHECK_EQUAL(tidemark_resume("vg-o1"), -EACCES);
    check_said("");
}

static void without_a_sentinel_nothing_is_tried(void) {
    forget();
    make(2);
    clone_fails = true;
    CHECK_EQUAL(tidemark_thin_cut(cuts, 2), -EAGAIN);
    clone_fails = false;
    check_said("");
}

/* Whether the sentinel of a process that is killed there resumes all. */
static bool resumed_when_killed(int at) {
    forget();
    make(2);
    kill_at = at;
    pid_t victim = fork();
    if (victim == 0) {
        tidemark_thin_cut(cuts, 2);
        _exit(0);
    }
    int status = 0;
    CHECK_EQUAL(waitpid(victim, &status, 0), victim);
    CHECK(WIFSIGNALED(status));
    CHECK_EQUAL(WTERMSIG(status), SIGKILL);
    for (int round = 0; round < 500; round++) {
        if (!mapper->suspended[1] && !mapper->suspended[2]) {
            return true;
        }
        usleep(10000);
    }
    return false;
}

static void what_a_killed_process_had_suspended_is_resumed(void) {
    for (int at = 1; at <= 11; at++) {
        if (!resumed_when_killed(at) || !resumed_when_killed(-at)) {
            fprintf(stderr, "killed at question %d: not resumed; asked was: %s\n", at, mapper->said);
            exit(1);
        }
    }
}

static void only_what_is_suspended_is_resumed(void) {
    forget();
    CHECK_EQUAL(tidemark_resume("vg-o1"), 0);
    status_flags |= DM_SUSPEND_FLAG;
    CHECK_EQUAL(tidemark_resume("vg-o1"), 1);
    status_flags |= DM_INACTIVE_PRESENT_FLAG;
    CHECK_EQUAL(tidemark_resume("vg-o1"), -EBUSY);
    absent_origin = 1;
    CHECK_EQUAL(tidemark_resume("vg-o1"), -ENXIO);
    check_said("status:vg-o1 status:vg-o1 resume:vg-o1 status:vg-o1 status:vg-o1");
}

int main(void) {
    mapper = mmap(NULL, sizeof *mapper, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    CHECK(mapper != MAP_FAILED);
    all_are_suspended_before_the_first_is_cut();
    whatever_fails_what_was_suspended_is_resumed();
    resumption_is_tried_again();
    volume_without_device_is_not_suspended();
    what_others_have_suspended_is_left_to_them();
    what_is_not_what_was_prepared_is_not_cut();
    cut_in_which_somebody_resumes_is_undone();
    pool_that_stopped_writing_has_cut_nothing();
    arguments_are_checked_before_anything_is_asked();
    only_what_is_suspended_is_resumed();
    if (!EMULATED) {
        without_a_sentinel_nothing_is_tried();
        what_a_killed_process_had_suspended_is_resumed();
    }
    return 0;
}
