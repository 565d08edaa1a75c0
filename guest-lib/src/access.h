/* SPDX-License-Identifier: MIT */
/*
 * Memory that a caller names may not be there (KMT-0.3): it is copied by the kernel, for
 * which a bad address is an answer and not a signal.
 */
#ifndef DXG_SRC_ACCESS_H
#define DXG_SRC_ACCESS_H

#include <stdbool.h>
#include <stddef.h>

/* Copies from a caller's structure. false: it cannot be read as a whole. */
bool dxg_copy_from_caller(void *to, const void *caller, size_t bytes);

/* Copies to a caller's structure. false: it cannot be written as a whole. */
bool dxg_copy_to_caller(void *caller, const void *from, size_t bytes);

/* Can it be read as a whole, as far as that can be known of another thread's memory? */
bool dxg_caller_readable(const void *caller, size_t bytes);

#endif /* DXG_SRC_ACCESS_H */
