// SPDX-License-Identifier: MIT
/* See lane.h. */
#include "lane.h"

#include <errno.h>
#include <inttypes.h>
#include <sched.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "check.h"

#define COMMAND_BYTES	256u
#define CHUNK_ALIGN	64u
#define POISON		0x5a

struct chain_cell {
	uint32_t chain;
	uint32_t tag;
};

static uint32_t slot_of(const struct lane *lane, uint64_t n)
{
	return (uint32_t)(n % lane->depth);
}

static uint64_t chunk_at(const struct lane *lane, uint32_t slot)
{
	uint32_t chunk = lane->job->plan->chunk_bytes;

	return (uint64_t)slot * ((chunk + CHUNK_ALIGN - 1) / CHUNK_ALIGN * CHUNK_ALIGN);
}

static uint64_t command_at(const struct lane *lane, uint32_t slot)
{
	return chunk_at(lane, lane->depth) + slot * COMMAND_BYTES;
}

static uint64_t results_at(const struct lane *lane, uint32_t slot)
{
	return chunk_at(lane, lane->depth) + slot * sizeof(struct check_results);
}

static uint64_t cell_at(const struct lane *lane)
{
	return results_at(lane, lane->depth);
}

static unsigned char *cpu(const struct dxg_buffer *buffer, uint64_t offset)
{
	return (unsigned char *)buffer->cpu + offset;
}

/* The item's number is its tag: each queue has each number once. */
static uint32_t tag_of(uint64_t item)
{
	return (uint32_t)item;
}

/* All that is in flight is lost with the lane; it is counted as not completed. */
__attribute__((format(printf, 2, 3)))
static void lane_die(struct lane *lane, const char *format, ...)
{
	char text[sizeof(lane->job->result->error)];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	board_error(lane->job->result, "queue %u: %s", lane->number, text);
	lane->dead = true;
}

bool lane_create(struct lane *lane, const struct lane_job *job,
		 struct dxg_session *session, uint32_t number)
{
	NTSTATUS status;

	*lane = (struct lane) {
		.job = job,
		.session = session,
		.number = number,
		.items = plan_queue_items(job->plan, number),
	};
	lane->depth = lane->items < LANE_DEPTH ? (uint32_t)lane->items : LANE_DEPTH;

	status = dxg_buffer_create(session, command_at(lane, lane->depth),
				   DXG_BUFFER_GPU_READ_ONLY, &lane->source);
	if (status == STATUS_SUCCESS)
		status = dxg_buffer_create(session,
					   cell_at(lane) + sizeof(struct chain_cell), 0,
					   &lane->target);
	if (status == STATUS_SUCCESS)
		status = dxg_submit_queue_create(session, NULL, &lane->queue);
	if (status != STATUS_SUCCESS)
		lane_die(lane, "%s: %s", dxg_status_name(status), dxg_last_error());
	return !lane->dead;
}

/* Copy, sum of both, then the step of the chain and its value for this item. */
static NTSTATUS lane_build(struct lane *lane, struct dxg_commands *commands,
			   uint64_t item, uint32_t slot)
{
	uint32_t bytes = plan_bytes(lane->job->plan, item);
	UINT64 source = lane->source.gpuva + chunk_at(lane, slot);
	UINT64 target = lane->target.gpuva + chunk_at(lane, slot);
	UINT64 results = lane->target.gpuva + results_at(lane, slot);
	UINT64 cell = lane->target.gpuva + cell_at(lane);
	NTSTATUS status;

	status = dxg_commands_copy(commands, target, source, bytes);
	if (status == STATUS_SUCCESS)
		status = dxg_commands_crc32c(commands,
					     results + offsetof(struct check_results, source_crc),
					     source, bytes, 0);
	if (status == STATUS_SUCCESS)
		status = dxg_commands_crc32c(commands,
					     results + offsetof(struct check_results, target_crc),
					     target, bytes, 0);
	if (status == STATUS_SUCCESS)
		status = dxg_commands_fill(commands,
					   cell + offsetof(struct chain_cell, tag), tag_of(item),
					   sizeof(uint32_t));
	if (status == STATUS_SUCCESS)
		status = dxg_commands_crc32c(commands,
					     cell + offsetof(struct chain_cell, chain), cell,
					     sizeof(struct chain_cell), 0);
	if (status == STATUS_SUCCESS)
		status = dxg_commands_copy(commands,
					   results + offsetof(struct check_results, chain),
					   cell + offsetof(struct chain_cell, chain),
					   sizeof(uint32_t));
	return status;
}

