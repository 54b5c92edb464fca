/* Opening the files of one call, choosing how they are read, and the threads that do it. */
#define _GNU_SOURCE
#include "work.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/*
 * A piece of a cached file, mapped or read. Mapped, 1 to 8 MiB are equally fast and 256 KiB lose a tenth to mmap and
 * munmap; the end of a cancelled or shrunk file is noticed after one.
 */
#define MAPPED_PIECE_BYTES (4u << 20)

/* Read buffer: 256 KiB 9.9 GB/s, 512 KiB 10.6, 1 MiB 12.5, 2 MiB 13.2, one core, cached. */
#define BUFFERED_PIECE_BYTES (1u << 20)

/* Large enough for any device; 16 of them are under way in each thread. */
#define DIRECT_PIECE_BYTES (1u << 20)

/* Under a rate a piece is at most so much of a second's bytes, so that the pace is even. */
#define PIECES_PER_SECOND 20u

struct thread {
    struct tidemark_work *work;
    tidemark_reader reader;
    pthread_t id;
    int cpu; /* where it begins; -1: anywhere */
};

static void read_all(struct tidemark_work *work, tidemark_reader reader) {
    int result = reader(work);
    int none = 0;
    if (result < 0) {
        atomic_compare_exchange_strong(&work->failure, &none, result);
    }
}

/*
 * The processor so many after the caller's, among those that it may run on. A new thread often begins on its parent's:
 * both then share one for up to 20 ms while another idles, a tenth of a call over 1 GiB that is cached.
 */
static int processor_after(int from, unsigned steps, const cpu_set_t *allowed) {
    while (steps > 0) {
        from = (from + 1) % CPU_SETSIZE;
        steps -= CPU_ISSET(from, allowed) ? 1 : 0;
    }
    return from;
}

/* Moves the thread there, and lets it go where it likes from then on. Without right or processor it stays. */
static void begin_at(int cpu) {
    cpu_set_t allowed;
    cpu_set_t one;
    if (cpu < 0 || sched_getaffinity(0, sizeof allowed, &allowed) != 0) {
        return;
    }
    CPU_ZERO(&one);
    CPU_SET(cpu, &one);
    if (sched_setaffinity(0, sizeof one, &one) == 0) {
        (void)sched_setaffinity(0, sizeof allowed, &allowed);
    }
}

static void *run_thread(void *argument) {
    struct thread *thread = argument;
    begin_at(thread->cpu);
    read_all(thread->work, thread->reader);
    return NULL;
}

/* The caller is the first thread; the others take no signals but those that their own mistakes raise. */
static int run_threads(struct tidemark_work *work, tidemark_reader reader, unsigned count) {
    struct thread *threads = calloc(count, sizeof *threads);
    if (threads == NULL) {
        return -ENOMEM;
    }
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    for (const int *raised = (const int[]){SIGBUS, SIGSEGV, SIGFPE, SIGILL, SIGTRAP, 0}; *raised != 0; raised++) {
        sigdelset(&all, *raised);
    }
    pthread_sigmask(SIG_SETMASK, &all, &before);
    cpu_set_t allowed;
    int here = sched_getcpu();
    /* More threads than processors share them anyhow. A machine of over CPU_SETSIZE processors does as it likes. */
    bool spread = here >= 0 && sched_getaffinity(0, sizeof allowed, &allowed) == 0
                  && count <= (unsigned)CPU_COUNT(&allowed);
    unsigned started = 0;
    for (; started + 1 < count; started++) {
        int cpu = spread ? processor_after(here, started + 1, &allowed) : -1;
        threads[started] = (struct thread){.work = work, .reader = reader, .cpu = cpu};
        /* With fewer threads it takes longer, and is done all the same. */
        if (pthread_create(&threads[started].id, NULL, run_thread, &threads[started]) != 0) {
            break;
        }
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    read_all(work, reader);
    for (unsigned i = 0; i < started; i++) {
        pthread_join(threads[i].id, NULL);
    }
    free(threads);
    return atomic_load(&work->failure);
}

/* Opens a regular file or block device that holds so many bytes. Returns the descriptor or a negative errno. */
static int open_file(const char *path, uint64_t end_bytes, int flags) {
    /* Non-blocking only so that opening a pipe by mistake returns; files and block devices do not look at it. */
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | flags);
    if (fd < 0) {
        return -errno;
    }
    struct stat status;
    int refused = 0;
    if (fstat(fd, &status) != 0) {
        refused = -errno;
    } else if (!S_ISREG(status.st_mode) && !S_ISBLK(status.st_mode)) {
        refused = -EINVAL;
    } else if (S_ISREG(status.st_mode) && (uint64_t)status.st_size < end_bytes) {
        refused = -ENODATA;
    }
    if (refused != 0) {
        close(fd);
        return refused;
    }
    return fd;
}

