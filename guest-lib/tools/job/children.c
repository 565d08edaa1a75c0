// SPDX-License-Identifier: MIT
/* See children.h; the letters are explained in board.h. */
#include "children.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include "worker.h"

#define LOOK_PERIOD_MS	500
/* Beyond the bound of its own waits a child has this long for everything else. */
#define HANG_SLACK_NS	UINT64_C(20000000000)
#define KILL_WAIT_NS	UINT64_C(10000000000)

enum child_phase {
	CHILD_SETS_UP,
	CHILD_READY,
	CHILD_DONE,
	CHILD_GONE,
};

struct child {
	pid_t pid;
	int channel;			/* -1: closed */
	enum child_phase phase;
	uint64_t heartbeat;		/* last seen, at heard_ns */
	uint64_t heard_ns;
};

struct children {
	const struct job_options *options;
	const struct job_plan *plan;
	struct job_board *board;
	struct child *list;		/* plan->processes of them */
	uint32_t started;
	struct pollfd *polls;		/* signals, then one per child */
	int signals;			/* signalfd */
	int signal;			/* that ends the job, 0 if none */
	bool failed;
	sigset_t old_mask;
};

/* In the child: what belongs to the parent is let go. Does not come back. */
static void run_child(struct children *children, struct worker *worker)
{
	uint32_t i;

	for (i = 0; i < children->started; i++)
		close(children->list[i].channel);
	close(children->signals);
	sigprocmask(SIG_SETMASK, &children->old_mask, NULL);
	_exit(worker_main(worker));
}

static bool start_child(struct children *children, int output)
{
	struct child *child = &children->list[children->started];
	struct worker worker = {
		.options = children->options,
		.plan = children->plan,
		.board = children->board,
		.process = children->started,
		.parent = getpid(),
		.output = output,
	};
	int channels[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, channels))
		return false;
	worker.channel = channels[1];
	child->pid = fork();
	if (!child->pid) {
		close(channels[0]);
		run_child(children, &worker);
	}
	close(channels[1]);
	if (child->pid < 0) {
		close(channels[0]);
		return false;
	}
	child->channel = channels[0];
	child->heard_ns = job_now_ns();
	children->board->results[children->started++].pid = child->pid;
	return true;
}

static void close_channel(struct child *child)
{
	if (child->channel >= 0)
		close(child->channel);
	child->channel = -1;
}

static void read_channel(struct child *child)
{
	char letter;

	while (child->channel >= 0) {
		ssize_t got = recv(child->channel, &letter, 1, MSG_DONTWAIT);

		if (got < 0 && (errno == EAGAIN || errno == EINTR))
			return;
		if (got <= 0)
			close_channel(child);
		else if (letter == JOB_READY)
			child->phase = CHILD_READY;
		else if (letter == JOB_DONE)
			child->phase = CHILD_DONE;
	}
}

static void note_end(struct children *children, uint32_t i, int status)
{
	struct child *child = &children->list[i];
	struct job_result *result = &children->board->results[i];

	read_channel(child);
	close_channel(child);
	if (WIFSIGNALED(status))
		board_error(result, "killed by signal %d (%s) %s, %" PRIu64 " items completed",
			    WTERMSIG(status), strsignal(WTERMSIG(status)),
			    child->phase == CHILD_SETS_UP ? "during set-up" :
			    child->phase == CHILD_DONE ? "at the end" : "at work",
			    result->completions);
	else if (WEXITSTATUS(status) && children->failed)
		;	/* ended early because another one failed: no error of its own */
	else if (WEXITSTATUS(status))
		board_error(result, "ended with %d", WEXITSTATUS(status));
	if (status)
		children->failed = true;
	child->phase = CHILD_GONE;
}

static void reap(struct children *children)
{
	uint32_t i;
	int status;

	for (i = 0; i < children->started; i++)
		if (children->list[i].phase != CHILD_GONE &&
		    waitpid(children->list[i].pid, &status, WNOHANG) > 0)
			note_end(children, i, status);
}

static void kill_silent(struct children *children)
{
	uint64_t bound = children->options->timeout_s * UINT64_C(1000000000) + HANG_SLACK_NS;
	uint64_t now = job_now_ns(), heartbeat;
	struct child *child;
	uint32_t i;

	for (i = 0; i < children->started; i++) {
		child = &children->list[i];
		heartbeat = atomic_load_explicit(&children->board->results[i].heartbeat,
						 memory_order_relaxed);
		if (heartbeat != child->heartbeat) {
			child->heartbeat = heartbeat;
			child->heard_ns = now;
		} else if (child->phase != CHILD_GONE && now - child->heard_ns > bound) {
			board_error(&children->board->results[i],
				    "hangs: no step in %" PRIu64 " s, killed",
				    bound / 1000000000);
			children->failed = true;
			kill(child->pid, SIGKILL);
		}
	}
}

