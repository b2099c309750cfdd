// The least that a supervisor can do, as the limit for what one may cost. One thread, posix_spawn, a wait for SIGCHLD.
//
//   limit keep N PROGRAM FILE MODE [ARGUMENT]    starts N tasks and starts each again when it has ended, until SIGTERM
//   limit once N WIDTH PROGRAM FILE MODE [ARGUMENT]   starts N tasks, WIDTH at a time, and stays until SIGTERM
//   limit tick PROGRAM FILE MODE [ARGUMENT]      starts one at each even second of the wall clock, until SIGTERM
//
// On SIGTERM it signals all that run, reaps them and ends. Each end of a task is a line on standard output.
#define _GNU_SOURCE
#include <signal.h>
#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
extern char **environ;

static posix_spawnattr_t attributes;
static char *command[8];
static char id[16];
// The task of a process, by its number: pages that are not touched are not there.
static int *task_of;
static pid_t *pid_of;

static void start(int task) {
    sprintf(id, "%d", task);
    if (posix_spawn(&pid_of[task], command[0], 0, &attributes, command, environ)) exit(1);
    task_of[pid_of[task]] = task;
}

static void say(int task) {
    char line[32];
    if (write(1, line, sprintf(line, "ended %d\n", task)) < 0) exit(1);
}

// stamp FILE id MODE [ARGUMENT]
static void take_command(char **words) {
    int to = 0;
    command[to++] = words[0];
    command[to++] = words[1];
    command[to++] = id;
    for (char **word = words + 2; *word && to < 7; word++) command[to++] = *word;
}

static int tick(void) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    struct itimerspec each = {{2, 0}, {(now.tv_sec / 2 + 1) * 2, 0}};
    int timer = timerfd_create(CLOCK_REALTIME, TFD_CLOEXEC);
    timerfd_settime(timer, TFD_TIMER_ABSTIME, &each, 0);
    for (;;) {
        uint64_t times;
        if (read(timer, &times, sizeof times) < 0) return 1;
        start(0);
        waitpid(pid_of[0], 0, 0);
    }
}

int main(int count, char **arguments) {
    if (count < 4) return 2;
    int is_keep = !strcmp(arguments[1], "keep"), is_tick = !strcmp(arguments[1], "tick");
    int number = is_tick ? 1 : atoi(arguments[2]);
    int width = is_keep || is_tick ? number : atoi(arguments[3]);
    take_command(arguments + (is_tick ? 2 : is_keep ? 3 : 4));
    task_of = calloc(1 << 22, sizeof *task_of);
    pid_of = calloc(number + 1, sizeof *pid_of);
    sigset_t waited, none;
    sigemptyset(&none);
    sigemptyset(&waited);
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
    if (is_tick) return tick();
    sigaddset(&waited, SIGCHLD);
    sigaddset(&waited, SIGTERM);
    sigprocmask(SIG_BLOCK, &waited, 0);

    int next = 0;
    while (next < number && next < width) start(next++);
    for (;;) {
        if (sigwaitinfo(&waited, 0) == SIGTERM) break;
        for (pid_t pid; (pid = waitpid(-1, 0, WNOHANG)) > 0;) {
            int task = task_of[pid];
            pid_of[task] = 0;
            say(task);
            if (is_keep) start(task);
            else if (next < number) start(next++);
        }
    }
    for (int task = 0; task < number; task++) if (pid_of[task]) kill(pid_of[task], SIGTERM);
    while (waitpid(-1, 0, 0) > 0) {}
    return 0;
}