static void close_files(struct tidemark_work *work) {
    while (work->files > 0) {
        close(work->fds[--work->files]);
    }
}

static int open_files(struct tidemark_work *work, const char *const *paths, int flags) {
    const struct tidemark_reading *reading = work->reading;
    uint64_t end = 0;
    if (reading->range_count != 0) {
        struct tidemark_range last = reading->ranges[reading->range_count - 1];
        end = last.offset_bytes + last.length_bytes;
    }
    for (work->files = 0; work->files < TIDEMARK_FILES_MAX && paths[work->files] != NULL; work->files++) {
        int fd = open_file(paths[work->files], end, flags);
        if (fd < 0) {
            close_files(work);
            return fd;
        }
        work->fds[work->files] = fd;
    }
    return 0;
}

static size_t piece_bytes(const struct tidemark_work *work, size_t fastest) {
    uint32_t block = work->reading->block_bytes;
    uint64_t rate = __atomic_load_n(&work->control->rate_bytes_per_second, __ATOMIC_RELAXED);
    if (rate != 0 && rate / PIECES_PER_SECOND < fastest) {
        fastest = (size_t)(rate / PIECES_PER_SECOND);
    }
    size_t pieces = fastest / block;
    return pieces == 0 ? block : pieces * block;
}

static uint64_t piece_count(const struct tidemark_work *work) {
    uint64_t pieces = 0;
    for (uint64_t i = 0; i < work->reading->range_count; i++) {
        pieces += (work->reading->ranges[i].length_bytes + work->piece_bytes - 1) / work->piece_bytes;
    }
    return pieces;
}

/* Reads by threads of which at most `computing` compute at once. */
static int read_by(struct tidemark_work *work, uint32_t way, tidemark_reader reader, size_t fastest_piece,
                   unsigned threads) {
    work->piece_bytes = piece_bytes(work, fastest_piece);
    __atomic_store_n(&work->control->read_by, way, __ATOMIC_RELAXED);
    uint64_t pieces = piece_count(work);
    if (pieces == 0) {
        return 0;
    }
    return run_threads(work, reader, pieces < threads ? (unsigned)pieces : threads);
}

static int read_cached(struct tidemark_work *work, uint32_t way) {
    unsigned threads = work->reading->threads;
    if (way == TIDEMARK_READ_BUFFERED) {
        for (int i = 0; i < work->files; i++) {
            /* Advice only: a failure changes speed, not the answer. */
            (void)posix_fadvise(work->fds[i], 0, 0, POSIX_FADV_SEQUENTIAL);
        }
        return read_by(work, way, tidemark_read_buffered, BUFFERED_PIECE_BYTES, threads);
    }
    return read_by(work, TIDEMARK_READ_MAPPED, tidemark_read_mapped, MAPPED_PIECE_BYTES, threads);
}

static int read_direct(struct tidemark_work *work, uint32_t way) {
    unsigned threads = work->reading->threads;
    if (way == TIDEMARK_READ_DIRECT && tidemark_ring_works()) {
        return read_by(work, way, tidemark_read_direct, DIRECT_PIECE_BYTES, threads);
    }
    unsigned readers = threads > TIDEMARK_DIRECT_PREAD_THREADS ? threads : TIDEMARK_DIRECT_PREAD_THREADS;
    return read_by(work, TIDEMARK_READ_DIRECT_PREAD, tidemark_read_direct_pread, DIRECT_PIECE_BYTES, readers);
}

static int read_files(struct tidemark_work *work, const char *const *paths) {
    uint32_t way = work->reading->read_by;
    if (way == TIDEMARK_READ_DIRECT || way == TIDEMARK_READ_DIRECT_PREAD) {
        int refused = open_files(work, paths, O_DIRECT);
        if (refused == 0) {
            return read_direct(work, way);
        }
        /* What open gives where the file system has no O_DIRECT. */
        if (refused != -EINVAL) {
            return refused;
        }
    }
    int refused = open_files(work, paths, 0);
    return refused != 0 ? refused : read_cached(work, way);
}

int tidemark_run_work(struct tidemark_work *work, const char *const *paths) {
    pthread_mutex_init(&work->cursor, NULL);
    sem_init(&work->computing, 0, work->reading->threads);
    atomic_store(&work->failure, 0);
    int result = read_files(work, paths);
    close_files(work);
    sem_destroy(&work->computing);
    pthread_mutex_destroy(&work->cursor);
    return result;
}
