// SPDX-License-Identifier: GPL-2.0-or-later
/* dxg-job's parts that need no device: options, plan, checks, figures, state lines. */
#include <string.h>
#include "check.h"
#include "options.h"
#include "plan.h"
#include "stats.h"
#include "tap.h"
#include "victims.h"

#define QUOTA	1024u

static enum options_result parse(const char *line, struct job_options *options,
				 char error[200])
{
	static char words[400];
	char *argv[32] = { "dxg-job" }, *rest, *word;
	int argc = 1;

	snprintf(words, sizeof(words), "%s", line);
	for (word = strtok_r(words, " ", &rest); word; word = strtok_r(NULL, " ", &rest))
		argv[argc++] = word;
	error[0] = '\0';
	return options_parse(argc, argv, QUOTA, options, error, 200);
}

static void test_options(void)
{
	static const char files[] = " --input i --output o --json j";
	static const struct {
		const char *line;
		const char *error;
	} bad[] = {
		{ "--queues 0", "--queues 0: not a number of 1..65536" },
		{ "--queues 65537", "--queues 65537: not a number of 1..65536" },
		{ "--queues -1", "--queues -1: not a number of 1..65536" },
		{ "--queues 4x", "--queues 4x: not a number of 1..65536" },
		{ "--queues 18446744073709551617",
		  "--queues 18446744073709551617: not a number of 1..65536" },
		{ "--processes 257", "--processes 257: not a number of 1..256" },
		{ "--chunk 16385", "--chunk 16385: not a number of 1..16384" },
		{ "--chunk 0", "--chunk 0: not a number of 1..16384" },
		{ "--timeout 601", "--timeout 601: not a number of 1..600" },
		{ "--seed y", "--seed y: not a number of 0..18446744073709551615" },
		{ "--queues 3 --processes 4",
		  "--processes 4: more than --queues 3; allowed: 1..3" },
		{ "--queues 3000 --processes 2",
		  "--queues 3000: 1500 for each of 2 processes, whose quota is 1024; allowed: 2..2048" },
		{ "--frob", "--frob: no such option" },
		{ "more", "more: an argument that no option takes" },
	};
	struct job_options options;
	char error[200], line[400];
	size_t i;

	snprintf(line, sizeof(line), "--queues 32 --processes=4%s", files);
	ok(parse(line, &options, error) == OPTIONS_OK && options.queues == 32 &&
	   options.processes == 4 && options.chunk_bytes == 16384 &&
	   options.timeout_s == 20 && !options.seed && !strcmp(options.input, "i") &&
	   !strcmp(options.output, "o") && !strcmp(options.json, "j"),
	   "what is needed, and the defaults");
	snprintf(line, sizeof(line), "--queues 1 --processes 1%s --chunk 1 --seed 7 --timeout 3",
		 files);
	ok(parse(line, &options, error) == OPTIONS_OK && options.chunk_bytes == 1 &&
	   options.seed == 7 && options.timeout_s == 3, "all options");
	snprintf(line, sizeof(line), "--queues 1024 --processes 1%s", files);
	ok(parse(line, &options, error) == OPTIONS_OK, "a process's whole quota of queues");
	ok(parse("--help", &options, error) == OPTIONS_HELP, "--help");
	ok(parse("--queues", &options, error) == OPTIONS_BAD &&
	   !strcmp(error, "--queues: its value is missing"), "a value that is missing");
	ok(parse("--queues 1 --processes 1 --input i --output o", &options, error) ==
	       OPTIONS_BAD && !strcmp(error, "--json is missing"), "an option that is missing");

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		snprintf(line, sizeof(line), "--queues 32 --processes 4%s %s", files,
			 bad[i].line);
		ok(parse(line, &options, error) == OPTIONS_BAD &&
		   !strcmp(error, bad[i].error), "refused: %s", bad[i].error);
		if (strcmp(error, bad[i].error))
			diag("got: %s", error);
	}
}

/* Each item belongs to one queue of one process, and each byte to an item. */
static void test_plan(void)
{
	static const struct {
		uint32_t queues, processes, chunk;
		uint64_t bytes;
	} cases[] = {
		{ 32, 4, 16384, 8000000 }, { 64, 3, 16384, 100 }, { 1, 1, 1, 1 },
		{ 5, 5, 4096, 4096 }, { 7, 2, 4096, 4097 }, { 3, 2, 100, 1000 },
	};
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct job_options options = {
			.queues = cases[i].queues,
			.processes = cases[i].processes,
			.chunk_bytes = cases[i].chunk,
		};
		struct job_plan plan = plan_make(&options, NULL, cases[i].bytes);
		uint64_t items = 0, bytes = 0, item;
		uint32_t queue, process, queues = 0;
		bool owners = true;

		for (queue = 0; queue < plan.queues; queue++)
			items += plan_queue_items(&plan, queue);
		for (process = 0; process < plan.processes; process++)
			queues += plan_process_queues(&plan, process);
		for (item = 0; item < plan.items; item++) {
			if (item < plan.chunks)
				bytes += plan_bytes(&plan, item);
			if (plan_item_process(&plan, item) !=
			    item % plan.queues % plan.processes)
				owners = false;
			if (plan_offset(&plan, item) + plan_bytes(&plan, item) >
			    plan.input_bytes)
				owners = false;
		}
		ok(items == plan.items && queues == plan.queues && owners &&
		   bytes == plan.input_bytes && items >= plan.queues,
		   "%u queues, %u processes, %llu bytes by %u: %llu items", plan.queues,
		   plan.processes, (unsigned long long)plan.input_bytes,
		   plan.chunk_bytes, (unsigned long long)plan.items);
	}
}

