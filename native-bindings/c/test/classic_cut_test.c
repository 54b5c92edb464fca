/* The cut of classic volumes, before a device mapper that only writes down what it is asked. */
#define _GNU_SOURCE
#include "check.h"
#include "tidemark_block.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/dm-ioctl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define SAID_BYTES 4096u
#define BLOCK_BYTES 4096u

/* An emulator knows no process that shares memory and is not a thread: there is no sentinel then. */
#ifdef TIDEMARK_EMULATED
#define EMULATED true
#else
#define EMULATED false
#endif

/* Shared with what is forked. A device is an origin "vg-oN", a snapshot "vg-sN" or its store "vg-sN-cow". */
struct mapper {
    char said[SAID_BYTES];
    bool suspended[10];
    char live[10];   /* of a snapshot: S its target, E an error target */
    char loaded[10]; /* likewise; 0: none */
};
static struct mapper *mapper;
static int stores[10];        /* files */
static int asked;
static int fail_at;           /* number of the question that fails, from 1; 0: none */
static int kill_at;           /* before which, if negative after which, the process is killed; 0: none */
static int resumed_at;        /* before which somebody else resumes all origins; 0: none */
static int enlivened_at;      /* before which somebody else makes live what is loaded; 0: none */
static uint32_t status_flags;
static uint32_t open_count;
static uint64_t sectors;
static const char *snapshot_line;
static bool store_fails;

int open(const char *path, int flags, ...) {
    va_list arguments;
    va_start(arguments, flags);
    int mode = va_arg(arguments, int);
    va_end(arguments);
    if (strncmp(path, "/dev/mapper/vg-s", 16) == 0) {
        CHECK((flags & O_DIRECT) != 0);
        if (store_fails) {
            errno = ENOENT;
            return -1;
        }
        return dup(stores[path[16] - '0']);
    }
    bool control = strcmp(path, "/dev/mapper/control") == 0;
    return (int)syscall(SYS_openat, AT_FDCWD, control ? "/dev/null" : path, flags, mode);
}

static int device_of(const struct dm_ioctl *head) {
    return head->name[4] - '0';
}

static bool of_snapshot(const struct dm_ioctl *head) {
    return head->name[3] == 's';
}

static void say(const char *word, const char *name) {
    size_t at = strlen(mapper->said);
    snprintf(mapper->said + at, SAID_BYTES - at, "%s%s:%s", at == 0 ? "" : " ", word, name);
}

static struct dm_target_spec *target_of(struct dm_ioctl *head) {
    return (struct dm_target_spec *)((char *)head + head->data_start);
}

static void answer_table(struct dm_ioctl *head) {
    head->data_start = sizeof *head;
    head->target_count = 1;
    head->open_count = (int)(of_snapshot(head) ? open_count : 1);
    struct dm_target_spec *target = target_of(head);
    target->sector_start = 0;
    target->length = sectors;
    snprintf(target->target_type, sizeof target->target_type, "%s", of_snapshot(head) ? "snapshot" : "snapshot-origin");
    snprintf((char *)(target + 1), 100, "%s", of_snapshot(head) ? snapshot_line : "254:1");
}

/* As the kernel does: a table with a snapshot makes a store anew that has no magic number. */
static void load_table(struct dm_ioctl *head) {
    struct dm_target_spec *target = target_of(head);
    int device = device_of(head);
    CHECK_EQUAL(target->length, sectors);
    CHECK_EQUAL(head->target_count, 1);
    CHECK_EQUAL(head->flags, DM_READONLY_FLAG);
    bool error = strcmp(target->target_type, "error") == 0;
    mapper->loaded[device] = error ? 'E' : 'S';
    if (error) {
        return;
    }
    CHECK_EQUAL(strcmp((char *)(target + 1), snapshot_line), 0);
    CHECK_EQUAL(mapper->live[device], 'E');
    unsigned char block[BLOCK_BYTES] = {0};
    static const unsigned char header[] = {0x53, 0x6e, 0x41, 0x70, 1, 0, 0, 0, 1, 0, 0, 0, 8};
    CHECK_EQUAL(pread(stores[device], block, 4, 0), 4);
    CHECK_EQUAL(block[0], 0);
    memset(block, 0, sizeof block);
    memcpy(block, header, sizeof header);
    CHECK_EQUAL(pwrite(stores[device], block, BLOCK_BYTES, 0), BLOCK_BYTES);
}

