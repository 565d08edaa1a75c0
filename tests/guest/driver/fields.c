// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Each field of each structure of /dev/dxg, by the table of fields.h: null, unreadable,
 * of a wrong size, with reserved bits, with foreign, stale, invented and wrong-type
 * handles, with an answer that cannot be written. The call fails with its status, has
 * made nothing, and succeeds with good arguments; fields that mean nothing may hold
 * anything; nothing of it is a line of the kernel's log (KMT-0.2, KMT-0.3, KMT-0.4,
 * KMT-0.5, KMT-0.7, OBJ-16, OBJ-17, SEC-2, SEC-16, KMT-CD-4, KMT-CD-9).
 *
 * Complete by two checks: the driver knows no call that is not in the table, and the
 * rows of a structure cover every byte of it.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>
#include "tap.h"
#include "debugfs.h"
#include "fields.h"

#define ARGUMENT_BYTES	128u
#define TAIL_BYTES	16u
/* More than a file gives out before the first doorbell. */
#define BURNT_HANDLES	64u

#define ACCESS_FAULT	KMT_ERRNO(EFAULT)

static const struct fields_call *const tables[] = {
	fields_object_calls, fields_memory_calls, fields_doorbell_calls,
};

#define NUM_TABLES	(sizeof(tables) / sizeof(tables[0]))

static struct fields_world world;
static uint8_t *half;	/* a page that may be written, and one behind it that is not there */

struct finding {
	unsigned int tries, wrong;
	int32_t status;		/* of the first wrong one */
	uint64_t value;
};

uint32_t fields_spare(struct fields_world *world, enum object kind)
{
	if (!world->spare[kind])
		world->spare[kind] = object_make(&world->session, kind, &world->bare);
	return world->spare[kind];
}

static bool is_extended(const struct fields_call *call)
{
	return _IOC_TYPE(call->command) == DXG_IOCTL_TYPE_X;
}

static bool same_status(int32_t got, int32_t want)
{
	if (want == ACCESS_FAULT)
		return got == ACCESS_FAULT || got == STATUS_ACCESS_VIOLATION;
	return got == want;
}

/* The calls whose good arguments are refused: nothing destroys fences, or submits for a queue. */
static int32_t good_status(const struct fields_call *call)
{
	switch (call->command) {
	case LX_DXDESTROYSYNCHRONIZATIONOBJECT:
		return STATUS_INVALID_PARAMETER;
	case LX_DXSUBMITCOMMANDTOHWQUEUE:
	case LX_DXSUBMITSIGNALSYNCOBJECTSTOHWQUEUE:
	case LX_DXSUBMITWAITFORSYNCOBJECTSTOHWQUEUE:
		return STATUS_NOT_SUPPORTED;
	default:
		return STATUS_SUCCESS;
	}
}

static int32_t make_call(const struct fields_call *call, unsigned long command, void *args)
{
	int32_t status = kmt_call(world.session.fd, command, args);

	if (NT_SUCCESS(status) && is_extended(call))
		status = ((struct dxg_call_header *)args)->status;
	return status;
}

static void fill(const struct fields_call *call, uint8_t *args)
{
	memset(args, 0, ARGUMENT_BYTES);
	if (is_extended(call))
		((struct dxg_call_header *)(void *)args)->size = _IOC_SIZE(call->command);
	call->fill(&world, args);
}

/* Where the structure of the rows is. */
static uint8_t *structure(const struct fields_call *call, uint8_t *args)
{
	return call->inner_bytes ? (uint8_t *)&world + call->inner_offset : args;
}

static size_t structure_bytes(const struct fields_call *call)
{
	return call->inner_bytes ? call->inner_bytes : _IOC_SIZE(call->command);
}

static void undo(const struct fields_call *call, uint8_t *args, int32_t status)
{
	if (NT_SUCCESS(status) && call->undo)
		call->undo(&world, args);
}

static void judge(struct finding *finding, int32_t status, int32_t want, uint64_t value)
{
	finding->tries++;
	if (same_status(status, want))
		return;
	if (!finding->wrong++) {
		finding->status = status;
		finding->value = value;
	}
}

