/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Loads and stores that may raise a signal, made into answers. For one thread at a
 * time: the way back from the signal handler is a global.
 */
#ifndef DXG_TESTS_FAULT_H
#define DXG_TESTS_FAULT_H

#include <setjmp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

static sigjmp_buf fault_return;

static inline void fault_handler(int signal)
{
	siglongjmp(fault_return, signal);
}

static inline void fault_arm(bool armed)
{
	struct sigaction action;

	memset(&action, 0, sizeof(action));
	action.sa_handler = armed ? fault_handler : SIG_DFL;
	sigaction(SIGSEGV, &action, NULL);
	sigaction(SIGBUS, &action, NULL);
}

/* The signal that a store to the address raises, 0 for none. */
static inline int fault_of_store(const volatile uint64_t *address, uint64_t value)
{
	int signal;

	fault_arm(true);
	signal = sigsetjmp(fault_return, 1);
	if (!signal)
		*(volatile uint64_t *)(uintptr_t)address = value;
	fault_arm(false);
	return signal;
}

/* The signal that a load from the address raises, 0 for none. */
static inline int fault_of_load(const volatile uint64_t *address)
{
	int signal;

	fault_arm(true);
	signal = sigsetjmp(fault_return, 1);
	if (!signal)
		(void)*address;
	fault_arm(false);
	return signal;
}

#endif /* DXG_TESTS_FAULT_H */
