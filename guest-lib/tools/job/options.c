// SPDX-License-Identifier: MIT
/* See options.h. */
#include "options.h"

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

const char options_usage[] =
	"usage: dxg-job --queues N --processes P --input FILE --output FILE --json FILE\n"
	"               [--chunk BYTES] [--seed S] [--timeout SECONDS]\n"
	"\n"
	"Pushes a file through the device: P unprivileged processes, N user-mode queues.\n"
	"Each chunk is copied by the device, its CRC-32C taken before and after, and all\n"
	"of it checked by the CPU. Must be started by root, with debugfs mounted.\n"
	"\n"
	"  --queues N         1..65536; queue i belongs to process i mod P\n"
	"  --processes P      1..256, at most N\n"
	"  --input FILE       what to push\n"
	"  --output FILE      what came out; equals the input\n"
	"  --json FILE        the report\n"
	"  --chunk BYTES      1..16384 (16384)\n"
	"  --seed S           another order of visiting the queues for each S; 0 = in turn (0)\n"
	"  --timeout SECONDS  bound of each wait, 1..600 (20)\n"
	"\n"
	"exit: 0 all right, 1 the job failed, 2 bad usage or input\n";

enum {
	OPT_QUEUES = 1,
	OPT_PROCESSES,
	OPT_INPUT,
	OPT_OUTPUT,
	OPT_JSON,
	OPT_CHUNK,
	OPT_SEED,
	OPT_TIMEOUT,
	OPT_HELP,
};

static const struct option long_options[] = {
	{ "queues", required_argument, NULL, OPT_QUEUES },
	{ "processes", required_argument, NULL, OPT_PROCESSES },
	{ "input", required_argument, NULL, OPT_INPUT },
	{ "output", required_argument, NULL, OPT_OUTPUT },
	{ "json", required_argument, NULL, OPT_JSON },
	{ "chunk", required_argument, NULL, OPT_CHUNK },
	{ "seed", required_argument, NULL, OPT_SEED },
	{ "timeout", required_argument, NULL, OPT_TIMEOUT },
	{ "help", no_argument, NULL, OPT_HELP },
	{ NULL, 0, NULL, 0 },
};

/* Where an error text goes, so that the checks need one argument for it. */
struct complaint {
	char *text;
	size_t bytes;
};

__attribute__((format(printf, 2, 3)))
static enum options_result bad(const struct complaint *complaint, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(complaint->text, complaint->bytes, format, arguments);
	va_end(arguments);
	return OPTIONS_BAD;
}

/* Decimal digits only: no sign, no blank, no rest. */
static bool number(const char *text, uint64_t low, uint64_t high, uint64_t *value)
{
	const char *at;
	char *end;

	for (at = text; *at >= '0' && *at <= '9'; at++)
		;
	if (at == text || *at)
		return false;
	errno = 0;
	*value = strtoull(text, &end, 10);
	return !errno && *value >= low && *value <= high;
}

static enum options_result number_option(const char *name, uint64_t low, uint64_t high,
					 uint32_t *out, const struct complaint *complaint)
{
	uint64_t value;

	if (!number(optarg, low, high, &value))
		return bad(complaint, "--%s %s: not a number of %" PRIu64 "..%" PRIu64,
			   name, optarg, low, high);
	*out = (uint32_t)value;
	return OPTIONS_OK;
}

static enum options_result path_option(const char *name, const char **out,
				       const struct complaint *complaint)
{
	if (!*optarg)
		return bad(complaint, "--%s: the name is empty", name);
	*out = optarg;
	return OPTIONS_OK;
}

static enum options_result one_option(int option, char **argv, struct job_options *options,
				      const struct complaint *complaint)
{
	switch (option) {
	case OPT_QUEUES:
		return number_option("queues", 1, JOB_MAX_QUEUES, &options->queues,
				     complaint);
	case OPT_PROCESSES:
		return number_option("processes", 1, JOB_MAX_PROCESSES,
				     &options->processes, complaint);
	case OPT_CHUNK:
		return number_option("chunk", 1, JOB_MAX_CHUNK_BYTES,
				     &options->chunk_bytes, complaint);
	case OPT_TIMEOUT:
		return number_option("timeout", 1, JOB_MAX_TIMEOUT_S,
				     &options->timeout_s, complaint);
	case OPT_SEED:
		if (!number(optarg, 0, UINT64_MAX, &options->seed))
			return bad(complaint, "--seed %s: not a number of 0..%" PRIu64,
				   optarg, UINT64_MAX);
		return OPTIONS_OK;
	case OPT_INPUT:
		return path_option("input", &options->input, complaint);
	case OPT_OUTPUT:
		return path_option("output", &options->output, complaint);
	case OPT_JSON:
		return path_option("json", &options->json, complaint);
	case OPT_HELP:
		return OPTIONS_HELP;
	case ':':
		return bad(complaint, "%s: its value is missing", argv[optind - 1]);
	default:
		return bad(complaint, "%s: no such option", argv[optind - 1]);
	}
}

static enum options_result check_all(const struct job_options *options, uint32_t queue_quota,
				     const struct complaint *complaint)
{
	uint32_t each;

	if (!options->queues || !options->processes || !options->input ||
	    !options->output || !options->json)
		return bad(complaint, "%s is missing",
			   !options->queues ? "--queues" :
			   !options->processes ? "--processes" :
			   !options->input ? "--input" :
			   !options->output ? "--output" : "--json");
	if (options->processes > options->queues)
		return bad(complaint, "--processes %u: more than --queues %u; allowed: 1..%u",
			   options->processes, options->queues, options->queues);
	each = (options->queues - 1) / options->processes + 1;
	if (each > queue_quota)
		return bad(complaint,
			   "--queues %u: %u for each of %u processes, whose quota is %u; allowed: %u..%" PRIu64,
			   options->queues, each, options->processes, queue_quota,
			   options->processes,
			   (uint64_t)queue_quota * options->processes);
	return OPTIONS_OK;
}

enum options_result options_parse(int argc, char **argv, uint32_t queue_quota,
				  struct job_options *options, char *error,
				  size_t error_bytes)
{
	const struct complaint complaint = { error, error_bytes };
	enum options_result result;
	int option;

	*options = (struct job_options) {
		.chunk_bytes = JOB_MAX_CHUNK_BYTES,
		.timeout_s = 20,
	};
	optind = 0;
	opterr = 0;
	while ((option = getopt_long(argc, argv, "+:", long_options, NULL)) != -1) {
		result = one_option(option, argv, options, &complaint);
		if (result != OPTIONS_OK)
			return result;
	}
	if (optind < argc)
		return bad(&complaint, "%s: an argument that no option takes", argv[optind]);
	return check_all(options, queue_quota, &complaint);
}
