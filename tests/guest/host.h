/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The side channel: a test asks the harness for what only a host can do, as setting a
 * property of the device or unplugging it. scripts/dxglib/hostport.py has the verbs.
 *
 * For any number of processes and threads, at any time: one at a time has the port, the
 * others wait for it. A request that nobody answers gives up after DXG_HOST_PATIENCE_MS.
 */
#ifndef DXG_TESTS_HOST_H
#define DXG_TESTS_HOST_H

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DXG_HOST_PORT		"/dev/dxg-host"
#define DXG_HOST_PATIENCE_MS	120000
#define DXG_HOST_LINE_BYTES	8192

/* The port's descriptor, or -errno. */
static inline int dxg_host_open(void)
{
	int fd, waited;

	for (waited = 0;; waited += 5) {
		fd = open(DXG_HOST_PORT, O_RDWR | O_CLOEXEC);
		if (fd >= 0 || errno != EBUSY || waited >= DXG_HOST_PATIENCE_MS)
			return fd >= 0 ? fd : -errno;
		poll(NULL, 0, 5);
	}
}

/* One line without its end, NUL-terminated. 0 or -errno. */
static inline int dxg_host_read_line(int fd, char line[DXG_HOST_LINE_BYTES])
{
	struct pollfd wait = { .fd = fd, .events = POLLIN };
	size_t length = 0;
	ssize_t got;

	while (length < DXG_HOST_LINE_BYTES) {
		if (poll(&wait, 1, DXG_HOST_PATIENCE_MS) == 0)
			return -ETIMEDOUT;
		got = read(fd, line + length, 1);
		if (got < 0 && errno != EINTR)
			return -errno;
		if (!got)
			return -EPIPE;
		if (got > 0 && line[length] == '\n') {
			line[length] = '\0';
			return 0;
		}
		length += got > 0;
	}
	return -EMSGSIZE;
}

/*
 * Sends a line "VERB [ARGUMENTS]" and waits for the answer. 0 if it was done; answer, of
 * bytes, is the value, "" if it has none. -EREMOTEIO if the harness refused, with its
 * reason in answer; -ETIMEDOUT, -ENOENT (no such port) and the like with "" in it.
 */
static inline int dxg_host_request(const char *line, char *answer, size_t bytes)
{
	static unsigned int number;
	char text[DXG_HOST_LINE_BYTES], tag[32], *rest;
	int fd = dxg_host_open(), length, error;

	answer[0] = '\0';
	if (fd < 0)
		return fd;
	snprintf(tag, sizeof(tag), "%d.%u ", getpid(),
		 __atomic_add_fetch(&number, 1, __ATOMIC_RELAXED));
	length = snprintf(text, sizeof(text), "%s%s\n", tag, line);
	error = write(fd, text, (size_t)length) == length ? 0 : -EIO;
	do {
		/* Other answers are to those who have died meanwhile. */
		if (!error)
			error = dxg_host_read_line(fd, text);
	} while (!error && strncmp(text, tag, strlen(tag)) && strncmp(text, "- ", 2));
	close(fd);
	if (error)
		return error;
	rest = strchr(text, ' ') + 1;
	if (!strncmp(rest, "ok", 2) && (rest[2] == ' ' || !rest[2])) {
		snprintf(answer, bytes, "%s", rest[2] ? rest + 3 : "");
		return 0;
	}
	snprintf(answer, bytes, "%s", strncmp(rest, "error ", 6) ? rest : rest + 6);
	return -EREMOTEIO;
}

/* A property of the device, or "PROPERTY.MEMBER" of a structure, as text. As above. */
static inline int dxg_host_get(const char *property, char *value, size_t bytes)
{
	char line[256];

	snprintf(line, sizeof(line), "get %s", property);
	return dxg_host_request(line, value, bytes);
}

/* One of the device's counters, a member of the property "stats". 0 or -errno. */
static inline int dxg_host_stat(const char *name, unsigned long long *value)
{
	char property[64], text[64];
	int error;

	snprintf(property, sizeof(property), "stats.%s", name);
	error = dxg_host_get(property, text, sizeof(text));
	*value = error ? 0 : strtoull(text, NULL, 0);
	return error;
}

/*
 * Sets a property whose name begins with inject-: numbers as C writes them, bools as
 * "on" and "off". 0 or -errno; a refusal's reason goes to stdout as a TAP remark.
 */
static inline int dxg_host_set(const char *property, const char *value)
{
	char line[512], answer[512];
	int error;

	snprintf(line, sizeof(line), "set %s %s", property, value);
	error = dxg_host_request(line, answer, sizeof(answer));
	if (error)
		printf("# %s: %s\n", line, *answer ? answer : strerror(-error));
	return error;
}

#endif /* DXG_TESTS_HOST_H */