static void enliven(int device) {
    if (mapper->loaded[device] != 0) {
        mapper->live[device] = mapper->loaded[device];
        mapper->loaded[device] = 0;
    }
}

static const char *apply(unsigned long request, struct dm_ioctl *head) {
    int device = device_of(head);
    if (request == DM_TABLE_STATUS) {
        answer_table(head);
        head->flags = status_flags;
        return "table";
    }
    if (request == DM_TABLE_LOAD) {
        load_table(head);
        return strcmp(target_of(head)->target_type, "error") == 0 ? "error" : "load";
    }
    if (request == DM_DEV_STATUS) {
        head->flags = of_snapshot(head) ? (mapper->loaded[device] != 0 ? DM_INACTIVE_PRESENT_FLAG : 0)
                                        : (mapper->suspended[device] ? DM_SUSPEND_FLAG : 0);
        return "status";
    }
    CHECK_EQUAL(request, DM_DEV_SUSPEND);
    if (of_snapshot(head)) {
        CHECK_EQUAL(head->flags, DM_SKIP_LOCKFS_FLAG);
        enliven(device);
        return "live";
    }
    mapper->suspended[device] = head->flags != 0;
    return head->flags != 0 ? "suspend" : "resume";
}

int ioctl(int fd, unsigned long request, ...) {
    va_list arguments;
    va_start(arguments, request);
    struct dm_ioctl *head = va_arg(arguments, struct dm_ioctl *);
    va_end(arguments);
    CHECK(fd >= 0);
    asked++;
    if (asked == kill_at) {
        kill(getpid(), SIGKILL);
    }
    if (asked == resumed_at) {
        memset(mapper->suspended, 0, sizeof mapper->suspended);
    }
    if (asked == enlivened_at) {
        enliven(1);
        enliven(2);
    }
    if (asked == fail_at) {
        say("fails", head->name);
        errno = EIO;
        return -1;
    }
    char name[DM_NAME_LEN];
    snprintf(name, sizeof name, "%s", head->name);
    say(apply(request, head), name);
    if (asked == -kill_at) {
        kill(getpid(), SIGKILL);
    }
    return 0;
}

static struct tidemark_classic_cut cuts[TIDEMARK_CUTS_MAX + 1];

static void make(uint32_t count) {
    memset(mapper, 0, sizeof *mapper);
    memset(mapper->live, 'S', sizeof mapper->live);
    asked = fail_at = kill_at = resumed_at = enlivened_at = 0;
    status_flags = DM_ACTIVE_PRESENT_FLAG | DM_READONLY_FLAG;
    open_count = 0;
    sectors = 8192;
    snapshot_line = "254:1 0:0 P 8"; /* a file is on no device */
    store_fails = false;
    memset(cuts, 0, sizeof cuts);
    for (uint32_t i = 0; i < count; i++) {
        snprintf(cuts[i].origin, sizeof cuts[i].origin, "vg-o%u", (i + 1) % 10);
        snprintf(cuts[i].snapshot, sizeof cuts[i].snapshot, "vg-s%u", (i + 1) % 10);
        snprintf(cuts[i].store, sizeof cuts[i].store, "vg-s%u-cow", (i + 1) % 10);
        memset(cuts[i].mark, 'm', sizeof cuts[i].mark);
        cuts[i].origin_sectors = 8192;
    }
    for (int i = 1; i <= 2; i++) {
        unsigned char old[BLOCK_BYTES];
        memset(old, 0xee, sizeof old);
        CHECK_EQUAL(pwrite(stores[i], old, sizeof old, 0), BLOCK_BYTES);
    }
}

