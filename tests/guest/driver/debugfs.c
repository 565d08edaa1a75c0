// SPDX-License-Identifier: GPL-2.0-or-later
/* See debugfs.h. */
#include "debugfs.h"

#include <ctype.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "kmt.h"

#define DEBUGFS_DIR	"/sys/kernel/debug/dxg"

bool counters_read(char text[DEBUGFS_TEXT_BYTES])
{
	FILE *file = fopen(DEBUGFS_DIR "/counters", "re");
	size_t length;

	text[0] = '\0';
	if (!file)
		return false;
	length = fread(text, 1, DEBUGFS_TEXT_BYTES - 1, file);
	fclose(file);
	text[length] = '\0';
	for (char *at = text; (at = strchr(at, '\n')); at++)
		*at = ' ';
	return length != 0;
}

bool counters_settle(const char *baseline, unsigned int timeout_ms,
		     char last[DEBUGFS_TEXT_BYTES])
{
	unsigned int waited;

	for (waited = 0;; waited += 5) {
		if (counters_read(last) &&
		    (baseline ? !strcmp(last, baseline) : counters_all_zero(last)))
			return true;
		if (waited >= timeout_ms)
			return false;
		kmt_sleep_us(5000);
	}
}

bool counters_all_zero(const char *text)
{
	const char *value = strchr(text, '=');

	if (!value)
		return false;
	for (; value; value = strchr(value + 1, '='))
		if (strtoull(value + 1, NULL, 0))
			return false;
	return true;
}

/* The value of " key=" in a line, or false. */
static bool line_value(const char *line, const char *key, uint64_t *value)
{
	size_t length = strlen(key);
	const char *at;

	for (at = strstr(line, key); at; at = strstr(at + 1, key)) {
		if (at > line && isspace((unsigned char)at[-1]) && at[length] == '=') {
			*value = strtoull(at + length + 1, NULL, 0);
			return true;
		}
	}
	return false;
}

static bool line_is(const char *line, const char *kind)
{
	size_t length = strlen(kind);

	return !strncmp(line, kind, length) && isspace((unsigned char)line[length]);
}

/* state_sum(), of any file of the adapters. */
static uint64_t file_sum(const char *pattern, const char *kind, int pid, const char *key,
			 unsigned int *lines)
{
	unsigned int count = 0;
	uint64_t sum = 0;
	glob_t found;
	size_t i;

	if (glob(pattern, 0, NULL, &found))
		return 0;
	for (i = 0; i < found.gl_pathc; i++) {
		FILE *file = fopen(found.gl_pathv[i], "re");
		char line[512];
		uint64_t value;

		while (file && fgets(line, sizeof(line), file)) {
			if (!line_is(line, kind))
				continue;
			if (pid && (!line_value(line, "pid", &value) || value != (uint64_t)pid))
				continue;
			count++;
			if (line_value(line, key, &value))
				sum += value;
		}
		if (file)
			fclose(file);
	}
	globfree(&found);
	if (lines)
		*lines = count;
	return sum;
}

uint64_t state_sum(const char *kind, int pid, const char *key, unsigned int *lines)
{
	return file_sum(DEBUGFS_DIR "/*/state", kind, pid, key, lines);
}

uint64_t slots_value(const char *key)
{
	return file_sum(DEBUGFS_DIR "/*/slots", "slots", 0, key, NULL);
}

bool queue_line_has(const char *file, const char *kind, int pid, uint32_t queue,
		    const char *text)
{
	char path[64], line[1024];
	bool has = false;
	uint64_t value;
	glob_t found;
	size_t i;

	snprintf(path, sizeof(path), DEBUGFS_DIR "/*/%s", file);
	if (glob(path, 0, NULL, &found))
		return false;
	for (i = 0; i < found.gl_pathc; i++) {
		FILE *stream = fopen(found.gl_pathv[i], "re");

		/* Another session of the process may have such a handle, too. */
		while (stream && fgets(line, sizeof(line), stream)) {
			has |= line_is(line, kind) &&
			       line_value(line, "pid", &value) && value == (uint64_t)pid &&
			       line_value(line, "queue", &value) && value == queue &&
			       strstr(line, text);
		}
		if (stream)
			fclose(stream);
	}
	globfree(&found);
	return has;
}

bool file_read(const char *pattern, char *text, size_t bytes)
{
	size_t length = 0;
	glob_t found;
	FILE *file;

	text[0] = '\0';
	if (glob(pattern, 0, NULL, &found))
		return false;
	file = fopen(found.gl_pathv[0], "re");
	globfree(&found);
	if (!file)
		return false;
	length = fread(text, 1, bytes - 1, file);
	text[length] = '\0';
	fclose(file);
	return length != 0;
}

bool queue_why_gets(int pid, uint32_t queue, const char *word)
{
	char wanted[64];
	unsigned int tries;

	snprintf(wanted, sizeof(wanted), " why=%s", word);
	for (tries = 0; tries < 200; tries++) {
		if (queue_line_has("state", "queue", pid, queue, wanted))
			return true;
		kmt_sleep_us(10000);
	}
	return false;
}

uint64_t adapter_value(const char *key)
{
	return state_sum("adapter", 0, key, NULL);
}
