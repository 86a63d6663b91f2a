/* Moves the wall clock of a program by what a file says, while it runs. For tests, by LD_PRELOAD on Linux:
 * MOVED_CLOCK names a file of 8 bytes, a signed number of nanoseconds in this machine's order. Time that only
 * goes forward, CLOCK_MONOTONIC, stays as it is, as it does when the clock of a machine jumps. */

#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <threads.h>
#include <time.h>
#include <unistd.h>

static const int64_t SECOND = 1000000000;
static volatile const int64_t *moved_by;
static int (*real_clock_gettime)(clockid_t, struct timespec *);
static int (*real_wait)(pthread_cond_t *, pthread_mutex_t *, const struct timespec *);
static int (*real_c11_wait)(cnd_t *, mtx_t *, const struct timespec *);

__attribute__((constructor)) static void begin(void) {
    real_clock_gettime = (int (*)(clockid_t, struct timespec *))dlsym(RTLD_NEXT, "clock_gettime");
    void *wait = dlvsym(RTLD_NEXT, "pthread_cond_timedwait", "GLIBC_2.3.2"); /* x86-64 has an older one too */
    if (!wait) wait = dlsym(RTLD_NEXT, "pthread_cond_timedwait");
    real_wait = (int (*)(pthread_cond_t *, pthread_mutex_t *, const struct timespec *))wait;
    real_c11_wait = (int (*)(cnd_t *, mtx_t *, const struct timespec *))dlsym(RTLD_NEXT, "cnd_timedwait");
    const char *name = getenv("MOVED_CLOCK");
    int file = name ? open(name, O_RDONLY | O_CLOEXEC) : -1;
    if (file < 0) return;
    void *page = mmap(NULL, sizeof *moved_by, PROT_READ, MAP_SHARED, file, 0);
    close(file);
    if (page != MAP_FAILED) moved_by = page;
}

int clock_gettime(clockid_t clock, struct timespec *now) {
    if (!real_clock_gettime) begin();
    int failed = real_clock_gettime(clock, now);
    if (failed || !moved_by || (clock != CLOCK_REALTIME && clock != CLOCK_REALTIME_COARSE)) return failed;
    int64_t moved = now->tv_sec * SECOND + now->tv_nsec + *moved_by;
    now->tv_sec = moved / SECOND;
    now->tv_nsec = moved % SECOND;
    return 0;
}

int gettimeofday(struct timeval *restrict now, void *restrict zone) {
    (void)zone;
    struct timespec at;
    if (clock_gettime(CLOCK_REALTIME, &at)) return -1;
    now->tv_sec = at.tv_sec;
    now->tv_usec = at.tv_nsec / 1000;
    return 0;
}

time_t time(time_t *now) {
    struct timespec at;
    if (clock_gettime(CLOCK_REALTIME, &at)) return (time_t)-1;
    if (now) *now = at.tv_sec;
    return at.tv_sec;
}

/* A program that waits until a time by its clock means as long as it shows, and the kernel's was not moved. A deadline
 * of less than 31 years is one of CLOCK_MONOTONIC. */
static struct timespec meant_by(const struct timespec *until) {
    if (!moved_by || until->tv_sec < SECOND) return *until;
    int64_t meant = until->tv_sec * SECOND + until->tv_nsec - *moved_by;
    return (struct timespec){.tv_sec = meant / SECOND, .tv_nsec = meant % SECOND};
}

int pthread_cond_timedwait(pthread_cond_t *condition, pthread_mutex_t *mutex, const struct timespec *until) {
    if (!real_wait) begin();
    struct timespec deadline = meant_by(until);
    return real_wait(condition, mutex, &deadline);
}

int cnd_timedwait(cnd_t *condition, mtx_t *mutex, const struct timespec *until) {
    if (!real_c11_wait) begin();
    struct timespec deadline = meant_by(until);
    return real_c11_wait(condition, mutex, &deadline);
}
