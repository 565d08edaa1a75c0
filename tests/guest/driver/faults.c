// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Commands, ring entries and write pointers that the device must refuse: the queue
 * stops before the bad one, its device alone is in error, and everybody else goes on
 * (FH-10, FH-12, FH-13, FH-14, FH-15, FH-16, FH-17, KMT-0.9, KMT-CN-10, KMT-DD-1, PF-11, OBJ-27, SEC-2, SEC-4, SEC-9).
 *
 * Each misdeed is done in a session of its own with a sibling queue on the same
 * device, a second device of the same process, and a neighbour process. A good command
 * before the bad one must be executed, a good one behind it never.
 */
#include <pthread.h>
#include <string.h>
#include <unistd.h>
#include "tap.h"
#include "chain.h"
#include "debugfs.h"
#include "fault.h"
#include "host.h"

#define WAIT_NS			(20ull * 1000 * 1000 * 1000)
#define NEVER_MAPPED		0x123450000000ull
#define FAULT_ENTRY		"inject-fault-entry"
#define STATE_ACTIVE		1u
#define STATE_DMA_FAULT		6u
#define STATE_PAGE_FAULT	7u

struct scene {
	struct kmt_session session;
	struct kmt_session second;	/* another device, same process */
	struct queue culprit;
	struct queue sibling;		/* same device, another context */
	struct queue innocent;		/* on the second device */
	struct kmt_buffer target;
	struct kmt_buffer read_only;
	uint64_t lonely;		/* a page of target, mapped again with nothing behind it */
	int32_t waiter_status;		/* what the blocked waiter got */
};

struct misdeed {
	const char *name;
	uint32_t state;
	/* Fills commands and entry; gives the address that must be reported, 0 for none. */
	uint64_t (*commit)(struct scene *scene, struct dxg_commands *commands,
			   struct dxgpu_ring_entry *entry);
};

static void entry_from(const struct dxg_commands *commands, struct dxgpu_ring_entry *entry)
{
	entry->command_gpuva = commands->gpuva;
	entry->command_bytes = commands->bytes;
}

static uint64_t copy_from_nowhere(struct scene *scene, struct dxg_commands *commands,
				  struct dxgpu_ring_entry *entry)
{
	dxg_commands_copy(commands, scene->target.gpuva, NEVER_MAPPED, 64);
	entry_from(commands, entry);
	return NEVER_MAPPED;
}

static uint64_t copy_to_nowhere(struct scene *scene, struct dxg_commands *commands,
				struct dxgpu_ring_entry *entry)
{
	dxg_commands_copy(commands, NEVER_MAPPED, scene->target.gpuva, 64);
	entry_from(commands, entry);
	return NEVER_MAPPED;
}

/* The range begins in memory and ends outside: the page behind is what faults. */
static uint64_t crc_over_the_end(struct scene *scene, struct dxg_commands *commands,
				 struct dxgpu_ring_entry *entry)
{
	uint64_t end = scene->lonely + KMT_PAGE_BYTES;

	dxg_commands_crc32c(commands, scene->target.gpuva, end - 64, 128, 0);
	entry_from(commands, entry);
	return end;
}

static uint64_t fill_read_only(struct scene *scene, struct dxg_commands *commands,
			       struct dxgpu_ring_entry *entry)
{
	dxg_commands_fill(commands, scene->read_only.gpuva + 64, 0xdeadbeef, 64);
	entry_from(commands, entry);
	return scene->read_only.gpuva + 64;
}

static uint64_t fence_nowhere(struct scene *scene, struct dxg_commands *commands,
			      struct dxgpu_ring_entry *entry)
{
	(void)scene;
	dxg_commands_fence(commands, NEVER_MAPPED, 2, 0);
	entry_from(commands, entry);
	return NEVER_MAPPED;
}

static uint64_t fence_misaligned(struct scene *scene, struct dxg_commands *commands,
				 struct dxgpu_ring_entry *entry)
{
	dxg_commands_fence(commands, scene->target.gpuva + 4, 2, 0);
	entry_from(commands, entry);
	return 0;
}

static uint64_t command_unmapped(struct scene *scene, struct dxg_commands *commands,
				 struct dxgpu_ring_entry *entry)
{
	uint64_t gpuva = scene->target.gpuva;

	kmt_unmap(&scene->session, gpuva, scene->target.bytes);
	scene->target.gpuva = 0;
	entry_from(commands, entry);
	entry->command_gpuva = gpuva;
	entry->command_bytes = 64;
	return gpuva;
}