bool lane_submit(struct lane *lane)
{
	const struct job_plan *plan = lane->job->plan;
	uint32_t slot = slot_of(lane, lane->submitted);
	uint64_t item = lane->number + lane->submitted * plan->queues;
	struct lane_flight *flight = &lane->flights[slot];
	struct dxg_commands commands = {
		.cpu = cpu(&lane->source, command_at(lane, slot)),
		.gpuva = lane->source.gpuva + command_at(lane, slot),
		.capacity_bytes = COMMAND_BYTES,
	};
	NTSTATUS status;

	if (lane->dead || lane->submitted == lane->items ||
	    lane->submitted - lane->checked == lane->depth)
		return false;

	/* Poison: what an earlier item left there must not pass for this one's. */
	memcpy(cpu(&lane->source, chunk_at(lane, slot)),
	       plan->input + plan_offset(plan, item), plan_bytes(plan, item));
	memset(cpu(&lane->target, chunk_at(lane, slot)), POISON, plan->chunk_bytes);
	memset(cpu(&lane->target, results_at(lane, slot)), POISON,
	       sizeof(struct check_results));
	status = lane_build(lane, &commands, item, slot);
	if (status != STATUS_SUCCESS) {
		lane_die(lane, "item %" PRIu64 ": commands: %s", item,
			 dxg_status_name(status));
		return false;
	}

	*flight = (struct lane_flight) { .item = item, .start_ns = job_now_ns() };
	status = dxg_submit(lane->queue, &commands, lane->job->timeout_ns,
			    &flight->fence);
	if (flight->fence) {
		lane->submitted++;
		lane->last_fence = flight->fence;
		lane->job->result->submissions++;
	}
	/* A busy device has the work in the ring; the wait tries again. */
	if (status != STATUS_SUCCESS &&
	    !(status == STATUS_DEVICE_BUSY && flight->fence)) {
		lane_die(lane, "item %" PRIu64 ": %s: %s", item, dxg_status_name(status),
			 status == STATUS_TIMEOUT ? "the ring stayed full" :
						    dxg_last_error());
		return false;
	}
	return true;
}

void lane_observe(struct lane *lane)
{
	uint64_t progress, now = 0, n;
	struct lane_flight *flight;

	if (lane->submitted == lane->checked)
		return;
	progress = dxg_submit_queue_progress(lane->queue);
	for (n = lane->checked; n != lane->submitted; n++) {
		flight = &lane->flights[slot_of(lane, n)];
		if (flight->fence > progress)
			return;
		if (flight->seen_ns)
			continue;
		if (!now)
			now = job_now_ns();
		flight->seen_ns = now;
	}
}

static bool write_output(struct lane *lane, uint32_t slot, uint64_t item)
{
	uint64_t offset = plan_offset(lane->job->plan, item);
	uint32_t bytes = plan_bytes(lane->job->plan, item);
	const unsigned char *at = cpu(&lane->target, chunk_at(lane, slot));
	ssize_t written;

	while (bytes) {
		written = pwrite(lane->job->output, at, bytes, (off_t)offset);
		if (written < 0 && errno == EINTR)
			continue;
		if (written <= 0) {
			lane_die(lane, "output: %u bytes at %" PRIu64 ": %s", bytes,
				 offset, written ? strerror(errno) : "no room");
			return false;
		}
		at += written;
		offset += (uint64_t)written;
		bytes -= (uint32_t)written;
	}
	return true;
}

/* The results are read once: the device may write them, were it to misbehave. */
static bool item_right(struct lane *lane, uint32_t slot, uint64_t item)
{
	const struct job_plan *plan = lane->job->plan;
	struct job_result *result = lane->job->result;
	struct check_results results;
	enum check_order order;
	char text[160];
	bool right = true;

	memcpy(&results, cpu(&lane->target, results_at(lane, slot)), sizeof(results));
	if (check_item(plan->input + plan_offset(plan, item),
		       cpu(&lane->target, chunk_at(lane, slot)), plan_bytes(plan, item),
		       &results, text, sizeof(text))) {
		board_error(result, "queue %u: item %" PRIu64 ": %s", lane->number, item,
			    text);
		right = false;
	}
	order = check_chain_order(lane->chain, tag_of(item), results.chain);
	if (order == CHECK_ORDER_TWICE)
		lane->duplicates++;
	if (order != CHECK_ORDER_RIGHT) {
		lane->disturbed = true;
		board_error(result, "queue %u: item %" PRIu64 ": %s (chain 0x%08x after 0x%08x)",
			    lane->number, item, order == CHECK_ORDER_TWICE ?
			    "executed twice" : "executed out of order", results.chain,
			    lane->chain);
		right = right && order == CHECK_ORDER_TWICE;
	}
	lane->chain = results.chain;
	return right;
}

