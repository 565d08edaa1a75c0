// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * More queues than doorbell slots, all of them busy: slots change hands as often as
 * the minimum hold time allows and no oftener, and each queue makes progress (MOD-4, MOD-5,
 * MOD-3, KMT-CN-4). With one queue more than slots none can have much more than the mean
 * by itself; with several for each slot it could.
 *
 *   driver-fair [MILLISECONDS]
 *
 * Each thread submits on its queue and waits, without a pause. The bound is exact,
 * however slow the machine is: a slot that was given is kept for the hold time.
 */
#include <pthread.h>
#include <stdlib.h>
#include "tap.h"
#include "debugfs.h"
#include "modules.h"
#include "queue.h"

#define MAX_QUEUES	64u
#define CROWD		8u	/* queues for each slot */
#define TURNS		64u	/* of each queue with a slot, at which chance evens out */
#define LONGEST_NS	(8ull * 1000 * 1000 * 1000)
#define HOLD_US		1000u
#define WAIT_NS		(30ull * 1000 * 1000 * 1000)
#define HOLD_FILE	"/sys/module/dxgpu/parameters/%s"

struct user {
	pthread_t thread;
	struct kmt_session session;
	struct queue queue;
	uint64_t done;
	int32_t status;
};

struct figures {
	uint64_t ns;
	uint64_t binds;
	uint64_t held;
	uint64_t wait_us;
	uint64_t done;
	uint64_t least;
	uint64_t most;
	uint64_t busy;
	uint64_t turns;		/* connects, of all queues; then of the one with the fewest, */
	uint64_t fewest;	/* and with the most */
	uint64_t oftenest;
};

static struct user users[MAX_QUEUES];
static volatile bool stop;

static void *submit(void *argument)
{
	struct user *user = argument;

	while (!stop && user->status == STATUS_SUCCESS) {
		user->status = queue_probe(&user->queue);
		user->done++;
	}
	return NULL;
}

static void hold(const char *text)
{
	int error = sysfs_write(HOLD_FILE, "min_hold_us", text);

	if (error)
		bail("min_hold_us cannot be set to %s: errno %d", text, error);
}

/* As long as said; or, where the host is slow, until there were so many binds, at most 8 s. */
static struct figures run(unsigned int count, unsigned int milliseconds, uint64_t binds)
{
	struct figures f = { .least = UINT64_MAX, .fewest = UINT64_MAX };
	uint64_t turns;
	unsigned int i;

	stop = false;
	f.binds = slots_value("binds");
	f.held = slots_value("held");
	f.wait_us = slots_value("wait_us");
	f.ns = kmt_now_ns();
	for (i = 0; i < count; i++) {
		users[i].done = 0;
		users[i].queue.busy = 0;
		users[i].queue.connects = 0;
		if (pthread_create(&users[i].thread, NULL, submit, &users[i]))
			bail("no thread");
	}
	kmt_sleep_us(milliseconds * 1000);
	while (slots_value("binds") - f.binds < binds && kmt_now_ns() - f.ns < LONGEST_NS)
		kmt_sleep_us(50000);
	stop = true;
	for (i = 0; i < count; i++) {
		pthread_join(users[i].thread, NULL);
		must(users[i].status, "submission");
		f.done += users[i].done;
		f.busy += users[i].queue.busy;
		turns = users[i].queue.connects;
		f.turns += turns;
		f.fewest = turns < f.fewest ? turns : f.fewest;
		f.oftenest = turns > f.oftenest ? turns : f.oftenest;
		f.least = users[i].done < f.least ? users[i].done : f.least;
		f.most = users[i].done > f.most ? users[i].done : f.most;
	}
	f.ns = kmt_now_ns() - f.ns;
	f.binds = slots_value("binds") - f.binds;
	f.held = slots_value("held") - f.held;
	f.wait_us = slots_value("wait_us") - f.wait_us;
	return f;
}

