/*
 * Reading by mmap, a few MiB at a time. A page that the file no longer has, or that cannot be read, raises SIGBUS in
 * the thread that touches it. The handler below then puts a page of zeros in its place, notes that, and lets the thread
 * go on: nothing is jumped out of. The call then fails, with what pread says of the piece.
 */
#define _GNU_SOURCE
#include "work.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* Since Linux 5.14; headers of Debian 11 lack it. */
#ifndef MADV_POPULATE_READ
#define MADV_POPULATE_READ 22
#endif

struct window {
    uint8_t *start;
    size_t length_bytes;
    const uint8_t *data; /* of the piece: start and data differ where a block is smaller than a page */
    size_t page_bytes;
    volatile sig_atomic_t lost;
};

struct windows {
    struct window of[TIDEMARK_FILES_MAX];
};

/*
 * The windows that the running thread looks through. Initial-exec: found from a handler without a call that might
 * allocate. Volatile: the compiler does not see who reads it.
 */
static _Thread_local struct windows *volatile guarded __attribute__((tls_model("initial-exec")));

static struct sigaction previous;
static pthread_once_t installed = PTHREAD_ONCE_INIT;
static int install_failure;

/* Only async-signal-safe: mmap is a bare system call. */
static bool replace_lost_pages(const siginfo_t *info) {
    struct windows *windows = guarded;
    if (windows == NULL || info->si_code != BUS_ADRERR) {
        return false;
    }
    uintptr_t address = (uintptr_t)info->si_addr;
    for (int i = 0; i < TIDEMARK_FILES_MAX; i++) {
        struct window *window = &windows->of[i];
        uintptr_t start = (uintptr_t)window->start;
        if (window->length_bytes == 0 || address < start || address - start >= window->length_bytes) {
            continue;
        }
        size_t before = (size_t)(address - start) & ~(window->page_bytes - 1);
        void *zeros = mmap(window->start + before, window->length_bytes - before, PROT_READ,
                           MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
        window->lost = 1;
        return zeros != MAP_FAILED;
    }
    return false;
}

/* What the process did with SIGBUS before; in a Java process that is the virtual machine's own handler. */
static void hand_on(int number, siginfo_t *info, void *context) {
    if ((previous.sa_flags & SA_SIGINFO) != 0) {
        previous.sa_sigaction(number, info, context);
    } else if (previous.sa_handler == SIG_DFL || previous.sa_handler == SIG_IGN) {
        /* The instruction runs again, and ends the process as it would have without us. */
        signal(number, SIG_DFL);
    } else {
        previous.sa_handler(number);
    }
}

static void on_bus_error(int number, siginfo_t *info, void *context) {
    int before = errno;
    if (!replace_lost_pages(info)) {
        hand_on(number, info, context);
    }
    errno = before;
}

static void install(void) {
    if (sigaction(SIGBUS, NULL, &previous) != 0) {
        install_failure = -errno;
        return;
    }
    struct sigaction ours = previous;
    ours.sa_sigaction = on_bus_error;
    ours.sa_flags = (previous.sa_flags | SA_SIGINFO | SA_ONSTACK) & ~(int)SA_RESETHAND;
    if (sigaction(SIGBUS, &ours, NULL) != 0) {
        install_failure = -errno;
    }
}

/*
 * Asked for at once where the cache does not hold a piece: as many reads under way as the device takes, for this thread
 * and those that take the next pieces. Faults alone would read 128 KiB, wait, and read the next.
 */
#define FETCH_BYTES (16u << 20)

/* Pages looked at: all of them would cost a sixth of the time of a cached piece. */
#define SAMPLES 4u

static void fetch_unless_cached(const struct window *window, int fd, struct tidemark_piece piece) {
    for (size_t i = 0; i < SAMPLES; i++) {
        size_t at = (window->length_bytes - 1) / (SAMPLES - 1) * i & ~(window->page_bytes - 1);
        unsigned char cached = 1;
        if (mincore(window->start + at, window->page_bytes, &cached) == 0 && (cached & 1) == 0) {
            /* Advice only: a failure changes speed, not the answer. */
            (void)posix_fadvise(fd, (off_t)piece.offset_bytes, FETCH_BYTES, POSIX_FADV_WILLNEED);
            return;
        }
    }
}

/* 0; -EFAULT when the file has no such pages; else the window cannot be had. */
static int open_window(struct window *window, int fd, struct tidemark_piece piece) {
    size_t lead = (size_t)(piece.offset_bytes & (window->page_bytes - 1));
    void *start = mmap(NULL, piece.length_bytes + lead, PROT_READ, MAP_SHARED, fd, (off_t)(piece.offset_bytes - lead));
    if (start == MAP_FAILED) {
        return -errno;
    }
    window->start = start;
    window->length_bytes = piece.length_bytes + lead;
    window->data = window->start + lead;
    window->lost = 0;
    fetch_unless_cached(window, fd, piece);
    /* All pages by one call, instead of a fault for each 64 KiB. Older kernels refuse it, and fault. */
    return madvise(start, window->length_bytes, MADV_POPULATE_READ) != 0 && errno == EFAULT ? -EFAULT : 0;
}

static void close_window(struct window *window) {
    if (window->length_bytes != 0) {
        munmap(window->start, window->length_bytes);
        window->length_bytes = 0;
    }
}

/* Where no window can be had: through memory of our own. */
static int take_read(struct tidemark_work *work, struct tidemark_piece piece, bool only_look) {
    uint8_t *buffers[TIDEMARK_FILES_MAX] = {NULL};
    int result = 0;
    for (int i = 0; i < work->files && result == 0; i++) {
        buffers[i] = malloc(piece.length_bytes);
        result = buffers[i] == NULL
                     ? -ENOMEM
                     : tidemark_read_fully(work->fds[i], buffers[i], piece.length_bytes, piece.offset_bytes);
    }
    if (result == 0 && !only_look) {
        result = tidemark_take_piece(work, piece, (const uint8_t *const *)buffers);
    }
    for (int i = 0; i < work->files; i++) {
        free(buffers[i]);
    }
    return result;
}

static int take_mapped(struct tidemark_work *work, struct tidemark_piece piece, struct windows *windows) {
    const uint8_t *bytes[TIDEMARK_FILES_MAX] = {NULL};
    bool opened = true;
    for (int i = 0; i < work->files && opened; i++) {
        opened = open_window(&windows->of[i], work->fds[i], piece) == 0;
        bytes[i] = windows->of[i].data;
    }
    int result = 0;
    if (opened) {
        guarded = windows;
        atomic_signal_fence(memory_order_seq_cst);
        result = tidemark_take_piece(work, piece, bytes);
        atomic_signal_fence(memory_order_seq_cst);
        guarded = NULL;
    }
    bool lost = false;
    for (int i = 0; i < work->files; i++) {
        lost = lost || windows->of[i].lost != 0;
        close_window(&windows->of[i]);
    }
    if (!opened) {
        return take_read(work, piece, false);
    }
    if (lost) {
        /* Zeros were computed over. A file that is whole again meanwhile was shorter all the same. */
        result = take_read(work, piece, true);
        return result == 0 ? -ENODATA : result;
    }
    return result;
}

int tidemark_read_mapped(struct tidemark_work *work) {
    pthread_once(&installed, install);
    if (install_failure != 0) {
        return install_failure;
    }
    struct windows windows;
    memset(&windows, 0, sizeof windows);
    for (int i = 0; i < TIDEMARK_FILES_MAX; i++) {
        windows.of[i].page_bytes = (size_t)sysconf(_SC_PAGESIZE);
    }
    struct tidemark_piece piece;
    int result;
    while ((result = tidemark_next_piece(work, &piece)) == 1) {
        if ((result = take_mapped(work, piece, &windows)) != 0) {
            break;
        }
    }
    return result;
}
