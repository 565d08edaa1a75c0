// SPDX-License-Identifier: MIT
/*
 * dxg-job: push a file through the device, by many processes and more queues than the
 * device has doorbells, and prove that every byte came out and everything happened once.
 *
 *	options.c	the command line		plan.h		who does what
 *	children.c	the parent and its children	board.c		what they share
 *	worker.c	one child			lane.c		one queue
 *	check.c		device against CPU		victims.c	the kernel's counts
 *	stats.c		figures				report.c	the result
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include "children.h"
#include "options.h"
#include "report.h"
#include "victims.h"

#define QUOTA_FILE	"/sys/module/dxgkrnl/parameters/max_queues"
#define QUOTA_DEFAULT	1024u

enum { EXIT_RIGHT = 0, EXIT_FAILED = 1, EXIT_USAGE = 2 };

__attribute__((format(printf, 2, 3), noreturn))
static void quit(int code, const char *format, ...)
{
	va_list arguments;

	fflush(stdout);
	fprintf(stderr, "dxg-job: ");
	va_start(arguments, format);
	vfprintf(stderr, format, arguments);
	va_end(arguments);
	fprintf(stderr, "\n");
	exit(code);
}

/* Queues that the kernel allows to one process; its default where it does not say. */
static uint32_t queue_quota(void)
{
	FILE *file = fopen(QUOTA_FILE, "re");
	uint32_t quota = 0;

	if (file) {
		if (fscanf(file, "%" SCNu32, &quota) != 1)
			quota = 0;
		fclose(file);
	}
	return quota ? quota : QUOTA_DEFAULT;
}

static void open_input(const struct job_options *options, struct stat *info,
		       struct job_plan *plan)
{
	int fd = open(options->input, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	void *memory;

	if (fd < 0 || fstat(fd, info))
		quit(EXIT_USAGE, "--input %s: %s", options->input, strerror(errno));
	if (!S_ISREG(info->st_mode))
		quit(EXIT_USAGE, "--input %s: not a regular file", options->input);
	if (!info->st_size)
		quit(EXIT_USAGE, "--input %s: 0 bytes; allowed: 1 and more", options->input);
	memory = mmap(NULL, (size_t)info->st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (memory == MAP_FAILED)
		quit(EXIT_USAGE, "--input %s: %s", options->input, strerror(errno));
	close(fd);
	*plan = plan_make(options, memory, (uint64_t)info->st_size);
	if (plan->items > PLAN_MAX_ITEMS)
		quit(EXIT_USAGE,
		     "--chunk %u: makes %" PRIu64 " chunks of --input %s; allowed: 1..%" PRIu64,
		     plan->chunk_bytes, plan->items, options->input, PLAN_MAX_ITEMS);
}

/* Emptied only after it is known not to be the input. */
static int open_output(const struct job_options *options, const struct stat *input)
{
	int fd = open(options->output, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
	struct stat info;

	if (fd < 0 || fstat(fd, &info))
		quit(EXIT_USAGE, "--output %s: %s", options->output, strerror(errno));
	if (info.st_dev == input->st_dev && info.st_ino == input->st_ino)
		quit(EXIT_USAGE, "--output %s: is the input", options->output);
	if (ftruncate(fd, 0) || ftruncate(fd, input->st_size))
		quit(EXIT_USAGE, "--output %s: %s", options->output, strerror(errno));
	return fd;
}

/*
 * Return: whether what lies in the file is the input. By reads: a page of a mapping may
 * have no memory behind it when the file system is full.
 */
static bool compare_output(const struct job_plan *plan, int output)
{
	unsigned char copy[65536];
	uint64_t offset = 0;
	ssize_t got;

	while (offset < plan->input_bytes) {
		got = pread(output, copy, sizeof(copy), (off_t)offset);
		if (got <= 0 || memcmp(copy, plan->input + offset, (size_t)got))
			return false;
		offset += (uint64_t)got;
	}
	return true;
}

/* Opened before the job runs, so that a bad name is told at once. */
static FILE *open_report(const struct job_options *options)
{
	FILE *file = fopen(options->json, "we");

	if (!file)
		quit(EXIT_USAGE, "--json %s: %s", options->json, strerror(errno));
	return file;
}

static void write_report(const struct job_options *options, FILE *file,
			 const struct job_plan *plan, const struct job_board *board,
			 const struct report *report)
{
	bool bad;

	report_json(file, plan, board, report);
	bad = ferror(file);
	if (fclose(file) || bad)
		quit(EXIT_FAILED, "--json %s: %s", options->json, strerror(errno));
}

/* Return: whether anything was wrong; says what. */
static bool show_errors(const struct job_plan *plan, const struct job_board *board,
			const struct report *report, int output)
{
	const struct report_row *total = &report->total;
	bool wrong = false;
	uint32_t i;

	for (i = 0; i < plan->processes; i++) {
		if (!board->results[i].error[0])
			continue;
		fprintf(stderr, "dxg-job: process %d: %s\n", (int)board->results[i].pid,
			board->results[i].error);
		wrong = true;
	}
	if (total->lost || total->duplicates || total->completions != plan->items) {
		fprintf(stderr,
			"dxg-job: %" PRIu64 " of %" PRIu64 " items completed, %" PRIu64 " lost, %" PRIu64 " duplicates\n",
			total->completions, plan->items, total->lost, total->duplicates);
		wrong = true;
	}
	if (!compare_output(plan, output)) {
		fprintf(stderr, "dxg-job: the output differs from the input\n");
		wrong = true;
	}
	return wrong;
}

int main(int argc, char **argv)
{
	struct job_options options;
	struct job_board board;
	struct report report;
	struct job_plan plan;
	struct stat input;
	char error[300];
	int output, result;
	FILE *json;

	switch (options_parse(argc, argv, queue_quota(), &options, error, sizeof(error))) {
	case OPTIONS_OK:
		break;
	case OPTIONS_HELP:
		fputs(options_usage, stdout);
		return EXIT_RIGHT;
	case OPTIONS_BAD:
		quit(EXIT_USAGE, "%s; see --help", error);
	}
	if (geteuid())
		quit(EXIT_USAGE, "started by user %u; must be root (0)", (unsigned int)geteuid());
	open_input(&options, &input, &plan);
	output = open_output(&options, &input);
	json = open_report(&options);
	if (board_create(&plan, &board))
		quit(EXIT_FAILED, "no memory for the counts of %" PRIu64 " items", plan.items);

	result = children_run(&options, &plan, &board, output, victims_read);
	if (report_make(&plan, &board, &report))
		quit(EXIT_FAILED, "no memory for the report");
	report_text(stdout, &plan, &board, &report);
	fflush(stdout);
	write_report(&options, json, &plan, &board, &report);
	if (show_errors(&plan, &board, &report, output) && !result)
		result = EXIT_FAILED;
	report_free(&report);
	return result;
}