static bool marked(int device) {
    unsigned char block[BLOCK_BYTES];
    CHECK_EQUAL(pread(stores[device], block, sizeof block, 0), BLOCK_BYTES);
    bool all = true;
    for (size_t i = 0; i < TIDEMARK_MARK_BYTES; i++) {
        all = all && block[TIDEMARK_MARK_AT + i] == 'm';
    }
    /* Beside it is what the kernel has made, and nothing that was there before. */
    CHECK(!all || (block[0] == 0x53 && block[4] == 1 && block[16] == 0 && block[BLOCK_BYTES - 1] == 0));
    return all;
}

static void check_said(const char *expected) {
    if (strcmp(mapper->said, expected) != 0) {
        fprintf(stderr, "the device mapper was asked:\n%s\nand not:\n%s\n", mapper->said, expected);
        exit(1);
    }
}

static void snapshots_are_reset_before_and_begin_while_all_are_held(void) {
    make(2);
    CHECK_EQUAL(tidemark_classic_cut(cuts, 2), 2);
    check_said("table:vg-o1 table:vg-s1 table:vg-o2 table:vg-s2 error:vg-s1 live:vg-s1 load:vg-s1 error:vg-s2 "
               "live:vg-s2 "
               "load:vg-s2 suspend:vg-o1 suspend:vg-o2 status:vg-s1 live:vg-s1 status:vg-s2 live:vg-s2 status:vg-o1 "
               "status:vg-o2 resume:vg-o2 resume:vg-o1");
    CHECK(marked(1) && marked(2));
    CHECK(mapper->live[1] == 'S' && mapper->live[2] == 'S');
    CHECK(cuts[0].asked_nanos <= cuts[0].suspended_nanos && cuts[1].suspended_nanos <= cuts[0].cut_nanos);
    CHECK(cuts[1].cut_nanos <= cuts[1].resumed_nanos && cuts[1].resumed_nanos <= cuts[0].resumed_nanos);
    CHECK_EQUAL(cuts[0].error, 0);
}

static void whatever_fails_nothing_is_marked_and_all_is_resumed(void) {
    /* Of 20 questions: the last two are resumptions, which are tried again. */
    static const uint32_t steps[] = {
        TIDEMARK_CUT_STEP_CHECK, TIDEMARK_CUT_STEP_CHECK, TIDEMARK_CUT_STEP_CHECK, TIDEMARK_CUT_STEP_CHECK,
        TIDEMARK_CUT_STEP_RESET, TIDEMARK_CUT_STEP_RESET, TIDEMARK_CUT_STEP_RESET, TIDEMARK_CUT_STEP_RESET,
        TIDEMARK_CUT_STEP_RESET, TIDEMARK_CUT_STEP_RESET, TIDEMARK_CUT_STEP_SUSPEND, TIDEMARK_CUT_STEP_SUSPEND,
        TIDEMARK_CUT_STEP_CREATE, TIDEMARK_CUT_STEP_CREATE, TIDEMARK_CUT_STEP_CREATE, TIDEMARK_CUT_STEP_CREATE,
        TIDEMARK_CUT_STEP_HELD, TIDEMARK_CUT_STEP_HELD};
    for (int at = 1; at <= (int)(sizeof steps / sizeof steps[0]); at++) {
        make(2);
        fail_at = at;
        CHECK_EQUAL(tidemark_classic_cut(cuts, 2), 0);
        CHECK(!marked(1) && !marked(2));
        CHECK(!mapper->suspended[1] && !mapper->suspended[2]);
        CHECK(cuts[0].failed_step == steps[at - 1] || cuts[1].failed_step == steps[at - 1]);
        CHECK(cuts[0].cut_nanos == 0 && cuts[1].cut_nanos == 0);
    }
    make(2);
    fail_at = 19;
    CHECK_EQUAL(tidemark_classic_cut(cuts, 2), 2);
    CHECK(!mapper->suspended[1] && !mapper->suspended[2]);
}

static void cut_that_somebody_else_gets_between_is_not_marked(void) {
    for (int at = 13; at <= 18; at++) {
        make(2);
        resumed_at = at;
        CHECK_EQUAL(tidemark_classic_cut(cuts, 2), 0);
        CHECK(!marked(1) && !marked(2));
        CHECK_EQUAL(cuts[1].error, ESTALE);
        CHECK_EQUAL(cuts[1].failed_step, TIDEMARK_CUT_STEP_HELD);
    }
    for (int at = 11; at <= 15; at++) {
        make(2);
        enlivened_at = at;
        CHECK_EQUAL(tidemark_classic_cut(cuts, 2), 0);
        CHECK(!marked(1) && !marked(2));
    }
}