bool lane_check(struct lane *lane)
{
	struct job_result *result = lane->job->result;
	uint32_t slot = slot_of(lane, lane->checked);
	const struct lane_flight *flight = &lane->flights[slot];

	if (lane->dead || lane->checked == lane->submitted || !flight->seen_ns)
		return false;
	if (item_right(lane, slot, flight->item) &&
	    write_output(lane, slot, flight->item)) {
		result->completions++;
		result->bytes += plan_bytes(lane->job->plan, flight->item);
		lane->job->board->latency_ns[flight->item] =
			flight->seen_ns - flight->start_ns + 1;
	}
	lane->checked++;
	return true;
}

static const struct lane_flight *oldest_unseen(const struct lane *lane)
{
	const struct lane_flight *flight;
	uint64_t n;

	for (n = lane->checked; !lane->dead && n != lane->submitted; n++) {
		flight = &lane->flights[slot_of(lane, n)];
		if (!flight->seen_ns)
			return flight;
	}
	return NULL;
}

uint64_t lane_oldest_ns(const struct lane *lane)
{
	const struct lane_flight *flight = oldest_unseen(lane);

	return flight ? flight->start_ns : UINT64_MAX;
}

void lane_wait(struct lane *lane)
{
	const struct lane_flight *flight = oldest_unseen(lane);
	uint64_t age, bound = lane->job->timeout_ns;
	NTSTATUS status;

	if (!flight)
		return;
	age = job_now_ns() - flight->start_ns;
	status = dxg_wait(lane->queue, flight->fence, age < bound ? bound - age : 0);
	if (status == STATUS_TIMEOUT)
		lane_die(lane, "item %" PRIu64 ": fence %" PRIu64 " not reached in %" PRIu64 " ms, it is %" PRIu64,
			 flight->item, flight->fence, bound / 1000000,
			 dxg_submit_queue_progress(lane->queue));
	else if (status != STATUS_SUCCESS)
		lane_die(lane, "item %" PRIu64 ": %s: %s", flight->item,
			 dxg_status_name(status), dxg_last_error());
}

void lane_count(const struct lane *lane)
{
	struct job_result *result = lane->job->result;
	struct dxg_submit_stats stats;

	dxg_submit_queue_get_stats(lane->queue, &stats);
	result->submissions += stats.submissions - lane->submitted;
	result->rings += stats.rings;
	result->reconnects += stats.reconnects;
}

/* RP follows the progress fence, so it is given the bound to arrive. */
void lane_last_look(struct lane *lane)
{
	uint64_t bound = job_now_ns() + lane->job->timeout_ns;
	uint64_t completed, progress, more = 0;
	const struct chain_cell *cell;

	if (lane->dead)
		return;
	while ((completed = dxg_submit_queue_completed(lane->queue)) < lane->submitted &&
	       job_now_ns() < bound)
		sched_yield();
	progress = dxg_submit_queue_progress(lane->queue);
	cell = (const void *)cpu(&lane->target, cell_at(lane));
	if (completed == lane->submitted && progress == lane->last_fence &&
	    cell->chain == lane->chain)
		return;
	board_error(lane->job->result,
		    "queue %u: at the end RP is %" PRIu64 " (%" PRIu64 "), the progress fence %" PRIu64 " (%" PRIu64 "), the chain 0x%08x (0x%08x)",
		    lane->number, completed, lane->submitted, progress, lane->last_fence,
		    cell->chain, lane->chain);

	/* Something was done after all that was asked for; the chain may know of it already. */
	if (completed > lane->submitted)
		more = completed - lane->submitted;
	else if (progress > lane->last_fence || (!lane->disturbed && cell->chain != lane->chain))
		more = 1;
	if (more > lane->duplicates)
		lane->duplicates = more;
}

void lane_destroy(struct lane *lane)
{
	if (lane->job)
		lane->job->result->duplicates += lane->duplicates;
	dxg_submit_queue_destroy(lane->queue, 0);
	if (lane->session) {
		dxg_buffer_destroy(lane->session, &lane->target);
		dxg_buffer_destroy(lane->session, &lane->source);
	}
}
