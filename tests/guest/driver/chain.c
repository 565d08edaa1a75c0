// SPDX-License-Identifier: GPL-2.0-or-later
/* See chain.h. */
#include "chain.h"

#include <sched.h>
#include <stdio.h>
#include <string.h>

static uint32_t mark(const struct chain *chain, uint32_t step)
{
	return chain->salt * 2654435761u + step * 2246822519u + 1;
}

static uint64_t doubled(uint32_t word)
{
	return (uint64_t)word << 32 | word;
}

static uint64_t token(const struct chain *chain)
{
	return 0x70ce10ull << 40 | chain->salt;
}

int32_t chain_create(struct chain *chain, struct queue *queue, uint32_t length)
{
	memset(chain, 0, sizeof(*chain));
	chain->queue = queue;
	chain->length = length;
	return kmt_buffer_create(queue->session, ((uint64_t)length + 2) * sizeof(uint64_t), 0,
				 &chain->cells);
}

int32_t chain_destroy(struct chain *chain)
{
	return kmt_buffer_destroy(chain->queue->session, &chain->cells);
}

void chain_begin(struct chain *chain, uint32_t salt)
{
	uint64_t *cells = chain->cells.cpu;

	memset(cells, 0, chain->cells.bytes);
	chain->salt = salt;
	chain->steps = 0;
	cells[0] = token(chain);
}

uint64_t chain_publish(struct chain *chain)
{
	struct dxg_commands commands = queue_commands(chain->queue);
	uint64_t cell = chain->cells.gpuva + chain->steps * sizeof(uint64_t);

	dxg_commands_copy(&commands, cell + sizeof(uint64_t), cell, sizeof(uint64_t));
	dxg_commands_fill(&commands, cell, mark(chain, chain->steps), sizeof(uint64_t));
	chain->steps++;
	return queue_publish(chain->queue, &commands);
}

unsigned int chain_check(const struct chain *chain, char *problem, size_t bytes)
{
	const volatile uint64_t *cells = chain->cells.cpu;
	unsigned int wrong = 0;
	uint32_t i;

	for (i = 0; i <= chain->steps + 1; i++) {
		uint64_t want = i < chain->steps ? doubled(mark(chain, i)) :
				i == chain->steps ? token(chain) : 0;
		uint64_t found = cells[i];

		if (found != want && !wrong++)
			snprintf(problem, bytes, "cell %u of %u is %#llx, not %#llx (token %#llx)",
				 i, chain->steps, (unsigned long long)found,
				 (unsigned long long)want, (unsigned long long)token(chain));
	}
	return wrong;
}

/* What a failed lap was doing, so that a log alone tells whose fault it may be. */
static int32_t lap_failed(const struct chain *chain, int32_t status, const char *where,
			  char *problem, size_t bytes)
{
	const struct queue *queue = chain->queue;

	snprintf(problem, bytes,
		 "%s: status %#x at step %u of %u: wp %llu rp %llu fence %llu stat %llu",
		 where, (uint32_t)status, chain->steps, chain->length,
		 (unsigned long long)queue->wp,
		 (unsigned long long)queue_read_pointer(queue),
		 (unsigned long long)*queue->fence_cpu,
		 (unsigned long long)*queue->stat);
	return status;
}

int32_t chain_lap(struct chain *chain, uint32_t salt, uint32_t batch, uint64_t timeout_ns,
		  char *problem, size_t bytes)
{
	struct queue *queue = chain->queue;
	uint64_t fence = 0;
	int32_t status;

	chain_begin(chain, salt);
	while (chain->steps < chain->length) {
		uint32_t n;

		if (!queue_has_room(queue)) {
			status = queue_wait(queue, queue->wp - queue->entries / 2, timeout_ns);
			if (status != STATUS_SUCCESS)
				return lap_failed(chain, status, "ring full", problem, bytes);
		}
		for (n = 0; n < batch && chain->steps < chain->length && queue_has_room(queue); n++)
			fence = chain_publish(chain);
		status = queue_deliver(queue);
		if (!NT_SUCCESS(status))
			return lap_failed(chain, status, "deliver", problem, bytes);
	}
	status = queue_wait(queue, fence, timeout_ns);
	if (status != STATUS_SUCCESS)
		return lap_failed(chain, status, "wait", problem, bytes);
	if (chain_check(chain, problem, bytes))
		return STATUS_UNSUCCESSFUL;
	return STATUS_SUCCESS;
}
