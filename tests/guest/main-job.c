// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The main job as a test: a small file over many queues, its report held against
 * what must be, and how it takes bad input and a child that dies.
 *
 * argv: queues, processes.
 */
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include "tap.h"

#define JOB	"/usr/bin/dxg-job"
#define INPUT	"/tmp/input"
#define OUTPUT	"/tmp/output"
#define REPORT	"/tmp/report.json"
#define ERRORS	"/tmp/errors"
#define BYTES	(3u * 1024 * 1024 + 1234)	/* with a chunk that is not full */
#define BOUND_S	60

static void write_input(const char *path, size_t bytes)
{
	FILE *file = fopen(path, "w");
	uint32_t value = 1;
	size_t i;

	if (!file)
		bail("cannot write %s", path);
	for (i = 0; i < bytes; i++) {
		value = value * 1664525 + 1013904223;
		fputc((int)(value >> 24), file);
	}
	fclose(file);
}

static char *read_file(const char *path, size_t *bytes)
{
	FILE *file = fopen(path, "r");
	size_t room = BYTES + 65536;
	char *text = malloc(room);

	if (!text)
		bail("no memory");
	*bytes = 0;
	if (file) {
		*bytes = fread(text, 1, room - 1, file);
		fclose(file);
	}
	text[*bytes] = '\0';
	return text;
}

static pid_t job_start(const char *const *arguments)
{
	pid_t pid = fork();
	int fd;

	if (pid)
		return pid;
	fd = open(ERRORS, O_WRONLY | O_CREAT | O_TRUNC, 0644);
	dup2(fd, STDERR_FILENO);
	dup2(fd, STDOUT_FILENO);
	execv(JOB, (char *const *)arguments);
	_exit(127);
}

/* The exit code, -1 if a signal ended it, -2 if it hung and was killed. */
static int job_end(pid_t pid)
{
	struct timespec pause = { .tv_nsec = 20000000 };
	int status, looks;

	for (looks = 0; looks < BOUND_S * 50; looks++) {
		if (waitpid(pid, &status, WNOHANG) == pid)
			return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
		nanosleep(&pause, NULL);
	}
	kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
	return -2;
}

static int job(const char *queues, const char *processes, const char *input)
{
	const char *const arguments[] = {
		JOB, "--queues", queues, "--processes", processes, "--input", input,
		"--output", OUTPUT, "--json", REPORT, NULL,
	};

	unlink(OUTPUT);
	unlink(REPORT);
	return job_end(job_start(arguments));
}

/* Shows what the job printed. */
static void show_errors(void)
{
	size_t bytes;
	char *text = read_file(ERRORS, &bytes);

	diag("%.900s", text);
	free(text);
}

/* The first number of that name in the report, which opens with the total; -1: none. */
static long long total(const char *report, const char *name)
{
	char key[64];
	const char *at;

	snprintf(key, sizeof(key), "\"%s\":", name);
	at = strstr(report, key);
	return at ? atoll(at + strlen(key)) : -1;
}

static bool same_files(const char *a, const char *b)
{
	size_t a_bytes, b_bytes;
	char *a_text = read_file(a, &a_bytes), *b_text = read_file(b, &b_bytes);
	bool same = a_bytes == b_bytes && !memcmp(a_text, b_text, a_bytes);

	free(a_text);
	free(b_text);
	return same;
}

static void test_run(const char *queues, const char *processes)
{
	size_t bytes;
	char *report;

	write_input(INPUT, BYTES);
	if (!ok(!job(queues, processes, INPUT), "%s queues, %s processes: exit code 0",
		queues, processes))
		show_errors();
	ok(same_files(INPUT, OUTPUT), "the output is the input");
	report = read_file(REPORT, &bytes);
	ok(!total(report, "lost") && !total(report, "duplicates"), "lost 0, duplicates 0");
	ok(total(report, "submissions") >= (BYTES + 16383) / 16384 &&
	   total(report, "submissions") == total(report, "completions"),
	   "%lld submissions, as many completions", total(report, "submissions"));
	ok(total(report, "rings") >= total(report, "submissions"), "%lld rings",
	   total(report, "rings"));
	ok(total(report, "reconnects") >= 0 && total(report, "victimizations") >= 0,
	   "%lld reconnects, %lld victimizations", total(report, "reconnects"),
	   total(report, "victimizations"));
	free(report);
}

