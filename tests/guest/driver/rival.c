// SPDX-License-Identifier: GPL-2.0-or-later
/* See rival.h. */
#include "rival.h"

#include <stdlib.h>
#include <string.h>

#define STEAL_ROUNDS	50u

int32_t rival_create(struct rival *rival)
{
	int32_t status;
	uint32_t slots;

	memset(rival, 0, sizeof(*rival));
	status = kmt_session_open(&rival->session, NULL, 0);
	if (!NT_SUCCESS(status))
		return status;
	slots = kmt_num_slots(&rival->session);
	rival->queues = calloc(slots, sizeof(*rival->queues));
	if (!rival->queues)
		return STATUS_NO_MEMORY;
	while (rival->count < slots) {
		status = queue_create(&rival->queues[rival->count], &rival->session,
				      rival->session.context, QUEUE_RING_BYTES);
		if (!NT_SUCCESS(status))
			return status;
		rival->count++;
	}
	return STATUS_SUCCESS;
}

int32_t rival_destroy(struct rival *rival)
{
	int32_t status = STATUS_SUCCESS;
	uint32_t i;

	for (i = 0; i < rival->count && NT_SUCCESS(status); i++)
		status = queue_destroy(&rival->queues[i]);
	free(rival->queues);
	return NT_SUCCESS(status) ? kmt_session_close(&rival->session) : status;
}

bool rival_steal(struct rival *rival, const struct queue *victim)
{
	unsigned int round;
	uint32_t i;

	for (round = 0; round < STEAL_ROUNDS; round++) {
		for (i = 0; i < rival->count; i++) {
			if (*victim->stat != DXG_DOORBELLSTATUS_CONNECTED)
				return true;
			doorbell_connect(rival->session.fd, rival->queues[i].doorbell);
		}
		kmt_sleep_us(1500);	/* beyond the miniport's hold time */
	}
	return *victim->stat != DXG_DOORBELLSTATUS_CONNECTED;
}

int32_t rival_yield(struct rival *rival)
{
	int32_t status = STATUS_SUCCESS;
	uint32_t i;

	for (i = 0; i < rival->count && NT_SUCCESS(status); i++) {
		status = doorbell_destroy(rival->session.fd, rival->queues[i].doorbell);
		if (NT_SUCCESS(status))
			status = queue_doorbell_create(&rival->queues[i], 0);
	}
	return status;
}
