/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * dxgpu core: the checks of a snapshot, for snapshot.c alone.
 *
 * A snapshot comes from a file or from another machine: every number in it is
 * checked here before any is used, and nothing of the core is read or written,
 * only its configuration.
 */
#ifndef DXGPU_CORE_SNAPSHOT_CHECK_H
#define DXGPU_CORE_SNAPSHOT_CHECK_H

#include "snapshot.h"
#include "state.h"

/*
 * Whether a device of this configuration can become what the snapshot says.
 * If not, why (size bytes) says what is wrong, with the value and the allowed
 * range.
 */
bool dxgpu_snapshot_check(const struct dxgpu_core_config *config,
                          const struct dxgpu_snapshot *in, char *why,
                          size_t size);

/* The operation in the midst of which the queue was, as the packet's copy. */
struct dxgpu_op dxgpu_snapshot_op(const struct dxgpu_snapshot_queue *s);

/* The ring entry that the queue was executing. */
struct dxgpu_ring_entry
dxgpu_snapshot_entry(const struct dxgpu_snapshot_queue *s);

#endif
