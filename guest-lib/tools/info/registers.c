// SPDX-License-Identifier: MIT
/* See registers.h. */
#include "registers.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <dxgpu/regs.h>

static uint32_t read_register(const volatile uint32_t *registers, uint32_t offset)
{
	return registers[offset / sizeof(*registers)];
}

static const char *status_name(uint32_t status)
{
	switch (status) {
	case DXGPU_STATUS_DISABLED:
		return "disabled";
	case DXGPU_STATUS_ENABLED:
		return "enabled";
	case DXGPU_STATUS_RESETTING:
		return "resetting";
	}
	return "unknown";
}

static const char *node_type_name(uint32_t type)
{
	switch (type) {
	case DXGPU_NODE_TYPE_3D:
		return "3d";
	case DXGPU_NODE_TYPE_COMPUTE:
		return "compute";
	case DXGPU_NODE_TYPE_COPY:
		return "copy";
	}
	return "unknown";
}

static void print_identity(struct emit *emit, const volatile uint32_t *registers)
{
	uint32_t version = read_register(registers, DXGPU_REG_VERSION);
	uint32_t caps = read_register(registers, DXGPU_REG_CAPS);
	char text[32];

	emit_hex(emit, "magic", read_register(registers, DXGPU_REG_MAGIC), 8);
	snprintf(text, sizeof(text), "%u.%u", version >> 16, version & 0xffff);
	emit_text(emit, "version", text);
	emit_group_begin(emit, "capabilities");
	emit_hex(emit, "bits", caps, 8);
	emit_flag(emit, "dedicated-doorbells", caps & DXGPU_CAPS_DEDICATED);
	emit_flag(emit, "large-pages", caps & DXGPU_CAPS_LARGE_PAGES);
	emit_flag(emit, "secondary-doorbells", caps & DXGPU_CAPS_SECONDARY);
	emit_flag(emit, "engine-reset", caps & DXGPU_CAPS_ENGINE_RESET);
	emit_flag(emit, "global-doorbells", caps & DXGPU_CAPS_GLOBAL);
	emit_group_end(emit);
}

static void print_limits(struct emit *emit, const volatile uint32_t *registers)
{
	static const struct {
		uint32_t offset;
		const char *key;
	} limits[] = {
		{ DXGPU_REG_NUM_SLOTS, "slots" },
		{ DXGPU_REG_MAX_QUEUES, "max-queues" },
		{ DXGPU_REG_MAX_CONTEXTS, "max-contexts" },
		{ DXGPU_REG_MAX_SPACES, "max-spaces" },
		{ DXGPU_REG_DOORBELL_STRIDE, "doorbell-stride" },
		{ DXGPU_REG_DOORBELL_SIZE, "doorbell-size" },
		{ DXGPU_REG_SECONDARY_OFFSET, "secondary-offset" },
		{ DXGPU_REG_SECONDARY_STRIDE, "secondary-stride" },
		{ DXGPU_REG_SECONDARY_SIZE, "secondary-size" },
		{ DXGPU_REG_RING_MIN_ENTRIES, "ring-min-entries" },
		{ DXGPU_REG_RING_MAX_ENTRIES, "ring-max-entries" },
		{ DXGPU_REG_MAX_COMMAND_BYTES, "max-command-bytes" },
		{ DXGPU_REG_MAX_TRANSFER_BYTES, "max-transfer-bytes" },
		{ DXGPU_REG_INDIRECT_DEPTH, "indirect-depth" },
		{ DXGPU_REG_MAX_DELAY_NS, "max-delay-ns" },
		{ DXGPU_REG_GPUVA_BITS, "gpuva-bits" },
		{ DXGPU_REG_STATUS_SIZE, "status-size" },
	};
	size_t i;

	for (i = 0; i < sizeof(limits) / sizeof(limits[0]); i++)
		emit_number(emit, limits[i].key, read_register(registers, limits[i].offset));
}

