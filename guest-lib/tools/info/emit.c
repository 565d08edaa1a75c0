// SPDX-License-Identifier: MIT
/* See emit.h. */
#include "emit.h"

#include <inttypes.h>
#include <stdio.h>

static void key_begin(struct emit *emit, const char *key)
{
	if (emit->json)
		printf("%s%s\"%s\": ", emit->first_key ? "" : ",",
		       emit->in_group ? (emit->first_key ? "" : " ") : "\n  ", key);
	else
		printf(emit->in_group ? " %s=" : "%s: ", key);
	emit->first_key = false;
}

static void key_end(const struct emit *emit)
{
	if (!emit->json && !emit->in_group)
		printf("\n");
}

void emit_begin(struct emit *emit, bool json)
{
	*emit = (struct emit) { .json = json, .first_device = true };
	if (json)
		printf("[");
}

void emit_end(struct emit *emit)
{
	if (emit->json)
		printf("]\n");
}

void emit_device_begin(struct emit *emit)
{
	if (emit->json)
		printf("%s{", emit->first_device ? "" : ",\n ");
	else if (!emit->first_device)
		printf("\n");
	emit->first_device = false;
	emit->first_key = true;
}

void emit_device_end(struct emit *emit)
{
	if (emit->json)
		printf("\n }");
}

void emit_group_begin(struct emit *emit, const char *name)
{
	if (emit->json)
		printf("%s\n  \"%s\": {", emit->first_key ? "" : ",", name);
	else
		printf("%s:", name);
	emit->in_group = true;
	emit->first_key = true;
}

void emit_group_end(struct emit *emit)
{
	printf(emit->json ? "}" : "\n");
	emit->in_group = false;
	emit->first_key = false;
}

void emit_text(struct emit *emit, const char *key, const char *value)
{
	key_begin(emit, key);
	printf(emit->json ? "\"%s\"" : "%s", value);
	key_end(emit);
}

void emit_number(struct emit *emit, const char *key, uint64_t value)
{
	key_begin(emit, key);
	printf("%" PRIu64, value);
	key_end(emit);
}

void emit_hex(struct emit *emit, const char *key, uint64_t value, int digits)
{
	key_begin(emit, key);
	if (emit->json)
		printf("%" PRIu64, value);
	else
		printf("0x%0*" PRIx64, digits, value);
	key_end(emit);
}

void emit_flag(struct emit *emit, const char *key, bool value)
{
	key_begin(emit, key);
	if (emit->json)
		printf(value ? "true" : "false");
	else
		printf(value ? "yes" : "no");
	key_end(emit);
}
