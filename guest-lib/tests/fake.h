/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A submit queue over memory and a script, in place of kernel and device.
 *
 * Each ring stores the next word of the script into the status word, each connect
 * returns the next status of its own script; after the end of a script the
 * answers are CONNECTED and STATUS_SUCCESS. A GPU address is a CPU address. Nothing
 * executes until fake_execute(). One fake exists at a time.
 */
#ifndef DXG_TESTS_FAKE_H
#define DXG_TESTS_FAKE_H

#include <dxg/submit.h>
#include "submit.h"

#define FAKE_ENTRIES	4
#define FAKE_SCRIPT	64
#define FAKE_DOORBELL	0x77

struct fake {
	struct dxg_submit_queue queue;
	struct dxgpu_ring_entry ring[FAKE_ENTRIES];
	struct dxgpu_ring_control control;
	UINT64 status;
	UINT64 progress;
	UINT64 last_queued;
	UINT64 doorbell;

	UINT64 words[FAKE_SCRIPT];	/* status words, one per ring */
	UINT num_words, word;
	bool repeat_words;		/* the last word again and again */
	NTSTATUS connects[FAKE_SCRIPT];	/* results, one per connect */
	UINT num_connects, connect;
	bool repeat_connects;
	D3DKMT_DEVICEEXECUTION_STATE state;
	NTSTATUS wait_result;

	UINT rings, connect_calls, notify_calls, wait_calls;
	UINT64 last_rung;
	bool order_wrong;		/* at a ring, WP, LQ or the entry was not there yet */
};

void fake_init(struct fake *fake);
void fake_fini(struct fake *fake);
void fake_ring_says(struct fake *fake, UINT64 word);
void fake_connect_says(struct fake *fake, NTSTATUS status);
/* Completes entries like the device: fence, then RP. publish_rp false: only the fence. */
void fake_execute(struct fake *fake, UINT entries, bool publish_rp);

#endif /* DXG_TESTS_FAKE_H */
