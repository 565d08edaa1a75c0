// SPDX-License-Identifier: MIT
/* See board.h. */
#include "board.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

int board_create(const struct job_plan *plan, struct job_board *board)
{
	size_t results = plan->processes * sizeof(*board->results);
	size_t latencies = plan->items * sizeof(*board->latency_ns);
	void *memory = mmap(NULL, results + latencies, PROT_READ | PROT_WRITE,
			    MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (memory == MAP_FAILED)
		return -1;
	board->results = memory;
	board->latency_ns = (uint64_t *)((char *)memory + results);
	return 0;
}

void board_error(struct job_result *result, const char *format, ...)
{
	va_list arguments;

	if (result->error[0])
		return;
	va_start(arguments, format);
	vsnprintf(result->error, sizeof(result->error), format, arguments);
	va_end(arguments);
}

bool channel_tell(int channel, enum job_letter letter)
{
	char byte = (char)letter;
	ssize_t sent;

	do {
		sent = send(channel, &byte, 1, MSG_NOSIGNAL);
	} while (sent < 0 && errno == EINTR);
	return sent == 1;
}

bool channel_expect(int channel, enum job_letter letter)
{
	ssize_t got;
	char byte;

	do {
		got = read(channel, &byte, 1);
	} while (got < 0 && errno == EINTR);
	return got == 1 && byte == (char)letter;
}

uint64_t job_now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}
