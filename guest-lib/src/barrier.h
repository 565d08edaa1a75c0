/* SPDX-License-Identifier: MIT */
/*
 * The barriers of a submission and the shared words that they order (ORD-5,
 * ORD-18 to ORD-21). A compiler barrier or "volatile" alone is a bug here.
 */
#ifndef DXG_SRC_BARRIER_H
#define DXG_SRC_BARRIER_H

#include <dxg/winadapter.h>

#if defined(__x86_64__)
#define DXG_STORE_BARRIER	"sfence"
#define DXG_FULL_BARRIER	"mfence"
#define DXG_RELAX		"pause"
#elif defined(__aarch64__)
#define DXG_STORE_BARRIER	"dmb oshst"
#define DXG_FULL_BARRIER	"dmb osh"
#define DXG_RELAX		"yield"
#else
#error "say what the barriers of ORD-21 are on this processor"
#endif

/* Between the write pointer and the doorbell: also write-combining memory (ORD-19). */
static inline void dxg_store_barrier(void)
{
	__asm__ __volatile__(DXG_STORE_BARRIER ::: "memory");
}

/* Between the doorbell and the status load (ORD-18). */
static inline void dxg_full_barrier(void)
{
	__asm__ __volatile__(DXG_FULL_BARRIER ::: "memory");
}

/* In a loop that polls. */
static inline void dxg_relax(void)
{
	__asm__ __volatile__(DXG_RELAX ::: "memory");
}

/* One 64-bit access each; the kernel or the device is at the other end. */
static inline UINT64 dxg_load_acquire(const UINT64 *word)
{
	return __atomic_load_n(word, __ATOMIC_ACQUIRE);
}

static inline void dxg_store_release(UINT64 *word, UINT64 value)
{
	__atomic_store_n(word, value, __ATOMIC_RELEASE);
}

#endif /* DXG_SRC_BARRIER_H */
