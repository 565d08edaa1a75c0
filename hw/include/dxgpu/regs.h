/* SPDX-License-Identifier: MIT */
/*
 * dxgpu hardware contract: PCI identity, BARs and registers.
 *
 * BAR0 is the register file, for the kernel-mode driver only. Registers are
 * 32 bits wide; a pair named _LO/_HI is one 64-bit value and may also be
 * accessed as one aligned 64-bit word at the _LO offset. Every other size or
 * alignment reads as zero, is ignored on write, and is counted.
 *
 * All limits and sizes are read from registers: a driver hard-codes none. The
 * prose of this file is the datasheet, docs/specs/dxgpu.rst.
 */
#ifndef DXGPU_REGS_H
#define DXGPU_REGS_H

#include "types.h"

/* PCI identity: QEMU's experimental range, a 3D controller. */
#define DXGPU_PCI_VENDOR_ID		0x1af4
#define DXGPU_PCI_DEVICE_ID		0x10f0
#define DXGPU_PCI_CLASS			0x0302
#define DXGPU_PCI_REVISION		0x01

#define DXGPU_BAR_REGS			0	/* 64 KiB, 32-bit */
#define DXGPU_BAR_MSIX			1	/* MSI-X table and PBA, nothing else */
#define DXGPU_BAR_DOORBELL		2	/* 64-bit prefetchable, one slot per stride */
#define DXGPU_BAR_STATUS		4	/* 64-bit prefetchable RAM, read-only to the guest */

#define DXGPU_REGS_SIZE			0x10000

/* MSI-X vectors: one for events, then one per node for fences. */
#define DXGPU_VECTOR_EVENT		0
#define DXGPU_VECTOR_NODE(n)		(1 + (n))

/* Identity and capabilities: read-only, constant after realize. */
#define DXGPU_REG_MAGIC			0x000
#define   DXGPU_MAGIC			0x50475844	/* "DXGP" */
#define DXGPU_REG_VERSION		0x004
#define   DXGPU_VERSION_MAJOR		1
#define   DXGPU_VERSION_MINOR		0
#define   DXGPU_VERSION			((DXGPU_VERSION_MAJOR << 16) | DXGPU_VERSION_MINOR)
#define DXGPU_REG_CAPS			0x008
#define   DXGPU_CAPS_DEDICATED		(1u << 0)	/* a ring's place names the queue */
#define   DXGPU_CAPS_LARGE_PAGES	(1u << 1)	/* 2 MiB leaf entries */
#define   DXGPU_CAPS_SECONDARY		(1u << 2)	/* a second doorbell for each slot */
#define   DXGPU_CAPS_ENGINE_RESET	(1u << 3)	/* ENGINE_RESET and ENGINE_RESUME */
#define   DXGPU_CAPS_GLOBAL		(1u << 4)	/* a ring's value does; not with DEDICATED */
#define DXGPU_REG_NUM_NODES		0x00c
#define DXGPU_REG_NUM_SLOTS		0x010	/* doorbell slots; global model: MAX_SPACES */
#define DXGPU_REG_MAX_QUEUES		0x014	/* queue ids are 0 .. this - 1 */
#define DXGPU_REG_MAX_CONTEXTS		0x018	/* context ids are 0 .. this - 1 */
#define DXGPU_REG_MAX_SPACES		0x01c	/* address-space ids are 0 .. this - 1 */
#define DXGPU_REG_DOORBELL_STRIDE	0x020	/* bytes from one slot to the next */
#define DXGPU_REG_DOORBELL_SIZE		0x024	/* bytes of one doorbell, at the slot's start */
#define DXGPU_REG_RING_MIN_ENTRIES	0x028
#define DXGPU_REG_RING_MAX_ENTRIES	0x02c
#define DXGPU_REG_MAX_COMMAND_BYTES	0x030	/* largest command buffer of one ring entry */
#define DXGPU_REG_MAX_TRANSFER_BYTES	0x034	/* largest copy, fill or CRC of one packet */
#define DXGPU_REG_GPUVA_BITS		0x038

