/*
 * Runs a fuzz target (LLVMFuzzerTestOneInput) over the bytes of seeds, where there is no libFuzzer.
 * usage: PROGRAM FIRST_SEED COUNT. Exit 1 names the seed that failed; PROGRAM SEED 1 runs it again.
 */
#define _GNU_SOURCE
#include "check.h"

#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

/* As many decisions as a target takes, and some data for the one that reads its input as data. */
#define INPUT_BYTES_MAX 4096u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void run(uint64_t first, uint64_t count, volatile uint64_t *running) {
    for (uint64_t seed = first; seed < first + count; seed++) {
        *running = seed;
        uint64_t random = seed * 0x9E3779B97F4A7C15ULL + 1;
        next_random(&random);
        size_t size = next_random(&random) % INPUT_BYTES_MAX;
        uint8_t *data = random_buffer(size, &random);
        LLVMFuzzerTestOneInput(data, size);
        free(data);
    }
}

int main(int argc, char **argv) {
    if (argc != 3) {
        fprintf(stderr, "usage: %s FIRST_SEED COUNT\n", argv[0]);
        return 64;
    }
    /* In a process of its own, so that its seed is told however it dies. */
    volatile uint64_t *running =
        mmap(NULL, sizeof *running, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    CHECK((void *)running != MAP_FAILED);
    pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        run(strtoull(argv[1], NULL, 10), strtoull(argv[2], NULL, 10), running);
        exit(0);
    }
    int status = -1;
    CHECK_EQUAL(waitpid(child, &status, 0), child);
    if (status != 0) {
        fprintf(stderr, "%s: seed %" PRIu64 " failed (wait status %d); run it again by: %s %" PRIu64 " 1\n", argv[0],
                *running, status, argv[0], *running);
        return 1;
    }
    return 0;
}
