/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Random numbers of a seed, the same on every run (splitmix64); one source per thread.
 */
#ifndef DXG_TESTS_NOISE_H
#define DXG_TESTS_NOISE_H

#include <stdint.h>

struct noise {
	uint64_t state;
};

static inline uint64_t noise(struct noise *source)
{
	uint64_t z = source->state += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

/* 0 .. limit - 1; limit is above 0. */
static inline uint64_t noise_below(struct noise *source, uint64_t limit)
{
	return noise(source) % limit;
}

/* A value as programs have them: near 0, near a power of two, or anything. */
static inline uint64_t noise_value(struct noise *source)
{
	uint64_t value = noise(source);

	switch (value & 7) {
	case 0:
		return value >> 60;
	case 1:
		return (1ull << (value >> 58)) - (value >> 8 & 1);
	case 2:
		return value >> 48;
	case 3:
		return value >> 32;
	case 4:
		return ~(value >> 56);
	default:
		return value;
	}
}

#endif /* DXG_TESTS_NOISE_H */