static void print_records(struct emit *emit, const volatile uint32_t *registers)
{
	static const struct {
		uint32_t offset, stride;
		const char *name;
	} records[] = {
		{ DXGPU_REG_STATUS_QUEUE_OFFSET, DXGPU_REG_STATUS_QUEUE_STRIDE,
		  "status-queues" },
		{ DXGPU_REG_STATUS_CONTEXT_OFFSET, DXGPU_REG_STATUS_CONTEXT_STRIDE,
		  "status-contexts" },
		{ DXGPU_REG_STATUS_SPACE_OFFSET, DXGPU_REG_STATUS_SPACE_STRIDE,
		  "status-spaces" },
		{ DXGPU_REG_STATUS_NODE_OFFSET, DXGPU_REG_STATUS_NODE_STRIDE,
		  "status-nodes" },
	};
	size_t i;

	for (i = 0; i < sizeof(records) / sizeof(records[0]); i++) {
		emit_group_begin(emit, records[i].name);
		emit_number(emit, "offset", read_register(registers, records[i].offset));
		emit_number(emit, "stride", read_register(registers, records[i].stride));
		emit_group_end(emit);
	}
	emit_group_begin(emit, "status-faults");
	emit_number(emit, "offset", read_register(registers, DXGPU_REG_STATUS_FAULT_OFFSET));
	emit_group_end(emit);
}

static void print_nodes(struct emit *emit, const volatile uint32_t *registers)
{
	uint32_t nodes = read_register(registers, DXGPU_REG_NUM_NODES);
	char name[16];
	uint32_t i;

	emit_number(emit, "nodes", nodes);
	for (i = 0; i < nodes && i < DXGPU_MAX_NODES; i++) {
		uint32_t type = read_register(registers, DXGPU_REG_NODE_TYPE(i));
		uint32_t flags = read_register(registers, DXGPU_REG_NODE_FLAGS(i));

		snprintf(name, sizeof(name), "node%u", i);
		emit_group_begin(emit, name);
		emit_text(emit, "type", node_type_name(type));
		emit_number(emit, "type-value", type);
		emit_hex(emit, "flags", flags, 8);
		emit_flag(emit, "user-submission", flags & DXGPU_NODE_USER_SUBMISSION);
		emit_group_end(emit);
	}
}

static int print_all(struct emit *emit, const volatile uint32_t *registers, char *error,
		     size_t error_bytes)
{
	uint32_t magic = read_register(registers, DXGPU_REG_MAGIC);
	uint32_t version = read_register(registers, DXGPU_REG_VERSION);
	uint32_t status = read_register(registers, DXGPU_REG_STATUS);

	if (magic != DXGPU_MAGIC) {
		snprintf(error, error_bytes, "the magic register is 0x%08x, not 0x%08x",
			 magic, DXGPU_MAGIC);
		return -1;
	}
	if (version >> 16 != DXGPU_VERSION_MAJOR) {
		snprintf(error, error_bytes, "version %u.%u; known: %u.x", version >> 16,
			 version & 0xffff, DXGPU_VERSION_MAJOR);
		return -1;
	}
	print_identity(emit, registers);
	print_limits(emit, registers);
	print_records(emit, registers);
	print_nodes(emit, registers);
	emit_text(emit, "status", status_name(status));
	emit_number(emit, "resets", read_register(registers, DXGPU_REG_RESET_COUNT));
	return 0;
}

int registers_print(struct emit *emit, const char *folder, const char *driver, char *error,
		    size_t error_bytes)
{
	char path[128];
	void *memory;
	int fd, result;

	snprintf(path, sizeof(path), "%s/resource%d", folder, DXGPU_BAR_REGS);
	fd = open(path, O_RDONLY | O_CLOEXEC | O_SYNC);
	if (fd < 0) {
		snprintf(error, error_bytes, "%s: %s", path, strerror(errno));
		return -1;
	}
	memory = mmap(NULL, DXGPU_REGS_SIZE, PROT_READ, MAP_SHARED, fd, 0);
	if (memory == MAP_FAILED) {
		snprintf(error, error_bytes, "%s: %s%s%s%s", path, strerror(errno),
			 *driver ? "; the kernel keeps the registers for the driver " : "",
			 driver, *driver ? " unless booted with iomem=relaxed" : "");
		close(fd);
		return -1;
	}
	close(fd);
	result = print_all(emit, memory, error, error_bytes);
	munmap(memory, DXGPU_REGS_SIZE);
	return result;
}
