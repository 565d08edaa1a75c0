// SPDX-License-Identifier: GPL-2.0
/*
 * dxgpu.ko: the MSI-X vectors.
 *
 * DOC: interrupts
 *
 * A node vector means that a fence was written with an interrupt asked for; it
 * has no cause register and becomes MonitoredFenceSignaled. The event vector
 * has causes, cleared before they are looked into, so that one that is set again
 * meanwhile interrupts again. Both handlers run in hard-interrupt context and
 * take object_lock at most. While the device is not RUNNING nothing is read: enable
 * and D0 clear the causes and look for themselves.
 */
#include <linux/interrupt.h>
#include "command.h"
#include "process.h"

static irqreturn_t dxgpu_node_interrupt(int irq, void *data)
{
	struct dxgpu_node *node = data;
	struct dxgpu_adapter *adapter = node->adapter;
	DXGKARGCB_NOTIFY_INTERRUPT_DATA notify = {
		.InterruptType = DXGK_INTERRUPT_MONITORED_FENCE_SIGNALED,
		.MonitoredFenceSignaled.NodeOrdinal = node->ordinal,
	};

	adapter->os.DxgkCbNotifyInterrupt(adapter->os.DeviceHandle, &notify);
	return IRQ_HANDLED;
}

static irqreturn_t dxgpu_event_interrupt(int irq, void *data)
{
	struct dxgpu_adapter *adapter = data;
	u32 cause;

	if (READ_ONCE(adapter->state) != DXGPU_HARDWARE_RUNNING)
		return IRQ_HANDLED;
	cause = readl(adapter->regs + DXGPU_REG_INT_CAUSE);
	/*
	 * Zero: an earlier message's handler saw this one's cause, too. All ones:
	 * the device is gone; who waits finds out by its own reads.
	 */
	if (!cause || cause == DXGPU_ALL_ONES)
		return IRQ_HANDLED;
	writel(cause, adapter->regs + DXGPU_REG_INT_CAUSE);
	/* The clear must not pass what is read from the status region below. */
	readl(adapter->regs + DXGPU_REG_INT_CAUSE);

	/* Faults first: whose work a reset has ended is told before it is acknowledged. */
	if (cause & DXGPU_INT_FAULT)
		dxgpu_hwqueues_faulted(adapter);
	if (cause & DXGPU_INT_ACK) {
		wake_up_all(&adapter->ack_wait);
		dxgpu_contexts_acknowledge(adapter);
	}
	if (cause & DXGPU_INT_RESET_DONE)
		schedule_work(&adapter->reset_seen_work);
	return IRQ_HANDLED;
}

static void *dxgpu_vector_data(struct dxgpu_adapter *adapter, unsigned int vector)
{
	return vector == DXGPU_VECTOR_EVENT ? (void *)adapter :
	       (void *)&adapter->nodes[vector - DXGPU_VECTOR_NODE(0)];
}

/**
 * dxgpu_interrupt_free() - no handler runs after this
 * @adapter: the adapter
 */
void dxgpu_interrupt_free(struct dxgpu_adapter *adapter)
{
	while (adapter->irqs) {
		unsigned int vector = --adapter->irqs;

		free_irq(pci_irq_vector(adapter->pdev, vector),
			 dxgpu_vector_data(adapter, vector));
	}
	pci_free_irq_vectors(adapter->pdev);
}

/**
 * dxgpu_interrupt_request() - allocate and connect 1 + nodes vectors
 * @adapter: the adapter, with its capabilities known
 *
 * Return: 0 or -errno; then nothing is held.
 */
int dxgpu_interrupt_request(struct dxgpu_adapter *adapter)
{
	unsigned int vectors = DXGPU_VECTOR_NODE(adapter->caps.num_nodes);
	unsigned int i;
	int ret;

	for (i = 0; i < adapter->caps.num_nodes; i++) {
		adapter->nodes[i].adapter = adapter;
		adapter->nodes[i].ordinal = i;
		snprintf(adapter->nodes[i].irq_name, sizeof(adapter->nodes[i].irq_name),
			 "%s-node%u", pci_name(adapter->pdev), i);
	}

	ret = pci_alloc_irq_vectors(adapter->pdev, vectors, vectors, PCI_IRQ_MSIX);
	if (ret < 0)
		return ret;
	for (; adapter->irqs < vectors; adapter->irqs++) {
		unsigned int vector = adapter->irqs;

		if (vector == DXGPU_VECTOR_EVENT)
			ret = request_irq(pci_irq_vector(adapter->pdev, vector),
					  dxgpu_event_interrupt, 0, pci_name(adapter->pdev),
					  adapter);
		else
			ret = request_irq(pci_irq_vector(adapter->pdev, vector),
					  dxgpu_node_interrupt, 0,
					  adapter->nodes[vector - DXGPU_VECTOR_NODE(0)].irq_name,
					  dxgpu_vector_data(adapter, vector));
		if (ret) {
			dxgpu_interrupt_free(adapter);
			return ret;
		}
	}
	return 0;
}
