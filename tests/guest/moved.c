// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Another test, while the machine under it moves: back to a snapshot in a fresh QEMU, live
 * to a second QEMU, and back to a snapshot within the same, in turn. The test must not
 * notice; its own checks are those that count.
 *
 * argv: moves, program, its arguments.
 */
#include <signal.h>
#include <sys/wait.h>
#include "tap.h"
#include "host.h"

#define OUTPUT		"/tmp/moved.tap"
#define BETWEEN_MS	100
#define BOUND_MS	240000

static pid_t start(char *const *argv)
{
	pid_t pid;
	int fd;

	fflush(stdout);
	pid = fork();
	if (pid)
		return pid;
	fd = open(OUTPUT, O_WRONLY | O_CREAT | O_TRUNC, 0644);
	dup2(fd, STDOUT_FILENO);
	dup2(fd, STDERR_FILENO);
	execv(argv[0], argv);
	_exit(127);
}

/* The wait status, or -1 while it runs. Does not reap, so that it can be asked again. */
static int ended(pid_t pid)
{
	siginfo_t info = { .si_pid = 0 };

	if (waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT) || !info.si_pid)
		return -1;
	return info.si_code == CLD_EXITED ? info.si_status : 128 + info.si_status;
}

/* One move; its cost goes to text. The machine may have come here twice. */
static int move(unsigned int number, char *text, size_t bytes)
{
	static const char *const verbs[] = { "snapshot", "migrate", "snapshot vm" };
	const char *verb = verbs[number % 3];
	char answer[512];
	int error = dxg_host_request(verb, answer, sizeof(answer));

	if (!error && !strncmp(answer, "saved", 5)) {
		poll(NULL, 0, BETWEEN_MS);
		/* Nobody returns from this: the answer goes to the snapshot's asker. */
		error = dxg_host_request("restore", answer, sizeof(answer));
		if (!error)
			error = -EPROTO;
	}
	snprintf(text, bytes, "%s: %s", verb, answer);
	return error;
}

static void show(bool all)
{
	FILE *file = fopen(OUTPUT, "r");
	char line[512];

	while (file && fgets(line, sizeof(line), file))
		if (all || !strncmp(line, "not ok", 6) || !strncmp(line, "Bail", 4))
			diag("| %s", line);
	if (file)
		fclose(file);
}

/* Waits for the program's end; its exit code. */
static int finish(pid_t pid)
{
	int waited, code;

	for (waited = 0; (code = ended(pid)) < 0 && waited < BOUND_MS; waited += 20)
		poll(NULL, 0, 20);
	if (code < 0)
		kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	return code;
}

int main(int argc, char **argv)
{
	unsigned int moves, made = 0, midst = 0, failed = 0, runs = 0;
	char text[600];
	int code = 0;
	pid_t pid;

	if (argc < 3)
		bail("usage: moved MOVES PROGRAM [ARGUMENTS]");
	moves = (unsigned int)atoi(argv[1]);
	/* It is run again until all moves were made. */
	while (made < moves && !code && !failed) {
		pid = start(argv + 2);
		poll(NULL, 0, BETWEEN_MS);
		while (made < moves && ended(pid) < 0) {
			if (move(made++, text, sizeof(text)))
				failed++;
			midst += ended(pid) < 0;
			diag("%s", text);
			poll(NULL, 0, BETWEEN_MS);
		}
		code = finish(pid);
		runs++;
	}
	ok(!failed, "%u moves during %u runs of %s, none failed", made, runs, argv[2]);
	ok(midst >= moves / 2, "after %u of them it was still at work", midst);
	if (!ok(!code, "%s: exit code 0 (%d)", argv[2], code))
		show(true);
	else
		show(false);
	return done();
}
