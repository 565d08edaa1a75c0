/* SPDX-License-Identifier: MIT */
/* The way back from a Linux error number to the NTSTATUS that it stands for. */
#ifndef DXG_SRC_STATUS_H
#define DXG_SRC_STATUS_H

#include <dxg/ntstatus.h>

/*
 * The inverse of the driver's table for 'G' calls, plus the numbers that Linux itself
 * makes: EFAULT is ACCESS_VIOLATION, ENOTTY (unknown call) is NOT_SUPPORTED. A
 * number that stands for nothing is STATUS_UNSUCCESSFUL.
 */
NTSTATUS dxg_status_from_errno(int error);

#endif /* DXG_SRC_STATUS_H */