static uint64_t command_evicted(struct scene *scene, struct dxg_commands *commands,
				struct dxgpu_ring_entry *entry)
{
	entry_from(commands, entry);
	entry->command_gpuva = scene->target.gpuva;
	entry->command_bytes = 64;
	kmt_evict(&scene->session, scene->target.allocation);
	return scene->target.gpuva;
}

static uint64_t command_freed(struct scene *scene, struct dxg_commands *commands,
			      struct dxgpu_ring_entry *entry)
{
	uint64_t gpuva = scene->target.gpuva;

	entry_from(commands, entry);
	entry->command_gpuva = gpuva;
	entry->command_bytes = 64;
	kmt_allocation_destroy(&scene->session, scene->target.allocation);
	scene->target.allocation = 0;
	return gpuva;
}

static uint64_t beyond_the_space(struct scene *scene, struct dxg_commands *commands,
				 struct dxgpu_ring_entry *entry)
{
	uint64_t gpuva = 1ull << scene->session.caps.gpuva_bits;

	dxg_commands_fill(commands, gpuva, 0, 64);
	entry_from(commands, entry);
	return gpuva;
}

static uint64_t copy_overlapping(struct scene *scene, struct dxg_commands *commands,
				 struct dxgpu_ring_entry *entry)
{
	dxg_commands_copy(commands, scene->target.gpuva + 32, scene->target.gpuva, 64);
	entry_from(commands, entry);
	return 0;
}

static uint64_t copy_nothing(struct scene *scene, struct dxg_commands *commands,
			     struct dxgpu_ring_entry *entry)
{
	dxg_commands_copy(commands, scene->target.gpuva, scene->read_only.gpuva, 0);
	entry_from(commands, entry);
	return 0;
}

static uint64_t copy_too_much(struct scene *scene, struct dxg_commands *commands,
			      struct dxgpu_ring_entry *entry)
{
	dxg_commands_copy(commands, scene->target.gpuva, scene->read_only.gpuva,
			  scene->session.caps.max_transfer_bytes + 1);
	entry_from(commands, entry);
	return 0;
}

static uint64_t fill_odd(struct scene *scene, struct dxg_commands *commands,
			 struct dxgpu_ring_entry *entry)
{
	dxg_commands_fill(commands, scene->target.gpuva, 0, 6);
	entry_from(commands, entry);
	return 0;
}

static uint64_t header_only(struct dxg_commands *commands, struct dxgpu_ring_entry *entry,
			    uint8_t opcode, uint16_t bytes, uint32_t reserved)
{
	struct dxgpu_packet_header header = {
		.opcode = opcode,
		.bytes = bytes,
		.reserved = reserved,
	};

	dxg_commands_append(commands, &header, sizeof(header));
	entry_from(commands, entry);
	return 0;
}

static uint64_t unknown_opcode(struct scene *scene, struct dxg_commands *commands,
			       struct dxgpu_ring_entry *entry)
{
	(void)scene;
	return header_only(commands, entry, 0x7f, 8, 0);
}

static uint64_t length_zero(struct scene *scene, struct dxg_commands *commands,
			    struct dxgpu_ring_entry *entry)
{
	(void)scene;
	return header_only(commands, entry, DXGPU_OP_NOP, 0, 0);
}

static uint64_t length_beyond(struct scene *scene, struct dxg_commands *commands,
			      struct dxgpu_ring_entry *entry)
{
	(void)scene;
	return header_only(commands, entry, DXGPU_OP_NOP, 64, 0);
}

static uint64_t reserved_bits(struct scene *scene, struct dxg_commands *commands,
			      struct dxgpu_ring_entry *entry)
{
	(void)scene;
	return header_only(commands, entry, DXGPU_OP_NOP, 8, 1);
}

/* A good NOP behind an entry that is spoilt afterwards. */
static uint64_t good_nop(struct dxg_commands *commands, struct dxgpu_ring_entry *entry)
{
	return header_only(commands, entry, DXGPU_OP_NOP, 8, 0);
}

static uint64_t entry_misaligned(struct scene *scene, struct dxg_commands *commands,
				 struct dxgpu_ring_entry *entry)
{
	(void)scene;
	good_nop(commands, entry);
	entry->command_gpuva += 4;
	return 0;
}

static uint64_t entry_empty(struct scene *scene, struct dxg_commands *commands,
			    struct dxgpu_ring_entry *entry)
{
	(void)scene;
	good_nop(commands, entry);
	entry->command_bytes = 0;
	return 0;
}

