/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * dxgpu qtests: streams that the device does not load, from a device that was
 * made otherwise or with wrong bytes in them. It stays as it was, and lives.
 */
#include "qemu/osdep.h"
#include <sys/mman.h>
#include "dxgpu-qtest.h"

#define SECTION         "/dxgpu"
#define QUEUE_TAIL      140     /* bytes of a queue from its ring's address */

static void test_other_limits(void)
{
    static const char *const properties[] = {
        "slots=65", "queues=4095", "contexts=4097", "spaces=1",
        "ring-max-entries=32768", "secondary-doorbells=on",
        "doorbell-model=global", "doorbell-stride=8192",
    };
    DxTest *t = dx_start("");
    int fd = dx_stream_file();
    unsigned int i;

    dx_new_queue(t);
    dx_park(t);
    dx_save(t, fd);
    for (i = 0; i < G_N_ELEMENTS(properties); i++) {
        DxTest *other = dx_start_incoming(properties[i]);
        g_autofree char *result = dx_load(other, fd);

        if (strcmp(result, "failed")) {
            dx_fail("%s: %s", properties[i], result);
        }
        dx_stop(other);
    }
    close(fd);
    dx_stop(t);
}

/*
 * Where the device's state lies in a stream: it begins behind the name of its
 * section, and ends some bytes behind the address of its only queue's ring.
 */
static void find_section(DxQueue *q, const uint8_t *bytes, size_t size,
                         size_t *first, size_t *last)
{
    uint64_t ring = GUINT64_TO_BE(q->ring.gpuva);
    const uint8_t *end = bytes + size;
    const uint8_t *at = bytes;

    /* The other mentions are of the status region and in the description. */
    do {
        at = memmem(at, end - at, SECTION, strlen(SECTION));
        g_assert_nonnull(at);
        at += strlen(SECTION);
    } while (*at == '-');
    *first = at - bytes;
    at = memmem(at, end - at, &ring, sizeof(ring));
    g_assert_nonnull(at);
    *last = at - bytes + QUEUE_TAIL;
}

/*
 * One byte is wrong, anywhere in the device's state: the stream is refused,
 * or it loads and the device lives; QEMU ends in order in either case.
 */
static void test_corrupted(void)
{
    DxTest *t = dx_start("");
    DxQueue *q = dx_new_queue(t);
    int fd = dx_stream_file();
    unsigned int refused = 0, loaded = 0, i;
    size_t first, last, at, size;
    uint8_t *bytes, old;

    dx_bind(q, 0);
    dx_submit_fence(q);
    dx_park(t);
    dx_suspend_start(t, q->context);
    dx_save(t, fd);
    size = lseek(fd, 0, SEEK_END);
    bytes = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    g_assert_true(bytes != MAP_FAILED);
    find_section(q, bytes, size, &first, &last);

    for (i = 0; i < 40; i++) {
        DxTest *other = dx_start_incoming("");
        g_autofree char *result = NULL;

        /* Half of them from the end, where the objects are. */
        at = i % 2 ? last - i * 7 : g_test_rand_int_range(first, last);
        old = bytes[at];
        bytes[at] ^= i % 2 ? 0xff : 1u << g_test_rand_int_range(0, 8);
        result = dx_load(other, fd);
        bytes[at] = old;
        if (!strcmp(result, "completed")) {
            loaded++;
            dx_unpark(other);
            dx_settle(other);
        } else {
            refused++;
        }
        dx_stop(other);
    }
    g_test_message("%u of %u refused, section %zu..%zu", refused,
                   refused + loaded, first, last);
    g_assert_cmpuint(refused, >, 0);
    munmap(bytes, size);
    close(fd);
    dx_stop(t);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    qtest_add_func("dxgpu/refusal/other-limits", test_other_limits);
    qtest_add_func("dxgpu/refusal/corrupted-stream", test_corrupted);
    return g_test_run();
}