/* Where the records of the status region (BAR4) lie: read-only, constant. */
#define DXGPU_REG_STATUS_SIZE		0x040
#define DXGPU_REG_STATUS_QUEUE_OFFSET	0x044
#define DXGPU_REG_STATUS_QUEUE_STRIDE	0x048
#define DXGPU_REG_STATUS_CONTEXT_OFFSET	0x04c
#define DXGPU_REG_STATUS_CONTEXT_STRIDE	0x050
#define DXGPU_REG_STATUS_SPACE_OFFSET	0x054
#define DXGPU_REG_STATUS_SPACE_STRIDE	0x058
#define DXGPU_REG_STATUS_NODE_OFFSET	0x05c
#define DXGPU_REG_STATUS_NODE_STRIDE	0x060
#define DXGPU_REG_STATUS_FAULT_OFFSET	0x064	/* bitmap of faulted queues, one bit each */

/* Limits of the packets DELAY and INDIRECT; zero on a device without them. */
#define DXGPU_REG_INDIRECT_DEPTH	0x06c	/* INDIRECT packets within one another */
#define DXGPU_REG_MAX_DELAY_NS		0x070

/*
 * Where the secondary doorbells lie in the doorbell BAR: behind all primary
 * ones. Zero without DXGPU_CAPS_SECONDARY.
 */
#define DXGPU_REG_SECONDARY_OFFSET	0x074	/* of slot 0's */
#define DXGPU_REG_SECONDARY_STRIDE	0x078	/* bytes from one slot's to the next slot's */
#define DXGPU_REG_SECONDARY_SIZE	0x07c	/* bytes of one, at the start of its page */

/* Device state. */
#define DXGPU_REG_STATUS		0x080	/* read-only */
#define   DXGPU_STATUS_DISABLED		0	/* after reset: no DMA, no execution */
#define   DXGPU_STATUS_ENABLED		1
#define   DXGPU_STATUS_RESETTING	2
#define DXGPU_REG_CONTROL		0x084	/* write-only */
#define   DXGPU_CONTROL_ENABLE		(1u << 0)	/* DISABLED to ENABLED */
#define   DXGPU_CONTROL_RESET		(1u << 1)	/* asynchronous, ends in DISABLED */
#define DXGPU_REG_RESET_COUNT		0x088	/* completed resets since power-on, read-only */

/*
 * Interrupts. A cause bit is set by the device and cleared by writing 1. The
 * event vector fires when a cause that is enabled becomes set. Node vectors
 * carry fence interrupts and have no cause bit.
 */
#define DXGPU_REG_INT_CAUSE		0x090	/* read, write 1 to clear */
#define DXGPU_REG_INT_ENABLE		0x094	/* reset value 0 */
#define   DXGPU_INT_ACK			(1u << 0)	/* an asynchronous command was acknowledged */
#define   DXGPU_INT_FAULT		(1u << 1)	/* a queue faulted: see the bitmap */
#define   DXGPU_INT_RESET_DONE		(1u << 2)

/*
 * Commands. The driver writes the arguments, then the opcode; the result is
 * in CMD_RESULT when the write of the opcode has completed. Commands marked
 * "async" are only accepted then: they take effect later, and the device
 * acknowledges by writing the fence argument into the object's status record
 * and raising DXGPU_INT_ACK. One driver thread at a time uses this window.
 */
#define DXGPU_REG_CMD_ARG(n)		(0x100 + 8 * (n))	/* n in 0..7, 64 bits each */
#define   DXGPU_CMD_NUM_ARGS		8
#define DXGPU_REG_CMD			0x140	/* write-only: enum dxgpu_cmd */
#define DXGPU_REG_CMD_RESULT		0x144	/* read-only: enum dxgpu_cmd_result */

enum dxgpu_cmd {
	/* arg0 space id, arg1 root page-table address (bus address, 4 KiB aligned) */
	DXGPU_CMD_SPACE_CREATE		= 0x01,
	/* arg0 space id; BUSY while a context uses it */
	DXGPU_CMD_SPACE_DESTROY		= 0x02,
	/*
	 * async. arg0 space id, arg1 first GPU virtual address, arg2 bytes (0 = all),
	 * arg3 fence. Acknowledged when no translation made before can be used any more.
	 */
	DXGPU_CMD_SPACE_INVALIDATE	= 0x03,

	/* arg0 context id, arg1 space id, arg2 node */
	DXGPU_CMD_CONTEXT_CREATE	= 0x10,
	/* arg0 context id; BUSY while it has queues */
	DXGPU_CMD_CONTEXT_DESTROY	= 0x11,
	/* async. arg0 context id, arg1 fence. Acknowledged when none of its queues executes. */
	DXGPU_CMD_CONTEXT_SUSPEND	= 0x12,
	/* arg0 context id. Every queue of it is sampled. */
	DXGPU_CMD_CONTEXT_RESUME	= 0x13,

