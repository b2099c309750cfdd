// stamp FILE ID MODE [ARGUMENT]: a task that writes down when it began and when it ended.
//
// FILE is shared memory, sized before: a counter of starts (u64), and from byte 64 on a record of 32 bytes for each:
// u32 id, u32 pid, u64 start, u64 end, u64 start by the wall clock; in nanoseconds, the first two of CLOCK_MONOTONIC.
//
// MODE is exit CODE, sleep MILLISECONDS, write MIB (lines of 100 bytes in writes of 64 KiB), or stay (until a signal).
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

struct record { uint32_t id, pid; uint64_t start, end, wall; };

static uint64_t now(clockid_t clock) {
    struct timespec time;
    clock_gettime(clock, &time);
    return time.tv_sec * 1000000000ull + time.tv_nsec;
}

static void write_lines(long mebibytes) {
    static char lines[65536];
    for (size_t i = 0; i < sizeof lines; i++) lines[i] = i % 100 == 99 ? '\n' : 'x';
    for (long left = mebibytes * 16; left > 0; left--)
        for (size_t at = 0; at < sizeof lines;) {
            ssize_t written = write(1, lines + at, sizeof lines - at);
            if (written < 0) _exit(95);
            at += written;
        }
}

int main(int count, char **arguments) {
    uint64_t start = now(CLOCK_MONOTONIC), wall = now(CLOCK_REALTIME);
    if (count < 4) return 99;
    int file = open(arguments[1], O_RDWR);
    struct stat status;
    if (file < 0 || fstat(file, &status)) return 98;
    char *memory = mmap(0, status.st_size, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    if (memory == MAP_FAILED) return 97;
    close(file);
    uint64_t index = __atomic_fetch_add((uint64_t *)memory, 1, __ATOMIC_SEQ_CST);
    struct record *record = (struct record *)(memory + 64) + index;
    if ((char *)(record + 1) > memory + status.st_size) return 96;
    record->id = atoi(arguments[2]);
    record->pid = getpid();
    record->wall = wall;
    __atomic_store_n(&record->start, start, __ATOMIC_SEQ_CST);
    const char *mode = arguments[3];
    long argument = count > 4 ? atol(arguments[4]) : 0;
    int code = 0;
    if (!strcmp(mode, "stay")) for (;;) pause();
    else if (!strcmp(mode, "sleep")) usleep(argument * 1000);
    else if (!strcmp(mode, "write")) write_lines(argument);
    else code = argument;
    record->end = now(CLOCK_MONOTONIC);
    _exit(code);
}