/*
 * MOD-5. The upper bounds say something only if there are more than 4 queues for a slot. How
 * much is done in a turn is up to the host as well, so that it takes many turns to tell.
 */
static void even(const struct figures *f, unsigned int queues)
{
	ok(f->fewest * 4 * queues >= f->turns && f->oftenest * queues <= 4 * f->turns,
	   "the turns of each of %u queues, %llu to %llu, are within a factor of 4 of the mean (MOD-5)",
	   queues, (unsigned long long)f->fewest, (unsigned long long)f->oftenest);
	if (f->turns < (uint64_t)TURNS * queues)
		skip(1, "the host is too slow for as many turns as it takes to compare the work");
	else
		ok(f->least * 4 * queues >= f->done && f->most * queues <= 4 * f->done,
		   "the work of each is, too (MOD-5)");
	ok(!f->busy, "no connect failed (KMT-CN-4)");
}

static void tell(const char *what, const struct figures *f)
{
	diag("%s: %llu ms, %llu submissions (%llu to %llu per queue), %llu binds, %llu per second, %llu connects held, %llu us in connects",
	     what, (unsigned long long)(f->ns / 1000000), (unsigned long long)f->done,
	     (unsigned long long)f->least, (unsigned long long)f->most,
	     (unsigned long long)f->binds,
	     (unsigned long long)(f->binds * 1000000000ull / f->ns),
	     (unsigned long long)f->held, (unsigned long long)f->wait_us);
}

int main(int argc, char **argv)
{
	unsigned int milliseconds = argc > 1 ? (unsigned int)strtoul(argv[1], NULL, 0) :
					       dxg_count(2000, 10000);
	struct figures held, enough, taken, crowded;
	unsigned int slots, queues, crowd, i;
	uint64_t bound;

	must(kmt_session_open(&users[0].session, NULL, 0), "session");
	slots = users[0].session.caps.num_slots;
	queues = slots + 1;
	crowd = slots * CROWD;
	if (crowd > MAX_QUEUES)
		bail("%u slots (1..%u)", slots, MAX_QUEUES / CROWD);
	for (i = 1; i < crowd; i++)
		must(kmt_session_open(&users[i].session, NULL, 0), "session");
	for (i = 0; i < crowd; i++)
		must(queue_create(&users[i].queue, &users[i].session, users[i].session.context,
				  QUEUE_RING_BYTES), "queue");

	ok(slots_value("min_hold_us") == HOLD_US && slots_value("count") == slots,
	   "the policy is told: %u slots, a hold time of %u us", slots, HOLD_US);
	held = run(queues, milliseconds, 0);
	tell("one queue more than slots", &held);
	/* Each slot once at the beginning, and once for each hold time that has passed. */
	bound = slots * (held.ns / (HOLD_US * 1000ull) + 1);
	ok(held.binds <= bound, "%llu binds, at most %llu: no thrashing (MOD-4)",
	   (unsigned long long)held.binds, (unsigned long long)bound);
	ok(held.held > 0 && held.binds > queues, "slots did change hands (MOD-3)");
	even(&held, queues);

	crowded = run(crowd, milliseconds / 2, TURNS * crowd);
	tell("many queues", &crowded);
	even(&crowded, crowd);

	/* For comparison: what it costs to have a slot less, and not to hold. */
	enough = run(queues - 1, milliseconds / 4, 0);
	tell("as many queues as slots", &enough);
	ok(enough.binds <= queues, "with enough slots nobody loses one (%llu binds)",
	   (unsigned long long)enough.binds);
	hold("0");
	taken = run(queues, milliseconds / 4, 0);
	tell("without a hold time", &taken);
	ok(!taken.held && !slots_value("min_hold_us"), "without it no connect is held");
	hold("1000");

	for (i = 0; i < crowd; i++) {
		must(queue_destroy(&users[i].queue), "destroy");
		must(kmt_session_close(&users[i].session), "close");
	}
	return done();
}
