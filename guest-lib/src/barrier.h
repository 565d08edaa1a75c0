/* SPDX-License-Identifier: MIT */
/*
 * The barriers of a submission and the shared words that they order (ORD-5,
 * ORD-18 to ORD-21). A compiler barrier or "volatile" alone is a bug here.
 */
#ifndef DXG_SRC_BARRIER_H
#define DXG_SRC_BARRIER_H

#include <dxg/winadapter.h>

#if defined(__x86_64__)
/* Between the write pointer and the doorbell: also write-combining memory (ORD-19). */
#define dxg_store_barrier()	__asm__ __volatile__("sfence" ::: "memory")
/* Between the doorbell and the status load (ORD-18). */
#define dxg_full_barrier()	__asm__ __volatile__("mfence" ::: "memory")
#define dxg_relax()		__asm__ __volatile__("pause" ::: "memory")
#elif defined(__aarch64__)
#define dxg_store_barrier()	__asm__ __volatile__("dmb oshst" ::: "memory")
#define dxg_full_barrier()	__asm__ __volatile__("dmb osh" ::: "memory")
#define dxg_relax()		__asm__ __volatile__("yield" ::: "memory")
#else
#error "say what the barriers of ORD-21 are on this processor"
#endif

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