/* One call with one field set. */
static void try_value(const struct fields_call *call, const struct field *field, uint64_t value,
		      int32_t want, struct finding *finding)
{
	uint8_t args[ARGUMENT_BYTES] __attribute__((aligned(8)));
	int32_t status;

	fill(call, args);
	memcpy(structure(call, args) + field->offset, &value, field->bytes);
	status = make_call(call, call->command, args);
	judge(finding, status, want, value);
	undo(call, args, status);
}

static void try_any(const struct fields_call *call, const struct field *field,
		    struct finding *finding)
{
	static const uint8_t patterns[] = { 0xff, 0xa5, 0x01 };
	uint8_t args[ARGUMENT_BYTES] __attribute__((aligned(8)));
	unsigned int i;
	int32_t status;

	for (i = 0; i < sizeof(patterns); i++) {
		fill(call, args);
		memset(structure(call, args) + field->offset, patterns[i], field->bytes);
		status = make_call(call, call->command, args);
		judge(finding, status, good_status(call), patterns[i]);
		undo(call, args, status);
	}
}

static void try_bits(const struct fields_call *call, const struct field *field, uint64_t allowed,
		     struct finding *finding)
{
	uint8_t args[ARGUMENT_BYTES] __attribute__((aligned(8)));
	uint64_t value = 0;
	unsigned int bit;

	fill(call, args);
	memcpy(&value, structure(call, args) + field->offset, field->bytes);
	for (bit = 0; bit < field->bytes * 8u; bit++)
		if (!(allowed >> bit & 1))
			try_value(call, field, value | 1ull << bit, STATUS_INVALID_PARAMETER,
				  finding);
}

/* Handles that are none of the kinds: at most this many. */
#define MOST_WRONG_HANDLES	(3u * NUM_OBJECTS + 4u)

static unsigned int wrong_handles(uint64_t kinds, uint32_t wrong[MOST_WRONG_HANDLES])
{
	static const uint32_t invented[] = { 0, 0x40000001, 0x80000000, 0xffffffff };
	unsigned int kind, count = 0;

	for (kind = 0; kind < NUM_OBJECTS; kind++) {
		if (kinds >> kind & 1) {
			if (world.stale[kind])
				wrong[count++] = world.stale[kind];
			wrong[count++] = world.foreign[kind];
		} else {
			wrong[count++] = world.good[kind];
		}
	}
	memcpy(wrong + count, invented, sizeof(invented));
	return count + sizeof(invented) / sizeof(invented[0]);
}

static void try_handles(const struct fields_call *call, const struct field *field,
			struct finding *finding)
{
	uint8_t args[ARGUMENT_BYTES] __attribute__((aligned(8)));
	uint32_t wrong[MOST_WRONG_HANDLES];
	unsigned int count = wrong_handles(field->value, wrong), i;
	int32_t status;

	for (i = 0; i < count; i++) {
		if (field->kind == FIELD_HANDLE) {
			try_value(call, field, wrong[i], STATUS_INVALID_PARAMETER, finding);
			continue;
		}
		fill(call, args);
		world.handle = wrong[i];
		status = make_call(call, call->command, args);
		judge(finding, status, STATUS_INVALID_PARAMETER, wrong[i]);
		undo(call, args, status);
	}
}

/* An address of bytes that are read, and perhaps written. */
static void try_addresses(const struct fields_call *call, const struct field *field,
			  size_t bytes, bool written, struct finding *finding)
{
	static const uint64_t nowhere[] = {
		0, 16, 0x7ffffffff000, 0x800000000000, 0xffff888000000000, 0xfffffffffffffff8,
	};
	uint8_t args[ARGUMENT_BYTES] __attribute__((aligned(8)));
	uint64_t good = 0;
	unsigned int i;

	for (i = 0; i < sizeof(nowhere) / sizeof(nowhere[0]); i++)
		try_value(call, field, nowhere[i], ACCESS_FAULT, finding);
	try_value(call, field, (uintptr_t)half + KMT_PAGE_BYTES, ACCESS_FAULT, finding);
	try_value(call, field, (uintptr_t)half + KMT_PAGE_BYTES - bytes + 1, ACCESS_FAULT,
		  finding);
	if (!written)
		return;
	fill(call, args);
	memcpy(&good, structure(call, args) + field->offset, sizeof(good));
	memcpy(half, (const void *)(uintptr_t)good, bytes);
	mprotect(half, KMT_PAGE_BYTES, PROT_READ);
	try_value(call, field, (uintptr_t)half, ACCESS_FAULT, finding);
	mprotect(half, KMT_PAGE_BYTES, PROT_READ | PROT_WRITE);
}