/* Fewer chunks than queues: each queue still gets something to do. */
static void test_tiny(const char *queues, const char *processes)
{
	size_t bytes;
	char *report;

	write_input(INPUT, 1);
	if (!ok(!job(queues, processes, INPUT), "an input of one byte: exit code 0"))
		show_errors();
	ok(same_files(INPUT, OUTPUT), "the output is the input");
	report = read_file(REPORT, &bytes);
	ok(total(report, "submissions") >= atoi(queues), "%lld submissions for %s queues",
	   total(report, "submissions"), queues);
	free(report);
}

static void test_refused(const char *queues, const char *processes, const char *input,
			 const char *names, const char *text)
{
	size_t bytes;
	int code = job(queues, processes, input);
	char *errors = read_file(ERRORS, &bytes);

	if (!ok(code > 0 && strstr(errors, names), "%s: refused, and the text has \"%s\"",
		text, names))
		diag("exit code %d", code);
	diag("%.300s", errors);
	free(errors);
}

static void test_bad_input(void)
{
	write_input("/tmp/empty", 0);
	test_refused("4", "2", "/tmp/missing", "/tmp/missing", "a missing input");
	test_refused("4", "2", "/tmp/empty", "/tmp/empty", "an empty input");
	test_refused("4", "2", "/tmp", "/tmp", "a folder as input");
	test_refused("1", "2", INPUT, "--processes 2", "fewer queues than processes");
	test_refused("4", "0", INPUT, "--processes 0", "no process");
	test_refused("many", "2", INPUT, "--queues many", "queues that are no number");
	test_refused("9999999", "1", INPUT, "--queues 9999999", "queues beyond the quota");
}

/* The parent of a process, 0 if it has gone. */
static pid_t parent_of(pid_t pid)
{
	char path[64], line[256] = "";
	FILE *file;
	char *end;
	int parent = 0;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	file = fopen(path, "r");
	if (!file)
		return 0;
	if (fgets(line, sizeof(line), file)) {
		end = strrchr(line, ')');
		if (!end || sscanf(end + 1, " %*c %d", &parent) != 1)
			parent = 0;
	}
	fclose(file);
	return parent;
}

static pid_t child_of(pid_t parent)
{
	DIR *folder = opendir("/proc");
	struct dirent *entry;
	pid_t found = 0;

	while (folder && !found && (entry = readdir(folder)))
		if (atoi(entry->d_name) > 0 &&
		    parent_of(atoi(entry->d_name)) == parent)
			found = atoi(entry->d_name);
	if (folder)
		closedir(folder);
	return found;
}

static void test_dying_child(const char *queues, const char *processes)
{
	const char *const arguments[] = {
		JOB, "--queues", queues, "--processes", processes, "--input", INPUT,
		"--output", OUTPUT, "--json", REPORT, "--chunk", "512", NULL,
	};
	struct timespec pause = { .tv_nsec = 1000000 };
	pid_t parent, child = 0;
	int looks, code;
	size_t bytes;
	char *errors, number[16];

	write_input(INPUT, BYTES);
	parent = job_start(arguments);
	for (looks = 0; looks < 5000 && !child; looks++) {
		nanosleep(&pause, NULL);
		child = child_of(parent);
	}
	pause.tv_nsec = 100000000;
	nanosleep(&pause, NULL);
	if (!child || kill(child, SIGKILL)) {
		job_end(parent);
		ok(false, "a child of the job was found");
		return;
	}
	code = job_end(parent);
	errors = read_file(ERRORS, &bytes);
	snprintf(number, sizeof(number), "%d", child);
	ok(code == 1 && strstr(errors, number) && strstr(errors, "signal 9"),
	   "a child is killed: exit code 1, pid and signal in the text, no hang");
	diag("exit code %d: %.900s", code, errors);
	free(errors);
}

int main(int argc, char **argv)
{
	const char *queues = argc > 1 ? argv[1] : "32";
	const char *processes = argc > 2 ? argv[2] : "4";

	test_run(queues, processes);
	test_tiny(queues, processes);
	test_bad_input();
	test_dying_child(queues, processes);
	test_run(queues, processes);
	return done();
}
