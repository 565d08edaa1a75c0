/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A child that works all the time while a test does something to the device: laps of
 * checked commands (chain.h), with pauses of random length in between, until it is
 * let go. Unlike a busy loop it leaves the device alone now and then.
 */
#ifndef DXG_TESTS_STREAM_H
#define DXG_TESTS_STREAM_H

#include "child.h"

enum { STREAM_READY = 1, STREAM_DONE = 2 };
/* report->values: laps checked, connects, and devices that were lost and made anew. */
enum { STREAM_LAPS, STREAM_CONNECTS, STREAM_RENEWALS };

struct stream {
	unsigned int salt;		/* differs from child to child */
	unsigned int pause_us;		/* longest pause */
	bool recovers;			/* DEVICE_REMOVED is no problem: a new device is made */
};

/* For child_start(); argument is a struct stream. Ends with stage STREAM_DONE. */
int stream_run(struct child_report *report, void *argument);

#endif /* DXG_TESTS_STREAM_H */