static void try_field(const struct fields_call *call, const struct field *field,
		      struct finding *finding)
{
	unsigned int i;

	switch (field->kind) {
	case FIELD_ANY:
		try_any(call, field, finding);
		break;
	case FIELD_ZERO:
		try_bits(call, field, 0, finding);
		break;
	case FIELD_FLAGS:
		try_bits(call, field, field->value, finding);
		break;
	case FIELD_HANDLE:
		try_handles(call, field, finding);
		break;
	case FIELD_HANDLES:
		try_handles(call, field, finding);
		try_addresses(call, field, sizeof(uint32_t), false, finding);
		break;
	case FIELD_INPUT:
	case FIELD_BOTH:
		try_addresses(call, field, field->value, field->kind == FIELD_BOTH, finding);
		break;
	case FIELD_NUMBER:
		break;
	}
	for (i = 0; i < FIELD_MOST_BAD && field->bad[i].status; i++)
		try_value(call, field, field->bad[i].value, field->bad[i].status, finding);
}

/* The same call with good arguments: nothing that was refused has left a trace. */
static int32_t call_good(const struct fields_call *call)
{
	uint8_t args[ARGUMENT_BYTES] __attribute__((aligned(8)));
	int32_t status;

	fill(call, args);
	status = make_call(call, call->command, args);
	undo(call, args, status);
	return status;
}

static void report(const struct fields_call *call, const char *what, const struct finding *finding,
		   const char *before)
{
	char after[DEBUGFS_TEXT_BYTES];
	uint8_t args[ARGUMENT_BYTES] __attribute__((aligned(8)));
	int32_t status;
	bool same;

	/* What is there to be destroyed is there again. */
	fill(call, args);
	same = counters_settle(before, 1000, after);
	status = call_good(call);
	if (ok(!finding->wrong && same && status == good_status(call), "%s %s: %u ways", call->name,
	       what, finding->tries))
		return;
	if (finding->wrong)
		diag("%u wrong, the first: value %#llx, status %#x", finding->wrong,
		     (unsigned long long)finding->value, (uint32_t)finding->status);
	if (!same)
		diag("before: %s; after: %s", before, after);
	if (status != good_status(call))
		diag("good arguments: status %#x", (uint32_t)status);
}

static void begin(const struct fields_call *call, struct finding *finding,
		  char before[DEBUGFS_TEXT_BYTES])
{
	uint8_t args[ARGUMENT_BYTES] __attribute__((aligned(8)));

	memset(finding, 0, sizeof(*finding));
	fill(call, args);
	counters_read(before);
}

/* The structure itself: where it is, and how large. */
static void pointers(const struct fields_call *call)
{
	static const uint64_t nowhere[] = { 0, 16, 0x7ffffffff000, 0xffff888000000000 };
	uint8_t args[ARGUMENT_BYTES] __attribute__((aligned(8)));
	size_t bytes = _IOC_SIZE(call->command), n;
	char before[DEBUGFS_TEXT_BYTES];
	struct finding finding;
	unsigned int i;

	begin(call, &finding, before);
	for (i = 0; i < sizeof(nowhere) / sizeof(nowhere[0]); i++)
		judge(&finding, kmt_call(world.session.fd, call->command,
					 (void *)(uintptr_t)nowhere[i]), ACCESS_FAULT, nowhere[i]);
	for (n = 0; n < bytes; n += n < 8 ? 1 : 4) {
		fill(call, args);
		memcpy(half + KMT_PAGE_BYTES - n, args, n);
		judge(&finding, kmt_call(world.session.fd, call->command,
					 half + KMT_PAGE_BYTES - n), ACCESS_FAULT, n);
	}
	report(call, "null, unreadable or cut off", &finding, before);

	begin(call, &finding, before);
	if (is_extended(call)) {
		unsigned long longer = _IOC(_IOC_READ | _IOC_WRITE, DXG_IOCTL_TYPE_X,
					    _IOC_NR(call->command), bytes + TAIL_BYTES);

		for (i = 0; i <= TAIL_BYTES; i++) {
			int32_t status;

			fill(call, args);
			((struct dxg_call_header *)(void *)args)->size =
				(uint32_t)bytes + TAIL_BYTES;
			if (i < TAIL_BYTES)
				args[bytes + i] = 1;
			status = make_call(call, longer, args);
			judge(&finding, status, i < TAIL_BYTES ? STATUS_INVALID_PARAMETER :
							       STATUS_SUCCESS, i);
			undo(call, args, status);
		}
	}
	for (n = 0; n < (is_extended(call) ? bytes : ARGUMENT_BYTES); n++) {
		if (n == bytes)
			continue;
		fill(call, args);
		judge(&finding, make_call(call, _IOC(_IOC_READ | _IOC_WRITE,
						     _IOC_TYPE(call->command),
						     _IOC_NR(call->command), n), args),
		      KMT_ERRNO(ENOTTY), n);
	}
	report(call, "of another size", &finding, before);
}

