/* SPDX-License-Identifier: MIT */
/*
 * dxg-info: one description, two forms.
 *
 *	text	"key: value" per line; a group is one line "group: key=value key=value"
 *	JSON	an array of objects, one per device; a group is an object in it
 *
 * Keys and their order are the same in both and do not change between versions; new
 * ones come at the end. Addresses and ids are hexadecimal in text; in JSON, all
 * numbers are decimal.
 */
#ifndef DXG_INFO_EMIT_H
#define DXG_INFO_EMIT_H

#include <stdbool.h>
#include <stdint.h>

struct emit {
	bool json;
	bool in_group;
	bool first_device;
	bool first_key;			/* of the device or group */
};

void emit_begin(struct emit *emit, bool json);
void emit_end(struct emit *emit);

void emit_device_begin(struct emit *emit);
void emit_device_end(struct emit *emit);

void emit_group_begin(struct emit *emit, const char *name);
void emit_group_end(struct emit *emit);

/* The value has no quotes, backslashes or control characters. */
void emit_text(struct emit *emit, const char *key, const char *value);
void emit_number(struct emit *emit, const char *key, uint64_t value);
void emit_hex(struct emit *emit, const char *key, uint64_t value, int digits);
void emit_flag(struct emit *emit, const char *key, bool value);

#endif /* DXG_INFO_EMIT_H */
