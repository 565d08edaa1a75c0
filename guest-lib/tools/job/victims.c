// SPDX-License-Identifier: MIT
/* See victims.h. */
#include "victims.h"

#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The value of key in a line of "key=value" words. */
static bool line_value(const char *line, const char *key, uint64_t *value)
{
	size_t length = strlen(key);
	const char *at = line;
	char *end;

	while ((at = strchr(at, ' '))) {
		at++;
		if (strncmp(at, key, length) || at[length] != '=')
			continue;
		*value = strtoull(at + length + 1, &end, 0);
		return end != at + length + 1;
	}
	return false;
}

bool victims_line(const char *line, pid_t *pid, uint64_t *victimized)
{
	static const char kind[] = "doorbell ";
	uint64_t owner;

	if (strncmp(line, kind, sizeof(kind) - 1) || !line_value(line, "pid", &owner) ||
	    !line_value(line, "victimized", victimized))
		return false;
	*pid = (pid_t)owner;
	return true;
}

static void read_file(const char *path, const struct job_plan *plan,
		      struct job_board *board, uint32_t *doorbells)
{
	FILE *file = fopen(path, "re");
	uint64_t victimized;
	char *line = NULL;
	size_t bytes = 0;
	uint32_t i;
	pid_t pid;

	while (file && getline(&line, &bytes, file) > 0) {
		if (!victims_line(line, &pid, &victimized))
			continue;
		for (i = 0; i < plan->processes; i++)
			if (board->results[i].pid == pid) {
				board->results[i].victimizations += victimized;
				doorbells[i]++;
			}
	}
	free(line);
	if (file)
		fclose(file);
}

void victims_read(const struct job_plan *plan, struct job_board *board)
{
	uint32_t *doorbells = calloc(plan->processes, sizeof(*doorbells));
	struct job_result *result;
	glob_t found;
	size_t i;

	if (!glob(VICTIMS_FILES, 0, NULL, &found)) {
		for (i = 0; doorbells && i < found.gl_pathc; i++)
			read_file(found.gl_pathv[i], plan, board, doorbells);
		globfree(&found);
	}
	for (i = 0; i < plan->processes; i++) {
		result = &board->results[i];
		if (!doorbells || doorbells[i] != result->queues)
			board_error(result, "%s shows %u of %u doorbells", VICTIMS_FILES,
				    doorbells ? doorbells[i] : 0, result->queues);
	}
	free(doorbells);
}