/* KMT-0.3, KMT-0.5 */
static void no_answer(const struct fields_call *call)
{
	uint8_t args[ARGUMENT_BYTES] __attribute__((aligned(8)));
	size_t bytes = _IOC_SIZE(call->command);
	char before[DEBUGFS_TEXT_BYTES];
	struct finding finding;
	int32_t status;

	begin(call, &finding, before);
	fill(call, args);
	memcpy(half, args, bytes);
	mprotect(half, KMT_PAGE_BYTES, PROT_READ);
	status = make_call(call, call->command, half);
	judge(&finding, status, call->answer == ANSWER_NONE ? good_status(call) : ACCESS_FAULT, 0);
	mprotect(half, KMT_PAGE_BYTES, PROT_READ | PROT_WRITE);
	undo(call, half, status);
	report(call, call->answer == ANSWER_NONE ? "in read-only memory, without an answer" :
	       "in read-only memory, undone", &finding, before);
}

static void check_call(const struct fields_call *call)
{
	bool covered[ARGUMENT_BYTES] = { false };
	size_t bytes = structure_bytes(call), i;
	const struct field *field;
	unsigned int rows = 0;
	int32_t status = call_good(call);

	if (!ok(status == good_status(call), "%s with good arguments", call->name))
		diag("status %#x", (uint32_t)status);
	for (field = call->fields; field->bytes; field++, rows++)
		memset(covered + field->offset, 1, field->bytes);
	for (i = 0; i < bytes && covered[i]; i++)
		;
	if (!ok(i == bytes, "%s: the %u rows cover its %zu bytes", call->name, rows, bytes))
		diag("byte %zu has no row", i);
	if (!call->inner_bytes) {
		pointers(call);
		no_answer(call);
	}
	for (field = call->fields; field->bytes; field++) {
		char before[DEBUGFS_TEXT_BYTES];
		struct finding finding;

		begin(call, &finding, before);
		try_field(call, field, &finding);
		report(call, field->name, &finding, before);
	}
}

static bool in_table(unsigned int type, unsigned int number, unsigned int bytes)
{
	const struct fields_call *call;
	unsigned int t;

	for (t = 0; t < NUM_TABLES; t++) {
		for (call = tables[t]; call->name; call++) {
			unsigned long command = call->command;

			if (_IOC_TYPE(command) == type && _IOC_NR(command) == number &&
			    (_IOC_SIZE(command) == bytes ||
			     (type == DXG_IOCTL_TYPE_X && _IOC_SIZE(command) < bytes)))
				return true;
		}
	}
	return false;
}

/* Calls that the kernel takes before any driver: those that freeze and trim file systems. */
static bool is_kernels(unsigned long command)
{
	return command == FIFREEZE || command == FITHAW || command == FITRIM;
}

/* A call that the driver answers with anything but ENOTTY is one that it knows. */
static void no_other_calls(void)
{
	static const unsigned int types[] = { DXG_IOCTL_TYPE, DXG_IOCTL_TYPE_X };
	unsigned int t, number, bytes, unknown = 0, known = 0;

	for (t = 0; t < 2; t++)
		for (number = 0; number < 256; number++)
			for (bytes = 0; bytes <= ARGUMENT_BYTES + 32; bytes += 4) {
				unsigned long command = _IOC(_IOC_READ | _IOC_WRITE, types[t],
							     number, bytes);

				if (is_kernels(command) ||
				    (ioctl(world.session.fd, command, NULL) < 0 && errno == ENOTTY))
					continue;
				known++;
				if (in_table(types[t], number, bytes))
					continue;
				if (!unknown++)
					diag("the driver knows _IOC('%c', %#x, %u bytes)",
					     (int)types[t], number, bytes);
			}
	ok(known && !unknown, "the driver knows no call that the table does not");
}