static void what_is_in_use_is_left_alone(void) {
    static const uint32_t theirs[] = {DM_SUSPEND_FLAG, DM_INACTIVE_PRESENT_FLAG, 0};
    for (size_t i = 0; i < 3; i++) {
        make(1);
        status_flags |= theirs[i];
        open_count = theirs[i] == 0;
        CHECK_EQUAL(tidemark_classic_cut(cuts, 1), 0);
        CHECK_EQUAL(cuts[0].error, EBUSY);
        check_said("table:vg-o1 table:vg-s1");
    }
}

static void what_is_not_what_was_prepared_is_left_alone(void) {
    static const char *const lines[] = {"254:7 0:0 P 8", "254:1 254:3 P 8", "254:1", ""};
    for (size_t i = 0; i <= 4; i++) {
        make(1);
        snapshot_line = i < 4 ? lines[i] : snapshot_line;
        sectors = i < 4 ? 8192 : 16384;
        CHECK_EQUAL(tidemark_classic_cut(cuts, 1), 0);
        CHECK_EQUAL(cuts[0].error, ESTALE);
        check_said("table:vg-o1 table:vg-s1");
    }
    make(1);
    store_fails = true;
    CHECK_EQUAL(tidemark_classic_cut(cuts, 1), 0);
    CHECK_EQUAL(cuts[0].error, ENOENT);
    check_said("");
}

static void arguments_are_checked_before_anything_is_asked(void) {
    make(TIDEMARK_CUTS_MAX);
    CHECK_EQUAL(tidemark_classic_cut(cuts, TIDEMARK_CUTS_MAX + 1), -EINVAL);
    CHECK_EQUAL(tidemark_classic_cut(NULL, 0), 0);
    memset(cuts[1].store, 'a', sizeof cuts[1].store);
    CHECK_EQUAL(tidemark_classic_cut(cuts, 2), -EINVAL);
    check_said("");
}

/* Whether what a killed process had suspended is resumed, by its sentinel. */
static bool resumed_when_killed(int at) {
    make(2);
    kill_at = at;
    pid_t victim = fork();
    if (victim == 0) {
        tidemark_classic_cut(cuts, 2);
        _exit(0);
    }
    int status = 0;
    CHECK_EQUAL(waitpid(victim, &status, 0), victim);
    CHECK(WIFSIGNALED(status));
    for (int round = 0; round < 500; round++) {
        if (!mapper->suspended[1] && !mapper->suspended[2]) {
            return true;
        }
        usleep(10000);
    }
    return false;
}

static void what_a_killed_process_had_suspended_is_resumed(void) {
    for (int at = 1; at <= 20; at++) {
        if (!resumed_when_killed(at) || !resumed_when_killed(-at)) {
            fprintf(stderr, "killed at question %d: not resumed; asked was: %s\n", at, mapper->said);
            exit(1);
        }
        /* A mark is written after the last snapshot has begun, and no sooner. */
        CHECK(at > 18 || (!marked(1) && !marked(2)));
    }
}

int main(void) {
    mapper = mmap(NULL, sizeof *mapper, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    CHECK(mapper != MAP_FAILED);
    for (int i = 0; i < 10; i++) {
        stores[i] = memfd_create("store", MFD_CLOEXEC);
        CHECK(stores[i] >= 0);
    }
    snapshots_are_reset_before_and_begin_while_all_are_held();
    whatever_fails_nothing_is_marked_and_all_is_resumed();
    cut_that_somebody_else_gets_between_is_not_marked();
    what_is_in_use_is_left_alone();
    what_is_not_what_was_prepared_is_left_alone();
    arguments_are_checked_before_anything_is_asked();
    if (!EMULATED) {
        what_a_killed_process_had_suspended_is_resumed();
    }
    return 0;
}
