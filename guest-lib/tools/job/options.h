/* SPDX-License-Identifier: MIT */
/* dxg-job: its command line, checked before anything else is done. */
#ifndef DXG_JOB_OPTIONS_H
#define DXG_JOB_OPTIONS_H

#include <stddef.h>
#include <stdint.h>

#define JOB_MAX_QUEUES		65536u
#define JOB_MAX_PROCESSES	256u
#define JOB_MAX_CHUNK_BYTES	16384u
#define JOB_MAX_TIMEOUT_S	600u

struct job_options {
	uint32_t queues;		/* processes .. JOB_MAX_QUEUES */
	uint32_t processes;		/* 1 .. JOB_MAX_PROCESSES */
	uint32_t chunk_bytes;		/* 1 .. JOB_MAX_CHUNK_BYTES */
	uint32_t timeout_s;		/* bound of each wait, 1 .. JOB_MAX_TIMEOUT_S */
	uint64_t seed;			/* 0: queues are visited in order; else shuffled */
	const char *input;		/* paths: the strings of argv */
	const char *output;
	const char *json;
};

enum options_result {
	OPTIONS_OK,
	OPTIONS_HELP,			/* --help: print options_usage, exit 0 */
	OPTIONS_BAD,			/* the text says what and the allowed range */
};

extern const char options_usage[];

/*
 * options_parse - read and check argv
 * @options: out; defaults where nothing is given
 * @queue_quota: queues that one process may have, 1 or more
 * @error: out, text of OPTIONS_BAD
 * @error_bytes: size of @error
 */
enum options_result options_parse(int argc, char **argv, uint32_t queue_quota,
				  struct job_options *options, char *error,
				  size_t error_bytes);

#endif /* DXG_JOB_OPTIONS_H */
