/* SPDX-License-Identifier: MIT */
/* How the library leaves a text behind with a failing status: see <dxg/error.h>. */
#ifndef DXG_SRC_ERROR_H
#define DXG_SRC_ERROR_H

#include <dxg/error.h>

/*
 * Returns status. If it is a failure, the calling thread's text becomes the
 * formatted message, followed by the status by name and number.
 */
__attribute__((format(printf, 2, 3)))
NTSTATUS dxg_report(NTSTATUS status, const char *format, ...);

#endif /* DXG_SRC_ERROR_H */
