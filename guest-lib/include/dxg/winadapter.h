/* SPDX-License-Identifier: MIT */
/*
 * The Windows scalar types that the D3DKMT structures are made of, with the
 * sizes that they have on Windows x64. Never "unsigned long": that is 8 bytes
 * here. Included by the other <dxg/...> headers; nobody needs to name it. The
 * headers are for C11 and C++20.
 */
#ifndef DXG_WINADAPTER_H
#define DXG_WINADAPTER_H

#include <stddef.h>
#include <stdint.h>

typedef uint8_t BYTE;
typedef uint8_t UCHAR;
typedef uint8_t BOOLEAN;
typedef int32_t BOOL;
typedef int32_t INT;
typedef int32_t LONG;
typedef uint32_t UINT;
typedef uint32_t UINT32;
typedef uint32_t ULONG;
typedef uint32_t DWORD;
typedef uint64_t UINT64;
typedef uint64_t ULONGLONG;
typedef uint16_t WCHAR;		/* UTF-16, not wchar_t */
typedef void *HANDLE;

typedef int32_t NTSTATUS;

typedef struct _LUID {
	UINT LowPart;
	INT HighPart;
} LUID;

#ifdef __cplusplus
#define _Static_assert static_assert
#endif

/* A layout check stands beside the structure that it guards. */
#define DXG_ASSERT_SIZE(type, bytes) \
	_Static_assert(sizeof(type) == (bytes), #type " is not " #bytes " bytes")
#define DXG_ASSERT_OFFSET(type, field, bytes) \
	_Static_assert(offsetof(type, field) == (bytes), \
		       #type "." #field " is not at " #bytes)

#endif /* DXG_WINADAPTER_H */
