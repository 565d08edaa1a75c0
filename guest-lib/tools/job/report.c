// SPDX-License-Identifier: MIT
/* See report.h. */
#include "report.h"

#include <inttypes.h>
#include <stdlib.h>
#include "stats.h"

/* Median and p99 of the items of one process, or of all if process is plan->processes. */
static void latencies(const struct job_plan *plan, const struct job_board *board,
		      uint32_t process, uint64_t *samples, struct report_row *row)
{
	size_t count = 0;
	uint64_t item;

	for (item = 0; item < plan->items; item++)
		if (board->latency_ns[item] && (process == plan->processes ||
						process == plan_item_process(plan, item)))
			samples[count++] = board->latency_ns[item];
	stats_sort(samples, count);
	row->median_us = (double)stats_percentile(samples, count, 50) / 1e3;
	row->p99_us = (double)stats_percentile(samples, count, 99) / 1e3;
}

int report_make(const struct job_plan *plan, const struct job_board *board,
		struct report *report)
{
	uint64_t *samples = calloc(plan->items, sizeof(*samples));
	uint64_t start = UINT64_MAX, end = 0, bytes = 0;
	uint32_t i;

	*report = (struct report) { .rows = calloc(plan->processes, sizeof(*report->rows)) };
	if (!samples || !report->rows) {
		free(samples);
		report_free(report);
		return -1;
	}
	for (i = 0; i < plan->processes; i++) {
		const struct job_result *result = &board->results[i];
		struct report_row *row = &report->rows[i], *total = &report->total;

		total->submissions += row->submissions = result->submissions;
		total->rings += row->rings = result->rings;
		total->reconnects += row->reconnects = result->reconnects;
		total->victimizations += row->victimizations = result->victimizations;
		total->completions += row->completions = result->completions;
		total->lost += row->lost = result->lost;
		total->duplicates += row->duplicates = result->duplicates;
		row->mb_per_s = stats_mb_per_s(result->bytes,
					       result->end_ns - result->start_ns);
		latencies(plan, board, i, samples, row);
		if (!result->end_ns)
			continue;
		bytes += result->bytes;
		start = result->start_ns < start ? result->start_ns : start;
		end = result->end_ns > end ? result->end_ns : end;
	}
	if (end > start) {
		report->seconds = (double)(end - start) / 1e9;
		report->total.mb_per_s = stats_mb_per_s(bytes, end - start);
	}
	latencies(plan, board, plan->processes, samples, &report->total);
	free(samples);
	return 0;
}

void report_free(struct report *report)
{
	free(report->rows);
	report->rows = NULL;
}

static void json_string(FILE *file, const char *text)
{
	const unsigned char *at;

	fputc('"', file);
	for (at = (const unsigned char *)text; *at; at++) {
		if (*at == '"' || *at == '\\')
			fprintf(file, "\\%c", *at);
		else if (*at < 0x20 || *at > 0x7e)
			fprintf(file, "\\u%04x", *at);
		else
			fputc(*at, file);
	}
	fputc('"', file);
}

static void json_row(FILE *file, const struct report_row *row)
{
	fprintf(file,
		"\"submissions\": %" PRIu64 ", \"rings\": %" PRIu64 ", "
		"\"reconnects\": %" PRIu64 ", \"victimizations\": %" PRIu64 ", "
		"\"completions\": %" PRIu64 ", \"lost\": %" PRIu64 ", "
		"\"duplicates\": %" PRIu64 ", \"median_us\": %.1f, \"p99_us\": %.1f, "
		"\"mb_per_s\": %.2f",
		row->submissions, row->rings, row->reconnects, row->victimizations,
		row->completions, row->lost, row->duplicates, row->median_us, row->p99_us,
		row->mb_per_s);
}

void report_json(FILE *file, const struct job_plan *plan, const struct job_board *board,
		 const struct report *report)
{
	const struct job_result *result;
	uint32_t i;

	fprintf(file, "{\n \"total\": {");
	json_row(file, &report->total);
	fprintf(file, "},\n \"processes\": [\n");
	for (i = 0; i < plan->processes; i++) {
		result = &board->results[i];
		fprintf(file, "  {\"pid\": %d, \"queues\": %u, \"contexts\": %u, ",
			(int)result->pid, result->queues, result->contexts);
		json_row(file, &report->rows[i]);
		fprintf(file, ", \"error\": ");
		json_string(file, result->error);
		fprintf(file, "}%s\n", i + 1 < plan->processes ? "," : "");
	}
	fprintf(file,
		" ],\n \"job\": {\"queues\": %u, \"processes\": %u, "
		"\"input_bytes\": %" PRIu64 ", \"chunk_bytes\": %u, \"chunks\": %" PRIu64
		", \"items\": %" PRIu64 ", \"seconds\": %.3f}\n}\n",
		plan->queues, plan->processes, plan->input_bytes, plan->chunk_bytes,
		plan->chunks, plan->items, report->seconds);
}

static void text_row(FILE *file, const struct report_row *row)
{
	fprintf(file,
		" %11" PRIu64 " %9" PRIu64 " %10" PRIu64 " %10" PRIu64 " %11" PRIu64
		" %6" PRIu64 " %6" PRIu64 " %10.1f %10.1f %8.1f\n",
		row->submissions, row->rings, row->reconnects, row->victimizations,
		row->completions, row->lost, row->duplicates, row->median_us, row->p99_us,
		row->mb_per_s);
}

void report_text(FILE *file, const struct job_plan *plan, const struct job_board *board,
		 const struct report *report)
{
	uint32_t i;

	fprintf(file, "%8s %11s %9s %10s %10s %11s %6s %6s %10s %10s %8s\n", "process",
		"submissions", "rings", "reconnects", "victimized", "completions", "lost",
		"dupl.", "median us", "p99 us", "MB/s");
	for (i = 0; i < plan->processes; i++) {
		fprintf(file, "%8d", (int)board->results[i].pid);
		text_row(file, &report->rows[i]);
	}
	fprintf(file, "%8s", "total");
	text_row(file, &report->total);
	if (plan->items > plan->chunks)
		fprintf(file, "more queues (%u) than chunks (%" PRIu64 "): chunks repeat\n",
			plan->queues, plan->chunks);
}
