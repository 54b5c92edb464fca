/*
 * What the block engine is judged by: XXH3-128 of every 4 KiB of a mapped file, by so many threads, and nothing else.
 * Prints the seconds from mapping to unmapping. usage: mapped_hash FILE THREADS
 */
#define _GNU_SOURCE
#define XXH_INLINE_ALL
#include <xxhash.h>

#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>

#define BLOCK_BYTES 4096u
#define PIECE_BYTES (4u << 20)
#define THREADS_MAX 256

static const unsigned char *file;
static size_t file_bytes;
static XXH128_canonical_t *digests;
static _Atomic size_t next_piece;

static void *hash(void *unused) {
    (void)unused;
    for (;;) {
        size_t from = atomic_fetch_add(&next_piece, PIECE_BYTES);
        if (from >= file_bytes) {
            return NULL;
        }
        size_t to = file_bytes - from < PIECE_BYTES ? file_bytes : from + PIECE_BYTES;
        for (size_t at = from; at < to; at += BLOCK_BYTES) {
            size_t length = to - at < BLOCK_BYTES ? to - at : BLOCK_BYTES;
            XXH128_canonicalFromHash(&digests[at / BLOCK_BYTES], XXH3_128bits(file + at, length));
        }
    }
}

static double seconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

int main(int argc, char **argv) {
    struct stat status;
    int count = argc == 3 ? atoi(argv[2]) : 0;
    int fd = argc == 3 ? open(argv[1], O_RDONLY | O_CLOEXEC) : -1;
    if (count < 1 || count > THREADS_MAX || fd < 0 || fstat(fd, &status) != 0) {
        return 2;
    }
    file_bytes = (size_t)status.st_size;
    digests = calloc(file_bytes / BLOCK_BYTES + 1, sizeof *digests);
    double start = seconds();
    file = mmap(NULL, file_bytes, PROT_READ, MAP_SHARED, fd, 0);
    if (digests == NULL || file == MAP_FAILED) {
        return 1;
    }
    pthread_t threads[THREADS_MAX];
    for (int i = 0; i < count; i++) {
        if (pthread_create(&threads[i], NULL, hash, NULL) != 0) {
            return 1;
        }
    }
    for (int i = 0; i < count; i++) {
        pthread_join(threads[i], NULL);
    }
    munmap((void *)file, file_bytes);
    printf("%.6f\n", seconds() - start);
    return 0;
}