static void test_crc(void)
{
	unsigned char data[300];
	bool same = true;
	size_t start, bytes;

	ok(check_crc32c(0, "123456789", 9) == 0xe3069283, "the check value of CRC-32C");
	ok(check_crc32c_table(0, "123456789", 9) == 0xe3069283, "the same by the table");
	memset(data, 0, sizeof(data));
	ok(check_crc32c(0, data, 32) == 0x8a9136aa, "32 zero bytes (RFC 3720)");
	memset(data, 0xff, sizeof(data));
	ok(check_crc32c(0, data, 32) == 0x62a8ab43, "32 bytes of ones (RFC 3720)");
	ok(check_crc32c(check_crc32c(0, "12345", 5), "6789", 4) == 0xe3069283,
	   "a sum continued");
	ok(!check_crc32c(0, data, 0), "nothing sums to 0");

	for (start = 0; start < sizeof(data); start++)
		data[start] = (unsigned char)(start * 37 + 11);
	for (start = 0; start < 9; start++)
		for (bytes = 0; bytes <= sizeof(data) - 9; bytes++)
			if (check_crc32c(5, data + start, bytes) !=
			    check_crc32c_table(5, data + start, bytes))
				same = false;
	ok(same, "instruction and table agree at any alignment and length");
}

static void test_item(void)
{
	unsigned char file[100], copy[100];
	struct check_results results;
	char text[100];
	uint32_t first, second;

	memset(file, 3, sizeof(file));
	memcpy(copy, file, sizeof(copy));
	results.source_crc = check_crc32c(0, file, sizeof(file));
	results.target_crc = results.source_crc;
	ok(!check_item(file, copy, 100, &results, text, sizeof(text)) && !*text,
	   "an item that is right");
	copy[99] = 4;
	ok(check_item(file, copy, 100, &results, text, sizeof(text)) &&
	   !strcmp(text, "byte 99 of 100 is 0x04, not 0x03"), "a wrong byte: %s", text);
	copy[99] = 3;
	results.target_crc++;
	ok(check_item(file, copy, 100, &results, text, sizeof(text)) &&
	   strstr(text, "CRC-32C"), "a wrong sum: %s", text);

	first = check_chain(0, 10);
	second = check_chain(first, 11);
	ok(check_chain_order(0, 10, first) == CHECK_ORDER_RIGHT &&
	   check_chain_order(first, 11, second) == CHECK_ORDER_RIGHT, "a chain in order");
	ok(check_chain_order(first, 11, check_chain(second, 11)) == CHECK_ORDER_TWICE,
	   "an entry executed twice");
	ok(check_chain_order(first, 11, check_chain(first, 12)) == CHECK_ORDER_WRONG &&
	   check_chain_order(first, 11, first) == CHECK_ORDER_WRONG,
	   "an entry left out");
}

static void test_stats(void)
{
	uint64_t samples[] = { 50, 15, 40, 20, 35 };
	uint64_t hundred[100];
	size_t i;

	stats_sort(samples, 5);
	ok(samples[0] == 15 && samples[4] == 50, "sorted");
	ok(stats_percentile(samples, 5, 30) == 20 && stats_percentile(samples, 5, 40) == 20 &&
	   stats_percentile(samples, 5, 50) == 35 &&
	   stats_percentile(samples, 5, 100) == 50, "nearest rank of five");
	for (i = 0; i < 100; i++)
		hundred[i] = i + 1;
	ok(stats_percentile(hundred, 100, 50) == 50 && stats_percentile(hundred, 100, 99) == 99 &&
	   stats_percentile(hundred, 100, 1) == 1, "nearest rank of a hundred");
	ok(stats_percentile(hundred, 1, 50) == 1 && stats_percentile(hundred, 1, 99) == 1,
	   "one sample is every percentile");
	ok(!stats_percentile(NULL, 0, 50), "no sample: 0");
	ok(stats_mb_per_s(1000000, 1000000000) > 0.999 &&
	   stats_mb_per_s(1000000, 1000000000) < 1.001 && stats_mb_per_s(1, 0) == 0,
	   "megabytes per second");
}

static void test_victims(void)
{
	uint64_t count = 0;
	pid_t pid = 0;

	ok(victims_line("doorbell pid=41 doorbell=0x40000009 queue=0x40000008 "
			"state=Connected stat=0 connects=5 disconnects=4 victimized=3 "
			"faults_pdb=5 faults_dummy=4\n", &pid, &count) &&
	       pid == 41 && count == 3, "a doorbell's line");
	ok(!victims_line("queue pid=41 victimized=3\n", &pid, &count) &&
	   !victims_line("doorbell pid=41 connects=5\n", &pid, &count) &&
	   !victims_line("doorbell pid=41 victimized=\n", &pid, &count) &&
	   !victims_line("", &pid, &count), "other lines");
	ok(!victims_line("doorbell pid=41 unvictimized=3\n", &pid, &count),
	   "a key is a whole word");
}

int main(void)
{
	test_options();
	test_plan();
	test_crc();
	test_item();
	test_stats();
	test_victims();
	return done();
}