/* Waits once, for whatever comes first, and takes note of it. */
static void look_once(struct children *children)
{
	struct signalfd_siginfo info;
	uint32_t i;

	children->polls[0] = (struct pollfd) { .fd = children->signals, .events = POLLIN };
	for (i = 0; i < children->started; i++)
		children->polls[i + 1] = (struct pollfd) {
			.fd = children->list[i].channel,
			.events = POLLIN,
		};
	poll(children->polls, children->started + 1, LOOK_PERIOD_MS);
	while (read(children->signals, &info, sizeof(info)) == sizeof(info))
		if (info.ssi_signo != SIGCHLD)
			children->signal = (int)info.ssi_signo;
	for (i = 0; i < children->started; i++)
		read_channel(&children->list[i]);
	reap(children);
	kill_silent(children);
}

static bool all_in(const struct children *children, enum child_phase phase)
{
	uint32_t i;

	for (i = 0; i < children->started; i++)
		if (children->list[i].phase < phase)
			return false;
	return true;
}

static uint32_t count_in(const struct children *children, enum child_phase phase)
{
	uint32_t i, count = 0;

	for (i = 0; i < children->started; i++)
		count += children->list[i].phase == phase;
	return count;
}

/* Return: false if a signal ended the waiting. */
static bool wait_for(struct children *children, enum child_phase phase)
{
	while (!children->signal && !all_in(children, phase))
		look_once(children);
	return !children->signal;
}

static void tell(struct children *children, enum job_letter letter)
{
	uint32_t i;

	for (i = 0; i < children->started; i++)
		if (children->list[i].channel >= 0)
			channel_tell(children->list[i].channel, letter);
}

/* A child that finds its channel closed destroys what it has and ends. */
static void end_early(struct children *children)
{
	uint32_t i;

	children->failed = true;
	for (i = 0; i < children->started; i++)
		close_channel(&children->list[i]);
}

static void kill_all(struct children *children)
{
	uint64_t deadline = job_now_ns() + KILL_WAIT_NS;
	uint32_t i;

	children->failed = true;
	for (i = 0; i < children->started; i++)
		if (children->list[i].phase != CHILD_GONE)
			kill(children->list[i].pid, SIGKILL);
	while (!all_in(children, CHILD_GONE) && job_now_ns() < deadline)
		look_once(children);
	for (i = 0; i < children->started; i++)
		if (children->list[i].phase != CHILD_GONE)
			board_error(&children->board->results[i],
				    "does not end %" PRIu64 " s after SIGKILL",
				    KILL_WAIT_NS / 1000000000);
}

static void follow(struct children *children,
		   void (*look)(const struct job_plan *plan, struct job_board *board))
{
	if (!wait_for(children, CHILD_READY))
		return;
	if (children->failed || count_in(children, CHILD_GONE)) {
		end_early(children);
	} else {
		tell(children, JOB_START);
		if (!wait_for(children, CHILD_DONE))
			return;
		look(children->plan, children->board);
		tell(children, JOB_END);
	}
	wait_for(children, CHILD_GONE);
}

static bool prepare(struct children *children)
{
	sigset_t mask;

	sigemptyset(&mask);
	sigaddset(&mask, SIGCHLD);
	sigaddset(&mask, SIGINT);
	sigaddset(&mask, SIGTERM);
	sigaddset(&mask, SIGHUP);
	sigprocmask(SIG_BLOCK, &mask, &children->old_mask);
	children->signals = signalfd(-1, &mask, SFD_CLOEXEC | SFD_NONBLOCK);
	children->list = calloc(children->plan->processes, sizeof(*children->list));
	children->polls = calloc(children->plan->processes + 1, sizeof(*children->polls));
	return children->signals >= 0 && children->list && children->polls;
}

int children_run(const struct job_options *options, const struct job_plan *plan,
		 struct job_board *board, int output,
		 void (*look)(const struct job_plan *plan, struct job_board *board))
{
	struct children children = {
		.options = options,
		.plan = plan,
		.board = board,
		.signals = -1,
	};
	bool good = prepare(&children);
	uint32_t i;

	while (good && children.started < plan->processes)
		good = start_child(&children, output);
	if (good)
		follow(&children, look);
	else
		board_error(&board->results[children.started], "not started: %s",
			    strerror(errno));
	if (!good || !all_in(&children, CHILD_GONE))
		kill_all(&children);

	for (i = 0; i < plan->processes; i++)
		if (board->results[i].error[0])
			children.failed = true;
	if (children.signals >= 0)
		close(children.signals);
	free(children.polls);
	free(children.list);
	return children.signal ? 128 + children.signal : children.failed;
}