/* ---- the world ---- */

static void make_world(void)
{
	struct kmt_session *other = calloc(1, sizeof(*other));
	struct queue *foreign = calloc(1, sizeof(*foreign));
	struct dxg_createhwqueue kernel = { 0 };
	struct dxg_luid luid;
	uint32_t handle;
	unsigned int i;

	/* Each file counts its handles from 1: the foreign ones are low, and ours are not. */
	if (!other || !foreign)
		bail("no memory");
	must(kmt_session_open(other, NULL, 0), "other session");
	must(queue_create(foreign, other, other->context, QUEUE_RING_BYTES), "other queue");
	objects_gather(other, foreign, world.foreign);
	must(kmt_session_open(&world.session, NULL, 0), "session");
	for (i = 0; i < BURNT_HANDLES; i++)
		if (kmt_adapter_open(world.session.fd, &luid, &handle) ||
		    object_destroy(&world.session, OBJECT_ADAPTER, handle))
			bail("no adapter");
	must(object_destroy(&world.session, OBJECT_DEVICE, world.session.device), "first device");
	must(kmt_adapter_open(world.session.fd, &world.session.luid, &handle), "adapter");
	must(object_destroy(&world.session, OBJECT_ADAPTER, world.session.adapter), "adapter");
	world.session.adapter = handle;
	world.session.device = 0;
	must(kmt_session_renew(&world.session, 0), "device");
	must(queue_create(&world.queue, &world.session, world.session.context, QUEUE_RING_BYTES),
	     "queue");
	must(queue_probe(&world.queue), "first work");
	must(queue_create(&world.bare, &world.session, world.session.context, QUEUE_RING_BYTES),
	     "second queue");
	must(doorbell_destroy(world.session.fd, world.bare.doorbell), "its doorbell");
	world.stale[OBJECT_DOORBELL] = world.bare.doorbell;
	world.bare.doorbell = 0;
	kernel.context = world.session.context;
	must(kmt_call(world.session.fd, LX_DXCREATEHWQUEUE, &kernel), "queue of the kernel's");
	world.kernel_queue = kernel.queue;
	must(kmt_buffer_create(&world.session, 4 * KMT_PAGE_BYTES, 0, &world.buffer), "buffer");
	objects_gather(&world.session, &world.queue, world.good);
	for (i = 0; i < NUM_OBJECTS; i++) {
		if (i == OBJECT_FENCE || i == OBJECT_DOORBELL)
			continue;
		world.stale[i] = object_make(&world.session, (enum object)i, NULL);
		if (!world.stale[i] || object_destroy(&world.session, (enum object)i, world.stale[i]))
			bail("no %s to be stale", object_names[i]);
	}
	half = mmap(NULL, 2 * KMT_PAGE_BYTES, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (half == MAP_FAILED || mprotect(half, KMT_PAGE_BYTES, PROT_READ | PROT_WRITE))
		bail("no memory");
}

/* Lines of the kernel's log since the descriptor was opened that name the driver. */
static unsigned int lines_of_the_driver(int log)
{
	char line[1024];
	unsigned int lines = 0;
	ssize_t length;

	while ((length = read(log, line, sizeof(line) - 1)) > 0 || (length < 0 && errno == EPIPE)) {
		if (length < 0)
			continue;
		line[length] = '\0';
		if (strstr(line, "dxg")) {
			lines++;
			diag("%s", line);
		}
	}
	return lines;
}

int main(void)
{
	char baseline[DEBUGFS_TEXT_BYTES];
	const struct fields_call *call;
	unsigned int i;
	int log;

	if (!ok(counters_read(baseline), "the driver tells its object counts"))
		bail("no /sys/kernel/debug/dxg/counters");
	make_world();
	log = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (log >= 0)
		lseek(log, 0, SEEK_END);
	no_other_calls();
	for (i = 0; i < NUM_TABLES; i++)
		for (call = tables[i]; call->name; call++)
			check_call(call);
	ok(queue_probe(&world.queue) == STATUS_SUCCESS, "at the end the queue works");
	if (log < 0)
		skip(1, "no /dev/kmsg");
	else
		ok(!lines_of_the_driver(log), "no mistake of a user is a line of the kernel's log");
	return done();
}
