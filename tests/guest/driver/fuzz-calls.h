/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Arguments for random calls: what each field of each structure means, so that most
 * calls are nearly right and get far, and one or two fields are not.
 *
 * A struct fuzz belongs to one thread.
 */
#ifndef DXG_TESTS_FUZZ_CALLS_H
#define DXG_TESTS_FUZZ_CALLS_H

#include <stdbool.h>
#include <stdint.h>
#include "noise.h"

#define FUZZ_MAX_CALLS		40u
#define FUZZ_ARGUMENT_BYTES	512u
#define FUZZ_MEMORY_BYTES	(64u * 4096u)
#define FUZZ_FAMILIES		8u

enum fuzz_type {
	FUZZ_ADAPTER, FUZZ_DEVICE, FUZZ_CONTEXT, FUZZ_PAGING_QUEUE, FUZZ_ALLOCATION, FUZZ_CONTROL,
	FUZZ_QUEUE, FUZZ_FENCE, FUZZ_DOORBELL, FUZZ_TYPES,
};

struct fuzz {
	struct noise source;
	uint8_t *memory;		/* of FUZZ_MEMORY_BYTES, to point to */
	uint8_t *shaken;		/* of two pages, taken away at any time */
	/* Handles that belong together; living or stale, mostly of one file. */
	struct {
		uint32_t handles[FUZZ_TYPES];
		int file;
	} families[FUZZ_FAMILIES];
	unsigned int family;		/* of the call that is being made */
	unsigned int built;
	uint64_t address;		/* a GPU address given out */
	uint64_t unwritable;		/* how often memory had gone before the call */
};

unsigned int fuzz_num_calls(void);
const char *fuzz_call_name(unsigned int call);

/* Makes the argument of a call, for the file of fuzz->family; gives the ioctl's number. */
unsigned long fuzz_fill(struct fuzz *fuzz, unsigned int call, uint8_t *argument);

/* Keeps the handles that a call gave. True if it succeeded. */
bool fuzz_learn(struct fuzz *fuzz, unsigned int call, const uint8_t *argument, int result);

/* Makes one of everything, properly, and keeps the handles. */
void fuzz_build(struct fuzz *fuzz, int fd);

#endif /* DXG_TESTS_FUZZ_CALLS_H */
