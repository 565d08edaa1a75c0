// SPDX-License-Identifier: GPL-2.0-or-later
/* See vmflags.h. */
#include "vmflags.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

void vm_flags(const volatile void *address, char *flags, size_t bytes)
{
	FILE *file = fopen("/proc/self/smaps", "re");
	unsigned long start, end;
	bool inside = false;
	char line[512];

	flags[0] = '\0';
	while (file && fgets(line, sizeof(line), file)) {
		if (sscanf(line, "%lx-%lx ", &start, &end) == 2)
			inside = (uintptr_t)address >= start && (uintptr_t)address < end;
		else if (inside && !strncmp(line, "VmFlags:", 8))
			snprintf(flags, bytes, "%.*s ", (int)strcspn(line + 8, "\n"), line + 8);
	}
	if (file)
		fclose(file);
}

unsigned int vm_flags_found(const char *flags, const char *words, unsigned int *total)
{
	unsigned int found = 0;
	char list[64], *word, *rest;

	*total = 0;
	snprintf(list, sizeof(list), "%s", words);
	for (word = strtok_r(list, " ", &rest); word; word = strtok_r(NULL, " ", &rest)) {
		char padded[8];

		snprintf(padded, sizeof(padded), " %.4s ", word);
		found += strstr(flags, padded) != NULL;
		++*total;
	}
	return found;
}
