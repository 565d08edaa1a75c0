/* SPDX-License-Identifier: MIT */
/*
 * dxgpu hardware contract: the fixed-width types of these headers.
 *
 * The headers of this folder are shared verbatim by the device model, the
 * kernel-mode driver, the user library and the tests. They use nothing but
 * fixed-width integers and the preprocessor. All structures lie in memory in
 * little-endian order; natural alignment makes every layout explicit.
 */
#ifndef DXGPU_TYPES_H
#define DXGPU_TYPES_H

#ifdef __KERNEL__
#include <linux/types.h>
#include <linux/stddef.h>
#else
#include <stddef.h>
#include <stdint.h>
#endif

/* Layout checks stand beside the structure that they guard. */
#define DXGPU_ASSERT_SIZE(type, bytes) \
	_Static_assert(sizeof(type) == (bytes), #type " is not " #bytes " bytes")
#define DXGPU_ASSERT_OFFSET(type, field, bytes) \
	_Static_assert(offsetof(type, field) == (bytes), \
		       #type "." #field " is not at " #bytes)

#endif /* DXGPU_TYPES_H */