static uint64_t entry_too_long(struct scene *scene, struct dxg_commands *commands,
			       struct dxgpu_ring_entry *entry)
{
	good_nop(commands, entry);
	entry->command_bytes = scene->session.caps.max_command_bytes + 8;
	return 0;
}

static uint64_t entry_flags(struct scene *scene, struct dxg_commands *commands,
			    struct dxgpu_ring_entry *entry)
{
	(void)scene;
	good_nop(commands, entry);
	entry->flags = 1;
	return 0;
}

static uint64_t entry_reserved(struct scene *scene, struct dxg_commands *commands,
			       struct dxgpu_ring_entry *entry)
{
	(void)scene;
	good_nop(commands, entry);
	entry->reserved = 1;
	return 0;
}

/* Publishing this one makes WP - RP exceed the ring. */
static uint64_t wp_beyond(struct scene *scene, struct dxg_commands *commands,
			  struct dxgpu_ring_entry *entry)
{
	good_nop(commands, entry);
	scene->culprit.wp += scene->culprit.entries;
	return 0;
}

/* Or makes it negative. */
static uint64_t wp_backwards(struct scene *scene, struct dxg_commands *commands,
			     struct dxgpu_ring_entry *entry)
{
	good_nop(commands, entry);
	scene->culprit.wp = -2ull;
	return 0;
}

/* Nobody's fault: the host lets the second entry from now fail, of whomever it is. */
static uint64_t entry_unreadable(struct scene *scene, struct dxg_commands *commands,
				 struct dxgpu_ring_entry *entry)
{
	good_nop(commands, entry);
	if (dxg_host_set(FAULT_ENTRY, "2"))
		bail("the host does not answer");
	must(queue_probe(&scene->innocent), "the first entry");
	return scene->culprit.ring.gpuva + scene->culprit.wp * sizeof(*entry);
}

static const struct misdeed by_host = {
	"a ring that cannot be read", STATE_PAGE_FAULT, entry_unreadable
};

static const struct misdeed misdeeds[] = {
	{ "a copy from an unmapped address", STATE_PAGE_FAULT, copy_from_nowhere },
	{ "a copy to an unmapped address", STATE_PAGE_FAULT, copy_to_nowhere },
	{ "a CRC over the end of a mapping", STATE_PAGE_FAULT, crc_over_the_end },
	{ "a fill of read-only memory", STATE_PAGE_FAULT, fill_read_only },
	{ "a fence write to an unmapped address", STATE_PAGE_FAULT, fence_nowhere },
	{ "a command buffer that is unmapped", STATE_PAGE_FAULT, command_unmapped },
	{ "a command buffer that is evicted", STATE_PAGE_FAULT, command_evicted },
	{ "a command buffer that is freed", STATE_PAGE_FAULT, command_freed },
	{ "an address beyond the address space", STATE_PAGE_FAULT, beyond_the_space },
	{ "a misaligned fence", STATE_DMA_FAULT, fence_misaligned },
	{ "an overlapping copy", STATE_DMA_FAULT, copy_overlapping },
	{ "a copy of 0 bytes", STATE_DMA_FAULT, copy_nothing },
	{ "a copy beyond MAX_TRANSFER_BYTES", STATE_DMA_FAULT, copy_too_much },
	{ "a fill of 6 bytes", STATE_DMA_FAULT, fill_odd },
	{ "an unknown packet", STATE_DMA_FAULT, unknown_opcode },
	{ "a packet of length 0", STATE_DMA_FAULT, length_zero },
	{ "a packet beyond its buffer", STATE_DMA_FAULT, length_beyond },
	{ "a packet's reserved bits", STATE_DMA_FAULT, reserved_bits },
	{ "a misaligned ring entry", STATE_DMA_FAULT, entry_misaligned },
	{ "an empty ring entry", STATE_DMA_FAULT, entry_empty },
	{ "a ring entry beyond MAX_COMMAND_BYTES", STATE_DMA_FAULT, entry_too_long },
	{ "a ring entry's flags", STATE_DMA_FAULT, entry_flags },
	{ "a ring entry's reserved word", STATE_DMA_FAULT, entry_reserved },
	{ "a WP beyond the ring", STATE_DMA_FAULT, wp_beyond },
	{ "a WP that goes backwards", STATE_DMA_FAULT, wp_backwards },
};

