/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * dxgpu qtests: a stopped machine to a file without a name, and back into
 * another QEMU.
 */
#include "qemu/osdep.h"
#include <sys/mman.h>
#include "qobject/qdict.h"
#include "tests/qtest/libqos/pci-pc.h"
#include "dxgpu-qtest.h"

int dx_stream_file(void)
{
    int fd = memfd_create("dxgpu-stream", MFD_CLOEXEC);

    g_assert_cmpint(fd, >=, 0);
    return fd;
}

/* "completed" or "failed", when it is one of them. */
static char *migration_result(QTestState *qts)
{
    gint64 began = g_get_monotonic_time();
    char *status = NULL;
    QDict *answer;

    for (;;) {
        answer = qtest_qmp_assert_success_ref(qts,
                                              "{'execute': 'query-migrate'}");
        g_free(status);
        status = g_strdup(qdict_get_try_str(answer, "status"));
        qobject_unref(answer);
        if (!g_strcmp0(status, "completed") || !g_strcmp0(status, "failed")) {
            return status;
        }
        g_assert_cmpint(g_get_monotonic_time() - began, <,
                        120 * G_USEC_PER_SEC);
        g_usleep(1000);
    }
}

void dx_save(DxTest *t, int fd)
{
    g_autofree char *uri = g_strdup_printf("file:/proc/%d/fd/%d", getpid(),
                                           fd);
    g_autofree char *result = NULL;

    g_assert_cmpint(ftruncate(fd, 0), ==, 0);
    qtest_qmp_assert_success(t->qts, "{'execute': 'migrate', 'arguments': "
                             "{'uri': %s}}", uri);
    result = migration_result(t->qts);
    g_assert_cmpstr(result, ==, "completed");
}

DxTest *dx_start_incoming(const char *properties)
{
    g_autofree char *arguments = g_strdup_printf("%s -incoming defer",
        *properties ? properties : "threads=0");

    return dx_start_disabled(arguments);
}

char *dx_load(DxTest *t, int fd)
{
    g_autofree char *uri = g_strdup_printf("file:/proc/%d/fd/%d", getpid(),
                                           fd);

    qtest_qmp_assert_success(t->qts, "{'execute': 'migrate-incoming', "
                             "'arguments': {'uri': %s, 'exit-on-error': "
                             "false}}", uri);
    return migration_result(t->qts);
}

void dx_move_to(DxTest *t, const char *properties)
{
    int fd = dx_stream_file();
    g_autofree char *result = NULL;
    DxTest *other;

    dx_save(t, fd);
    other = dx_start_incoming(properties);
    result = dx_load(other, fd);
    g_assert_cmpstr(result, ==, "completed");
    close(fd);

    qtest_quit(t->qts);
    g_free(t->pci);
    qpci_free_pc(t->bus);
    t->qts = other->qts;
    t->bus = other->bus;
    t->pci = other->pci;
    t->regs = other->regs;
    t->doorbells = other->doorbells;
    t->status = other->status;
    g_ptr_array_free(other->objects, true);
    g_free(other);
}
