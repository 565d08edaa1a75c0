// SPDX-License-Identifier: MIT
/*
 * dxg-job: one child process. See worker.h.
 *
 * Up to WORKER_CONTEXTS sessions, each with a context on a node of its own, share the
 * process's queues. The pipeline is one thread: it goes round the lanes, checks what is
 * complete and submits what fits, and when a round has moved nothing, sleeps for the
 * oldest item.
 */
#include "worker.h"

#include <errno.h>
#include <grp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>
#include <uapi/dxgpu_umd.h>
#include "lane.h"

#define WORKER_CONTEXTS	2u

struct worker_state {
	struct lane_job job;
	struct dxg_session *sessions[WORKER_CONTEXTS];
	struct lane *lanes;
	uint32_t *order;		/* of visiting the lanes */
	uint32_t num_lanes;
	uint32_t num_sessions;
	uint64_t random;		/* never 0 when the order is shuffled, else 0 */
};

static void beat(struct worker_state *state)
{
	atomic_fetch_add_explicit(&state->job.result->heartbeat, 1, memory_order_relaxed);
}

static bool drop_privileges(const struct worker *worker, struct job_result *result)
{
	if (setgroups(0, NULL) || setresgid(WORKER_UID, WORKER_UID, WORKER_UID) ||
	    setresuid(WORKER_UID, WORKER_UID, WORKER_UID)) {
		board_error(result, "becoming user %u: %s", WORKER_UID, strerror(errno));
		return false;
	}
	/* Set after the user has changed, which forgets it; the parent may be gone already. */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	return getppid() == worker->parent;
}

static NTSTATUS count_nodes(struct dxg_session *session, uint32_t *nodes)
{
	struct dxgpu_umd_caps caps = { 0 };
	struct dxg_session_handles handles;
	D3DKMT_QUERYADAPTERINFO query = {
		.Type = KMTQAITYPE_UMDRIVERPRIVATE,
		.pPrivateDriverData = &caps,
		.PrivateDriverDataSize = sizeof(caps),
	};
	NTSTATUS status;

	dxg_session_get_handles(session, &handles);
	query.hAdapter = handles.adapter;
	status = D3DKMTQueryAdapterInfo(&query);
	*nodes = caps.num_nodes;
	return status;
}

/* The first node that takes user-mode submission, counted from start. */
static NTSTATUS open_on_node(uint32_t start, uint32_t nodes, struct dxg_session **session)
{
	struct dxg_session_options options = { .size = sizeof(options) };
	NTSTATUS status = STATUS_NOT_SUPPORTED;
	uint32_t i;

	for (i = 0; i < nodes && status == STATUS_NOT_SUPPORTED; i++) {
		options.node = (start + i) % nodes;
		status = dxg_session_open(&options, session);
	}
	return status;
}

static bool open_sessions(struct worker_state *state, uint32_t process)
{
	uint32_t nodes = 0, i;
	NTSTATUS status;

	state->num_sessions = state->num_lanes < WORKER_CONTEXTS ? state->num_lanes :
								   WORKER_CONTEXTS;
	status = dxg_session_open(NULL, &state->sessions[0]);
	if (status == STATUS_SUCCESS)
		status = count_nodes(state->sessions[0], &nodes);
	for (i = 1; status == STATUS_SUCCESS && i < state->num_sessions; i++)
		status = open_on_node(process + i, nodes, &state->sessions[i]);
	if (status != STATUS_SUCCESS)
		board_error(state->job.result, "%s: %s", dxg_status_name(status),
			    dxg_last_error());
	return status == STATUS_SUCCESS;
}

static bool set_up(const struct worker *worker, struct worker_state *state)
{
	uint32_t i;

	state->lanes = calloc(state->num_lanes, sizeof(*state->lanes));
	state->order = calloc(state->num_lanes, sizeof(*state->order));
	if (!state->lanes || !state->order) {
		board_error(state->job.result, "no memory for %u queues", state->num_lanes);
		return false;
	}
	if (!open_sessions(state, worker->process))
		return false;
	for (i = 0; i < state->num_lanes; i++) {
		state->order[i] = i;
		if (!lane_create(&state->lanes[i], &state->job,
				 state->sessions[i % state->num_sessions],
				 worker->process + i * worker->plan->processes))
			return false;
		beat(state);
	}
	state->job.result->queues = state->num_lanes;
	state->job.result->contexts = state->num_sessions;
	return true;
}

