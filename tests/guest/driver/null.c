// SPDX-License-Identifier: GPL-2.0-or-later
/* See null.h. */
#include "null.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "modules.h"

#define ORDERS	"/sys/module/dxgnull/parameters/orders"
#define CALLS	"/sys/kernel/debug/dxgnull/calls"

#define RECORD_BYTES	(4u << 20)	/* the miniport keeps less */

int null_load(const char *layer_parameters, const char *parameters)
{
	char text[256];
	int error = module_load_with("dxgkrnl", layer_parameters);

	if (error && error != EEXIST)
		return error;
	snprintf(text, sizeof(text), "misbehave=1 %s", parameters);
	return module_load_with("dxgnull", text);
}

int null_unload(void)
{
	int error = module_unload("dxgnull");

	return error ? error : module_unload("dxgkrnl");
}

int null_orders(const char *orders)
{
	/* An empty write reaches nobody. */
	return sysfs_write(ORDERS, "", *orders ? orders : " ");
}

bool null_forget(void)
{
	return !sysfs_write(CALLS, "", "0");
}

/* The whole file; NULL if it cannot be read. */
static char *read_calls(void)
{
	char *text = malloc(RECORD_BYTES);
	int file = open(CALLS, O_RDONLY | O_CLOEXEC);
	size_t bytes = 0;
	ssize_t n = -1;

	while (text && file >= 0 &&
	       (n = read(file, text + bytes, RECORD_BYTES - 1 - bytes)) > 0)
		bytes += (size_t)n;
	if (file >= 0)
		close(file);
	if (n < 0) {
		free(text);
		return NULL;
	}
	text[bytes] = '\0';
	return text;
}

/* Cuts the first word off a line. */
static char *cut(char *text)
{
	char *space = strchr(text, ' ');

	if (!space)
		return text + strlen(text);
	*space = '\0';
	return space + 1;
}

bool null_record(struct null_record *record)
{
	char *line, *rest;
	unsigned int room = 1;

	memset(record, 0, sizeof(*record));
	record->text = read_calls();
	if (!record->text)
		return false;
	for (line = record->text; *line; line++)
		room += *line == '\n';
	record->lines = calloc(room, sizeof(*record->lines));
	if (!record->lines)
		return false;
	for (line = strtok_r(record->text, "\n", &rest); line;
	     line = strtok_r(NULL, "\n", &rest)) {
		struct null_line *entry = &record->lines[record->count];
		char *name = cut(line);

		entry->leave = !strcmp(line, "leave");
		entry->name = name;
		entry->text = cut(name);
		entry->tid = (int)null_value(entry, "tid");
		if (!strcmp(line, "lost"))
			record->lost++;
		else
			record->count++;
	}
	return !record->lost;
}

void null_record_free(struct null_record *record)
{
	free(record->lines);
	free(record->text);
	memset(record, 0, sizeof(*record));
}

uint64_t null_value(const struct null_line *line, const char *key)
{
	size_t length = strlen(key);
	const char *at = line->text;

	for (; at && *at; at = strchr(at, ' ')) {
		at += *at == ' ';
		if (!strncmp(at, key, length) && at[length] == '=')
			return strtoull(at + length + 1, NULL, 0);
	}
	return 0;
}

const struct null_line *null_next(const struct null_record *record, unsigned int at, bool leave,
				  const char *name)
{
	for (; at < record->count; at++) {
		const struct null_line *line = &record->lines[at];

		if (line->leave == leave && (!name || !strcmp(line->name, name)))
			return line;
	}
	return NULL;
}

unsigned int null_at(const struct null_record *record, const struct null_line *line)
{
	return (unsigned int)(line - record->lines);
}

const struct null_line *null_end(const struct null_record *record, const struct null_line *enter)
{
	const struct null_line *line;

	/* A function does not call itself. */
	for (line = enter + 1; line < record->lines + record->count; line++)
		if (line->leave && line->tid == enter->tid && !strcmp(line->name, enter->name))
			return line;
	return NULL;
}

unsigned int null_count(const struct null_record *record, const char *name)
{
	const struct null_line *line = null_next(record, 0, false, name);
	unsigned int count = 0;

	for (; line; line = null_next(record, null_at(record, line) + 1, false, name))
		count++;
	return count;
}

unsigned int null_count_if(const struct null_record *record, const char *name, const char *key,
			   uint64_t value)
{
	const struct null_line *line = null_next(record, 0, false, name);
	unsigned int count = 0;

	for (; line; line = null_next(record, null_at(record, line) + 1, false, name))
		count += null_value(line, key) == value;
	return count;
}

unsigned int null_calls(const char *name)
{
	struct null_record record;
	unsigned int count = ~0u;

	if (null_record(&record))
		count = null_count(&record, name);
	null_record_free(&record);
	return count;
}
