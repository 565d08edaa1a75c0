/* SPDX-License-Identifier: MIT */
/*
 * What went wrong, in words.
 *
 * Every D3DKMT* and dxg_* function that returns a failing status also leaves a
 * text with the calling thread: the call, the values that matter, the allowed
 * range where the library knows it, and the status by name. The library prints
 * nothing by itself.
 */
#ifndef DXG_ERROR_H
#define DXG_ERROR_H

#include <dxg/ntstatus.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * dxg_last_error - text of the last failure on the calling thread
 *
 * Return: a string, empty if no call of this thread has failed yet. It is valid
 * until the next failing call of the same thread; a success leaves it as it is.
 * Threads: each has its own text. Fork: the child inherits a copy.
 */
const char *dxg_last_error(void);

/*
 * dxg_status_name - the name of a status, such as "STATUS_DEVICE_REMOVED"
 * @status: any value
 *
 * Return: a static string; "unknown status" for a value not in <dxg/ntstatus.h>.
 * Threads: any.
 */
const char *dxg_status_name(NTSTATUS status);

#ifdef __cplusplus
}
#endif

#endif /* DXG_ERROR_H */