static void tear_down(struct worker_state *state)
{
	uint32_t i;

	for (i = 0; state->lanes && i < state->num_lanes; i++) {
		lane_destroy(&state->lanes[i]);
		beat(state);
	}
	for (i = 0; i < state->num_sessions; i++)
		dxg_session_close(state->sessions[i]);
	free(state->order);
	free(state->lanes);
}

/* xorshift64: an order that a seed gives again. */
static uint64_t random_next(uint64_t *random)
{
	*random ^= *random << 13;
	*random ^= *random >> 7;
	*random ^= *random << 17;
	return *random;
}

static void shuffle(struct worker_state *state)
{
	uint32_t i, other, lane;

	for (i = state->num_lanes - 1; i > 0; i--) {
		other = (uint32_t)(random_next(&state->random) % (i + 1));
		lane = state->order[i];
		state->order[i] = state->order[other];
		state->order[other] = lane;
	}
}

static void observe_all(struct worker_state *state)
{
	uint32_t i;

	for (i = 0; i < state->num_lanes; i++)
		lane_observe(&state->lanes[i]);
}

/* Fences are looked at after every step, so that a latency is not that of our own work. */
static bool one_round(struct worker_state *state)
{
	bool moved = false;
	struct lane *lane;
	uint32_t i;

	if (state->random)
		shuffle(state);
	for (i = 0; i < state->num_lanes; i++) {
		lane = &state->lanes[state->order[i]];
		observe_all(state);
		while (lane_check(lane)) {
			moved = true;
			observe_all(state);
		}
		while (lane_submit(lane)) {
			moved = true;
			observe_all(state);
		}
		beat(state);
	}
	return moved;
}

static struct lane *oldest_lane(struct worker_state *state)
{
	uint64_t oldest = UINT64_MAX, start;
	struct lane *found = NULL;
	uint32_t i;

	for (i = 0; i < state->num_lanes; i++) {
		start = lane_oldest_ns(&state->lanes[i]);
		if (start < oldest) {
			oldest = start;
			found = &state->lanes[i];
		}
	}
	return found;
}

static bool all_finished(const struct worker_state *state)
{
	uint32_t i;

	for (i = 0; i < state->num_lanes; i++)
		if (!lane_finished(&state->lanes[i]))
			return false;
	return true;
}

static void work(struct worker_state *state)
{
	struct job_result *result = state->job.result;
	struct lane *lane;
	uint32_t i;

	result->start_ns = job_now_ns();
	while (!all_finished(state)) {
		if (one_round(state))
			continue;
		lane = oldest_lane(state);
		if (lane)
			lane_wait(lane);
	}
	result->end_ns = job_now_ns();
	for (i = 0; i < state->num_lanes; i++)
		lane_count(&state->lanes[i]);
	result->lost = result->submissions - result->completions;
}

int worker_main(const struct worker *worker)
{
	struct job_result *result = &worker->board->results[worker->process];
	struct worker_state state = {
		.job = {
			.plan = worker->plan,
			.board = worker->board,
			.result = result,
			.timeout_ns = worker->options->timeout_s * UINT64_C(1000000000),
			.output = worker->output,
		},
		.num_lanes = plan_process_queues(worker->plan, worker->process),
	};
	bool good;
	uint32_t i;

	/* Odd, so that no seed but 0 gives 0, and each process has an order of its own. */
	if (worker->options->seed)
		state.random = (worker->options->seed * 2 + 1) * (2 * worker->process + 1);

	good = drop_privileges(worker, result) && set_up(worker, &state) &&
	       channel_tell(worker->channel, JOB_READY) &&
	       channel_expect(worker->channel, JOB_START);
	if (good) {
		work(&state);
		good = channel_tell(worker->channel, JOB_DONE) &&
		       channel_expect(worker->channel, JOB_END);
		for (i = 0; good && i < state.num_lanes; i++) {
			lane_last_look(&state.lanes[i]);
			beat(&state);
		}
	}
	tear_down(&state);
	return good && !result->error[0] ? 0 : 1;
}
