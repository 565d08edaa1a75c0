/* SPDX-License-Identifier: GPL-2.0 */
/* dxgpu.ko: the command window of BAR0; contract and errors in command.c. */
#ifndef _DXGPU_COMMAND_H
#define _DXGPU_COMMAND_H

#include "adapter.h"

NTSTATUS dxgpu_command_args(struct dxgpu_adapter *adapter, u32 generation,
			    enum dxgpu_cmd opcode, const u64 *args, unsigned int count,
			    u64 *fence);
bool dxgpu_command_await(struct dxgpu_adapter *adapter, u32 generation,
			 void __iomem *record, u64 fence, unsigned int timeout_ms);
unsigned int dxgpu_command_timeout_ms(void);
bool dxgpu_command_wait(struct dxgpu_adapter *adapter, u32 generation,
			void __iomem *record, u64 fence, const char *what, u32 id);

/* All ones are no fence, but what is read of a device that is not there. */
static inline bool dxgpu_fence_reached(u64 value, u64 fence)
{
	return value >= fence && value != U64_MAX;
}

/* A command with the arguments that follow the opcode. */
#define dxgpu_command(adapter, generation, opcode, ...)			\
	dxgpu_command_args(adapter, generation, opcode,			\
			   (const u64 []){ __VA_ARGS__ },		\
			   sizeof((const u64 []){ __VA_ARGS__ }) / sizeof(u64), NULL)

/* The same for an async one: its last argument, the fence, is chosen and given back. */
#define dxgpu_command_async(adapter, generation, fence, opcode, ...)	\
	dxgpu_command_args(adapter, generation, opcode,			\
			   (const u64 []){ __VA_ARGS__ },		\
			   sizeof((const u64 []){ __VA_ARGS__ }) / sizeof(u64), fence)

#endif /* _DXGPU_COMMAND_H */