	/*
	 * arg0 queue id, arg1 context id, arg2 ring GPU virtual address (64-byte aligned),
	 * arg3 ring entries (power of two), arg4 ring-control GPU virtual address
	 * (DXGPU_RING_CONTROL_ALIGN aligned), arg5 initial WP = RP
	 */
	DXGPU_CMD_QUEUE_CREATE		= 0x20,
	/*
	 * async. arg0 queue id, arg1 fence. Unbinds its doorbell; acknowledged when the
	 * device has stopped fetching; the id is free after that.
	 */
	DXGPU_CMD_QUEUE_REMOVE		= 0x21,
	/* arg0 queue id. Samples WP, like a ring. */
	DXGPU_CMD_QUEUE_KICK		= 0x22,

	/*
	 * arg0 slot, arg1 queue id. BUSY if either is bound, ARGUMENT if the queue's node
	 * takes no user submission. Samples WP. A slot's secondary doorbell is bound and
	 * unbound with it. Global model: the slot takes any number of queues, all of them
	 * of the address space that has its number, else ARGUMENT.
	 */
	DXGPU_CMD_DOORBELL_BIND		= 0x30,
	/*
	 * arg0 slot; global model: arg1 queue id. The queue that was bound is sampled one
	 * last time.
	 */
	DXGPU_CMD_DOORBELL_UNBIND	= 0x31,

	/*
	 * async. arg0 node, arg1 fence. The queue that holds the node, if any, faults with
	 * RESET; the others of the node keep their work. Acknowledged when the node stands.
	 */
	DXGPU_CMD_ENGINE_RESET		= 0x40,
	/* arg0 node; BUSY while its reset is not acknowledged. Every queue of it is sampled. */
	DXGPU_CMD_ENGINE_RESUME		= 0x41,
};

enum dxgpu_cmd_result {
	DXGPU_CMD_OK			= 0,	/* done, or accepted if async */
	DXGPU_CMD_ERR_OPCODE		= 1,	/* no such command */
	DXGPU_CMD_ERR_STATE		= 2,	/* the device is not ENABLED */
	DXGPU_CMD_ERR_ID		= 3,	/* an id is out of range */
	DXGPU_CMD_ERR_NOT_FOUND		= 4,	/* no such object */
	DXGPU_CMD_ERR_EXISTS		= 5,	/* the id is in use */
	DXGPU_CMD_ERR_BUSY		= 6,	/* in use by another object, or bound already */
	DXGPU_CMD_ERR_ARGUMENT		= 7,	/* alignment, size or address out of range */
	DXGPU_CMD_ERR_HARDWARE		= 8,	/* the hardware is not able to, now */
};

/* Nodes: read-only, one group of registers per node. */
#define DXGPU_REG_NODE_TYPE(n)		(0x200 + 0x10 * (n))	/* DXGK_ENGINE_TYPE value */
#define   DXGPU_NODE_TYPE_3D		1
#define   DXGPU_NODE_TYPE_COMPUTE	0	/* DXGK_ENGINE_TYPE_OTHER, named "Compute" */
#define   DXGPU_NODE_TYPE_COPY		6
#define DXGPU_REG_NODE_FLAGS(n)		(0x204 + 0x10 * (n))
#define   DXGPU_NODE_USER_SUBMISSION	(1u << 0)
#define DXGPU_MAX_NODES			16

/*
 * Doorbell slot: a write of 4 or 8 aligned bytes at the slot's first byte is a
 * ring. It is a hint: the device reads WP from ring control. Dedicated model:
 * the value is counted when it differs from WP and is otherwise ignored. Global
 * model: the low 32 bits name queue and node, and reach that queue if it is
 * bound to this slot. Reads give zero. A slot's secondary doorbell is the same
 * thing at another place.
 */
#define DXGPU_DOORBELL_BYTES		8

/* Global model: what a ring of a queue writes, and the queue id in it. */
#define DXGPU_DOORBELL_VALUE(queue, node)	((uint32_t)(node) << 24 | (queue))
#define DXGPU_DOORBELL_QUEUE(value)		((value) & 0xffffffu)

#endif /* DXGPU_REGS_H */