/* One page at a place of our choice, far from all others. */
static int32_t map_lonely(struct scene *scene)
{
	struct dxg_mapgpuvirtualaddress map = {
		.paging_queue = scene->session.paging_queue,
		.base_address = NEVER_MAPPED - 16 * KMT_PAGE_BYTES,
		.allocation = scene->target.allocation,
		.size_in_pages = 1,
		.protection = DXG_PROTECTION_WRITE,
	};
	int32_t status = kmt_call(scene->session.fd, LX_DXMAPGPUVIRTUALADDRESS, &map);

	scene->lonely = map.virtual_address;
	return NT_SUCCESS(status) ? STATUS_SUCCESS : status;
}

static void scene_open(struct scene *scene)
{
	struct dxg_createpagingqueue paging = { 0 };
	uint32_t context;
	int fd;

	memset(scene, 0, sizeof(*scene));
	must(kmt_session_open(&scene->session, NULL, 0), "session");
	fd = scene->session.fd;
	must(kmt_context_create(fd, scene->session.device, scene->session.caps.num_nodes - 1,
				&context), "context of the sibling");
	must(queue_create(&scene->culprit, &scene->session, scene->session.context,
			  QUEUE_RING_BYTES), "culprit");
	must(queue_create(&scene->sibling, &scene->session, context, QUEUE_RING_BYTES), "sibling");
	must(kmt_buffer_create(&scene->session, KMT_PAGE_BYTES, 0, &scene->target), "target");
	must(kmt_buffer_create(&scene->session, KMT_PAGE_BYTES, KMT_BUFFER_READ_ONLY,
			       &scene->read_only), "read-only buffer");
	must(map_lonely(scene), "second mapping of the target");
	scene->second = scene->session;
	must(kmt_device_create(fd, scene->session.adapter, &scene->second.device), "device 2");
	must(kmt_context_create(fd, scene->second.device, 0, &scene->second.context), "context 2");
	paging.device = scene->second.device;
	must(kmt_call(fd, LX_DXCREATEPAGINGQUEUE, &paging), "paging queue 2");
	scene->second.paging_queue = paging.paging_queue;
	scene->second.paging_fence_cpu =
		(const volatile uint64_t *)(uintptr_t)paging.fence_cpu_virtual_address;
	must(queue_create(&scene->innocent, &scene->second, scene->second.context,
			  QUEUE_RING_BYTES), "queue 2");
	must(queue_probe(&scene->sibling), "sibling's first work");
}

static void *wait_for_ever(void *argument)
{
	struct scene *scene = argument;

	scene->waiter_status = kmt_wait(&scene->session, scene->culprit.fence, 1000);
	return NULL;
}

static bool becomes_abort(const struct queue *queue)
{
	uint64_t start = kmt_now_ns();

	while (*queue->stat != DXG_DOORBELLSTATUS_DISCONNECTED_ABORT) {
		if (kmt_now_ns() - start > WAIT_NS)
			return false;
		kmt_sleep_us(200);
	}
	return true;
}

/* Good, bad, good, in this order in one ring and with one ring of the bell. */
static uint64_t submit(struct scene *scene, const struct misdeed *misdeed)
{
	struct queue *culprit = &scene->culprit;
	struct dxgpu_ring_entry entry = { .fence_value = 2 };
	struct dxg_commands commands;
	uint64_t address;

	must(queue_probe(culprit), "the good command before");
	commands = queue_commands(culprit);
	address = misdeed->commit(scene, &commands, &entry);
	*culprit->last_queued = 2;
	queue_publish_entry(culprit, &entry);
	if (culprit->wp == 2) {
		commands = queue_commands(culprit);
		queue_publish(culprit, &commands);
	}
	queue_deliver(culprit);
	return address;
}

