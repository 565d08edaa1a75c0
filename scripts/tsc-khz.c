/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Prints the frequency of this machine's time-stamp counter in kHz, or 0 where
 * there is none.  Each end of the measurement is the shortest of many looks at
 * clock and counter, so that an interruption between the two does not count.
 */
#include <stdint.h>
#include <stdio.h>
#include <time.h>

#define LOOKS    100
#define BETWEEN  100000000L    /* ns */

#ifdef __x86_64__
struct look {
    int64_t ns;
    uint64_t ticks;
};

static int64_t now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000000000LL + now.tv_nsec;
}

static struct look best_look(void)
{
    struct look best = { 0, 0 };
    int64_t shortest = INT64_MAX;

    for (int i = 0; i < LOOKS; i++) {
        int64_t before = now_ns();
        uint64_t ticks = __builtin_ia32_rdtsc();
        int64_t took = now_ns() - before;

        if (took < shortest) {
            shortest = took;
            best = (struct look){ before + took / 2, ticks };
        }
    }
    return best;
}

static uint64_t measure(void)
{
    struct timespec between = { 0, BETWEEN };
    struct look first = best_look();
    struct look last;

    nanosleep(&between, NULL);
    last = best_look();
    return (last.ticks - first.ticks) * 1000000 / (last.ns - first.ns);
}
#else
static uint64_t measure(void)
{
    return 0;
}
#endif

int main(void)
{
    printf("%llu\n", (unsigned long long)measure());
    return 0;
}
