/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * dxg-wake: the first that runs in a guest that goes on from a saved machine
 * (scripts/dxglib/ready.py).  When the machine was saved, it waited for its
 * input, the control port, where the harness then writes:
 *
 *     a line "BYTES NANOSECONDS", SEED_BYTES random bytes, BYTES bytes
 *
 * It sets the clock to NANOSECONDS since the epoch and renews the kernel's
 * random numbers, which would otherwise be the same in every guest, and copies
 * the BYTES to its output.
 */
#include <err.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/random.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#define SEED_BYTES  32

static char buffer[65536];

/* Exactly SIZE bytes of the input into `buffer`. */
static void take(size_t size)
{
    size_t got = 0;

    while (got < size) {
        ssize_t more = read(STDIN_FILENO, buffer + got, size - got);

        if (more <= 0) {
            errx(1, "the input ended %zu bytes too early", size - got);
        }
        got += more;
    }
}

static void take_line(void)
{
    size_t at = 0;

    do {
        if (at == sizeof(buffer) - 1) {
            errx(1, "the first line has no end");
        }
        if (read(STDIN_FILENO, buffer + at, 1) != 1) {
            errx(1, "there is no input");
        }
    } while (buffer[at++] != '\n');
    buffer[at] = 0;
}

int main(void)
{
    uint64_t bytes, now_ns;
    struct timespec now;
    int random;

    take_line();
    if (sscanf(buffer, "%" SCNu64 " %" SCNu64, &bytes, &now_ns) != 2) {
        errx(1, "not BYTES NANOSECONDS: %s", buffer);
    }
    now.tv_sec = now_ns / 1000000000;
    now.tv_nsec = now_ns % 1000000000;
    if (clock_settime(CLOCK_REALTIME, &now)) {
        err(1, "the clock");
    }

    /* What is written is mixed in, but comes out only after a reseeding. */
    take(SEED_BYTES);
    random = open("/dev/urandom", O_WRONLY);
    if (random < 0 || write(random, buffer, SEED_BYTES) != SEED_BYTES ||
        ioctl(random, RNDRESEEDCRNG)) {
        err(1, "/dev/urandom");
    }
    close(random);

    while (bytes) {
        size_t part = bytes < sizeof(buffer) ? bytes : sizeof(buffer);

        take(part);
        for (size_t at = 0; at < part;) {
            ssize_t written = write(STDOUT_FILENO, buffer + at, part - at);

            if (written < 0) {
                err(1, "the output");
            }
            at += written;
        }
        bytes -= part;
    }
    return 0;
}