static void fault_round(const struct misdeed *misdeed, struct chain *neighbour)
{
	static uint32_t salt;
	struct scene scene;
	struct queue *culprit = &scene.culprit;
	char problem[200] = "";
	pthread_t waiter;
	uint64_t address;
	uint32_t state, out;
	bool aborted;
	int fd;

	scene_open(&scene);
	fd = scene.session.fd;
	pthread_create(&waiter, NULL, wait_for_ever, &scene);
	address = submit(&scene, misdeed);

	aborted = becomes_abort(culprit);
	if (!ok(aborted, "%s: STAT becomes ABORT", misdeed->name)) {
		diag("wp %llu rp %llu fence %llu", (unsigned long long)culprit->wp,
		     (unsigned long long)queue_read_pointer(culprit),
			 (unsigned long long)*culprit->fence_cpu);
		kmt_call_handle(fd, LX_DXDESTROYDEVICE, scene.session.device);
	}
	pthread_join(waiter, NULL);
	ok(scene.waiter_status == STATUS_DEVICE_REMOVED,
	   "%s: a blocked wait ends with DEVICE_REMOVED (%#x)", misdeed->name,
	       (uint32_t)scene.waiter_status);
	state = kmt_execution_state(fd, scene.session.device);
	ok(state == misdeed->state, "%s: execution state %u, expected %u", misdeed->name,
	   state, misdeed->state);
	if (misdeed->state == STATE_PAGE_FAULT) {
		uint64_t told = kmt_fault_address(fd, scene.session.device);

		ok(told == address, "%s: address %#llx, expected %#llx", misdeed->name,
		   (unsigned long long)told, (unsigned long long)address);
		told = kmt_fault_address(fd, scene.second.device);
		ok(!told, "%s: the other device is told of no fault (SEC-25)", misdeed->name);
	}
	ok(!fault_of_store(culprit->bell, 0) && *culprit->stat == DXG_DOORBELLSTATUS_DISCONNECTED_ABORT,
	   "%s: a ring raises no signal, and reads ABORT (T11 FH-30)", misdeed->name);
	ok(*culprit->fence_cpu == 1, "%s: only the command before it ran (fence %llu)",
	   misdeed->name, (unsigned long long)*culprit->fence_cpu);
	ok(becomes_abort(&scene.sibling), "%s: the device's other queue is ABORT too",
	   misdeed->name);
	ok(doorbell_connect(fd, culprit->doorbell) == STATUS_DEVICE_REMOVED &&
	   kmt_context_create(fd, scene.session.device, 0, &out) == STATUS_DEVICE_REMOVED,
	       "%s: calls on the device give DEVICE_REMOVED", misdeed->name);
	ok(kmt_execution_state(fd, scene.second.device) == STATE_ACTIVE &&
	   queue_probe(&scene.innocent) == STATUS_SUCCESS,
	       "%s: the process's other device works", misdeed->name);
	if (!ok(chain_lap(neighbour, ++salt, 4, WAIT_NS, problem, sizeof(problem)) ==
		    STATUS_SUCCESS, "%s: the neighbour works", misdeed->name))
		diag("%s", problem);
	ok(doorbell_destroy(fd, culprit->doorbell) == STATUS_SUCCESS &&
	   kmt_call_handle(fd, LX_DXDESTROYHWQUEUE, culprit->queue) == STATUS_SUCCESS &&
	       kmt_allocation_destroy(&scene.session, culprit->ring.allocation) ==
	       STATUS_SUCCESS &&
	       kmt_call_handle(fd, LX_DXDESTROYDEVICE, scene.session.device) == STATUS_SUCCESS,
	       "%s: every destroy call succeeds", misdeed->name);
	close(fd);
}

static void fault_by_host(struct chain *neighbour)
{
	char left[16];

	if (dxg_host_get(FAULT_ENTRY, left, sizeof(left))) {
		skip(1, "no host that breaks this device");
		return;
	}
	fault_round(&by_host, neighbour);
	ok(!dxg_host_get(FAULT_ENTRY, left, sizeof(left)) && !strcmp(left, "0"),
	   "it was the only one (%s)", left);
}

int main(void)
{
	char baseline[DEBUGFS_TEXT_BYTES], last[DEBUGFS_TEXT_BYTES];
	struct kmt_session session;
	struct chain neighbour;
	struct queue queue;
	size_t i;

	must(kmt_session_open(&session, NULL, 0), "neighbour's session");
	must(queue_create(&queue, &session, session.context, QUEUE_RING_BYTES), "its queue");
	must(chain_create(&neighbour, &queue, 64), "its chain");
	if (!ok(counters_read(baseline), "the driver tells its object counts"))
		bail("no /sys/kernel/debug/dxg/counters");
	for (i = 0; i < sizeof(misdeeds) / sizeof(misdeeds[0]); i++) {
		fault_round(&misdeeds[i], &neighbour);
		if (!ok(counters_settle(baseline, 5000, last), "%s: nothing is left",
			misdeeds[i].name))
			diag("before: %s; after: %s", baseline, last);
	}
	ok(adapter_value("faults") == i, "the adapter counted %zu faults", i);
	fault_by_host(&neighbour);
	return done();
}
