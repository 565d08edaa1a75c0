// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A node whose registers say that it takes no user submission: its metadata say so,
 * and no queue on it can have a doorbell; the nodes beside it work (KMT-HQ-1, DDI-NM-1).
 *
 *   driver-nodes TYPE[:TYPE]...   as the property "nodes" of the device has them
 */
#include "tap.h"
#include "debugfs.h"
#include "queue.h"

#define USER_MODE_SUBMISSION	(1u << 3)	/* DXGK_NODEMETADATA_FLAGS */

struct node_metadata {
	uint32_t node_and_adapter;
	uint32_t engine_type;
	uint16_t friendly_name[32];
	uint32_t flags;
	uint8_t gpu_mmu;
	uint8_t io_mmu;
} __attribute__((packed));

static struct kmt_session session;

static struct node_metadata metadata(uint32_t node)
{
	struct node_metadata data = { .node_and_adapter = node };
	struct dxg_queryadapterinfo query = {
		.adapter = session.adapter,
		.type = 25,	/* KMTQAITYPE_NODEMETADATA */
		.private_data = (uintptr_t)&data,
		.private_data_size = sizeof(data),
	};

	must(kmt_call(session.fd, LX_DXQUERYADAPTERINFO, &query), "node metadata");
	return data;
}

static uint32_t engine_type(const char *name)
{
	if (!strncmp(name, "3d", 2))
		return 1;
	return strncmp(name, "copy", 4) ? 0 : 6;
}

static void kernel_node(uint32_t context, uint32_t node)
{
	struct dxg_createhwqueue hwqueue = { .context = context };
	struct kmt_buffer ring, control;
	struct dxg_createdoorbell create;
	struct dxg_createhwqueue refused;
	int32_t status;

	status = hwqueue_create(session.fd, context, &refused);
	ok(status == STATUS_NOT_SUPPORTED && !refused.queue,
	   "node %u: a queue for user submission is refused: NOT_SUPPORTED (%#x)", node,
	   (uint32_t)status);
	must(kmt_call(session.fd, LX_DXCREATEHWQUEUE, &hwqueue), "a queue without it");
	must(kmt_buffer_create(&session, KMT_PAGE_BYTES, 0, &ring), "ring");
	must(kmt_buffer_create(&session, KMT_PAGE_BYTES, 0, &control), "control");
	status = doorbell_create(session.fd, hwqueue.queue, ring.allocation, control.allocation,
				 0, &create);
	ok(status == STATUS_INVALID_PARAMETER && !create.doorbell,
	   "node %u: another queue can be, but has no doorbell (%#x)", node, (uint32_t)status);
	must(kmt_call_handle(session.fd, LX_DXDESTROYHWQUEUE, hwqueue.queue), "queue");
	must(kmt_buffer_destroy(&session, &ring), "ring");
	must(kmt_buffer_destroy(&session, &control), "control");
}

static void user_node(uint32_t context, uint32_t node)
{
	struct queue queue;

	must(queue_create(&queue, &session, context, QUEUE_RING_BYTES), "queue");
	ok(queue_probe(&queue) == STATUS_SUCCESS, "node %u: a queue takes user submission", node);
	must(queue_destroy(&queue), "queue");
}

int main(int argc, char **argv)
{
	char baseline[DEBUGFS_TEXT_BYTES], last[DEBUGFS_TEXT_BYTES];
	char *name, *rest;
	uint32_t node = 0, context;

	if (argc != 2)
		bail("usage: driver-nodes TYPE[:TYPE]...");
	counters_read(baseline);
	must(kmt_session_open(&session, NULL, 0), "session");
	for (name = strtok_r(argv[1], ":", &rest); name; name = strtok_r(NULL, ":", &rest)) {
		bool kernel = strstr(name, "-kernel") != NULL;
		struct node_metadata data = metadata(node);

		ok(data.engine_type == engine_type(name) &&
		   !(data.flags & USER_MODE_SUBMISSION) == kernel,
		   "node %u, %s: type %u, flags %#x", node, name, data.engine_type, data.flags);
		must(kmt_context_create(session.fd, session.device, node, &context), "context");
		if (kernel)
			kernel_node(context, node);
		else
			user_node(context, node);
		must(kmt_call_handle(session.fd, LX_DXDESTROYCONTEXT, context), "context");
		node++;
	}
	ok(session.caps.num_nodes == node, "%u nodes (%u)", node, session.caps.num_nodes);
	must(kmt_session_close(&session), "session");
	if (!ok(counters_settle(baseline, 5000, last), "nothing is left"))
		diag("before: %s; after: %s", baseline, last);
	return done();
}
