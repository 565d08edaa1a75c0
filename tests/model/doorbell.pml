/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The lost-wakeup argument of wddm-semantics, section 2.4: one doorbell slot, two
 * queues, two submitting threads, and everything that takes the slot away meanwhile.
 *
 * README says what is modelled, what is not, and how to read a trail. Each part
 * names the rule it stands for and the function that it models. What the options
 * mean, and which of them break a rule (BAD_*), is said at their use; run-model
 * has the list of runs.
 *
 * What shall hold, over all interleavings:
 *
 *  - when nothing can move any more, every thread has come to its end, and the
 *    device has executed each entry exactly once, or the status word says ABORT;
 *  - I1 (ORD-1, ORD-4): STAT does not say CONNECTED while a processor can translate
 *    the doorbell's address to the dummy page;
 *  - I2 (ORD-2): the slot is not bound to a queue while a ring for another one can
 *    still reach it.
 *
 * The processor: each has a store buffer, first in first out (x86-TSO), and
 * a TLB entry that lives until it is shot down. A store translates when it enters the
 * buffer. A shootdown promises only what ORD-20 asks for: the entry is gone, and the
 * stores that used it have left the buffer. An interrupt would drain the whole
 * buffer (IPI_SHOOTDOWN); broadcast invalidation does not.
 */

/* SHARED: both threads submit to queue 0, and queue 1 is a rival that only connects,
 * RIVAL times. Otherwise each thread has a queue of its own. */
#ifdef SHARED
#define QUEUE(cpu)	0
#define ENTRIES(q)	((q) == 0 -> 2 * SUBMISSIONS : 0)
#else
#define QUEUE(cpu)	(cpu)
#define ENTRIES(q)	SUBMISSIONS
#endif
#ifndef SUBMISSIONS
#define SUBMISSIONS	2
#endif
#ifndef RIVAL
#define RIVAL		0
#endif
#ifndef ROUNDS
#define ROUNDS		1	/* MAX_ROUNDS of submit.c (UMD-5) */
#endif

#define NOBODY		3
#define KERNEL_CPU	2	/* where threads run that ring no doorbell */

/* STAT, where a doorbell's address leads, and the states of the one slot. */
mtype = { RETRY, CONNECTED, ABORT };
mtype = { NOTHING, DUMMY, SLOT };
mtype = { FREE, BOUND, VICTIM, UNBINDING };
/* What lies in a store buffer. */
mtype = { ENTRY, WP, BELL, STAT, UNLOCK };

/* Memory. */
byte wp[2];			/* ring control: WP */
byte entries[2];		/* entries written to the ring */
mtype stat[2] = RETRY;		/* OBJ-8 */
mtype pte[2] = NOTHING;		/* MAP-2 */
bool umd_lock[2];		/* dxg_submit_queue.lock */

/* Processors: 0 and 1 run the submitters. */
chan sb[3] = [4] of { mtype, byte, byte };
mtype tlb[2] = NOTHING;		/* each maps one doorbell at most */

/* A status load that was satisfied before its turn; see FULL_BARRIER(). */
#ifdef BAD_NO_FULL_BARRIER
mtype early[2];
#endif

/* The OS layer and the miniport. */
byte lock[2] = NOBODY;		/* dxg_doorbell.lock */
mtype state[2] = RETRY;		/* dxg_doorbell.state; the inner ones are under the lock */
mtype slot_state = FREE;	/* dxgpu_slot */
byte slot_queue = NOBODY;	/* dxgpu_slot.doorbell */
byte claim = NOBODY;		/* dxgpu_slot.claim: whose VICTIM it is still */

/* The device. */
byte bound = NOBODY;		/* core->slots[0] */
byte posted[2];			/* rings for the slot between processor and device */
bool pending[2];
byte rp[2];
bool awake;

byte written[2];		/* WP as the library counts it */
byte finished;			/* threads at their end */

/*
 * The name of what was violated, for pan's message. True, they switch a property off,
 * to see whether what breaks it also loses work.
 */
#ifdef NO_I1
hidden byte i1 = 1;
#else
hidden byte i1;
#endif
#ifdef NO_I2
hidden byte i2 = 1;
#else
hidden byte i2;
#endif
hidden byte lost, stuck, twice, abort_left, unwritten, suspended;

hidden mtype kind_;
hidden byte queue_, value_, former_;

#define DRAINED(cpu)	(empty(sb[cpu]) && WC_DRAINED(cpu))

/* ORD-19: ring control in write-combining memory; WP leaves when it likes. */
#ifdef WRITE_COMBINING
byte wc[3];
#define WC_DRAINED(cpu)	(wc[cpu] == 0)
#else
#define WC_DRAINED(cpu)	true
#endif

/* ORD-28: the word beside WP, and the store buffer of the worker's processor. */
#ifdef RING_NEEDED
bit ring_needed[2] = 1;
chan device_sb = [2] of { byte, bit };
#endif

/* Queue 0's context (T15, T17): it runs, shall be suspended, has acknowledged. */
#ifdef SUSPEND
mtype = { RUNNING, WANTED, ACKNOWLEDGED };
mtype context = RUNNING;
#endif

/* dxg_doorbell.ops, for the runs with a disconnect by the OS. */
#ifdef DISCONNECT
byte ops[2] = NOBODY;
#endif

/* ---- Processor and bus ---------------------------------------------------------- */

inline check_i1(q)
{
	assert(i1 || !(stat[q] == CONNECTED && (pte[q] == DUMMY ||
	       (QUEUE(0) == q && tlb[0] == DUMMY) ||
	       (QUEUE(1) == q && tlb[1] == DUMMY))))
}

/* Another queue is about to get the slot of q. */
inline check_i2(q)
{
	assert(i2 || (pte[q] != SLOT && posted[q] == 0));
	assert(i2 || QUEUE(0) != q ||
	       (tlb[0] != SLOT && !(sb[0]??[BELL, eval(q), SLOT])));
	assert(i2 || QUEUE(1) != q ||
	       (tlb[1] != SLOT && !(sb[1]??[BELL, eval(q), SLOT])))
}

/* A store leaves the buffer. One for the slot is now a posted write on its way. */
inline leave(cpu)
{
	sb[cpu]?kind_, queue_, value_;
	if
	:: kind_ == ENTRY -> entries[queue_] = value_
	:: kind_ == WP -> wp[queue_] = value_
	:: kind_ == BELL && value_ == SLOT -> posted[queue_]++
	:: kind_ == BELL && value_ != SLOT -> skip
	:: kind_ == STAT ->
		assert(abort_left || stat[queue_] != ABORT || value_ == ABORT);
		stat[queue_] = value_;
		check_i1(queue_)
	:: kind_ == UNLOCK -> umd_lock[queue_] = false
	fi
}

inline wake_worker()
{
#ifdef SLEEP
	awake = true
#else
	skip
#endif
}

/* dxgpu_core_doorbell(): the pending bit of whoever is bound, nothing else (DEV-1). */
inline arrive(q)
{
	posted[q]--;
	assert(i2 || bound == NOBODY || bound == q);
	if
	:: bound != NOBODY ->
		wake_worker();
		pending[bound] = true
	:: else
	fi
}

active proctype fabric()
{
end:	do
	:: d_step { nempty(sb[0]) -> leave(0) }
	:: d_step { nempty(sb[1]) -> leave(1) }
	:: d_step { nempty(sb[KERNEL_CPU]) -> leave(KERNEL_CPU) }
	:: d_step { posted[0] > 0 -> arrive(0) }
	:: d_step { posted[1] > 0 -> arrive(1) }
#ifdef WRITE_COMBINING
	:: d_step { wc[0] != 0 -> wp[QUEUE(0)] = wc[0]; wc[0] = 0 }
	:: d_step { wc[1] != 0 -> wp[QUEUE(1)] = wc[1]; wc[1] = 0 }
#endif
#ifdef RING_NEEDED
	:: d_step { device_sb?queue_, value_ -> ring_needed[queue_] = value_ }
#endif
	od
}

/* ---- The OS layer: locks, zap, fault -------------------------------------------- */

/* A locked instruction: nothing of this processor is left behind it. */
inline take(cpu, q)
{
	d_step { lock[q] == NOBODY && DRAINED(cpu) -> lock[q] = cpu }
}

inline give(cpu, q)
{
	d_step { DRAINED(cpu) -> lock[q] = NOBODY }
}

#ifdef IPI_SHOOTDOWN
#define GONE(cpu, q)	DRAINED(cpu)
#elif defined(BAD_SHOOTDOWN_WITHOUT_DRAIN)
/* ORD-20 broken: acknowledged while a store through the old entry is under way. */
#define GONE(cpu, q)	true
#else
#define GONE(cpu, q)	(!(sb[cpu]??[BELL, eval(q), SLOT]) && \
			 !(sb[cpu]??[BELL, eval(q), DUMMY]))
#endif

#define REMOTE(other, cpu, q)	(other != cpu && QUEUE(other) == q)

inline shoot_down(other, q)
{
	d_step {
		GONE(other, q) ->
#if defined(IPI_SHOOTDOWN) && defined(BAD_NO_FULL_BARRIER)
		early[other] = 0;
#endif
		tlb[other] = NOTHING
	}
}

/*
 * dxg_region_zap(): entry, then every processor's TLB (ORD-17, ORD-20, MAP-6). Another
 * processor may have read the entry ahead of its use. What is not present needs no
 * shootdown, and the kernel makes none.
 */
inline zap(cpu, q)
{
	if
	:: pte[q] == NOTHING
	:: atomic {
		pte[q] != NOTHING && DRAINED(cpu) ->
		if
		:: REMOTE(0, cpu, q) && tlb[0] == NOTHING -> tlb[0] = pte[q]
		:: REMOTE(1, cpu, q) && tlb[1] == NOTHING -> tlb[1] = pte[q]
		:: true
		fi;
		pte[q] = NOTHING;
		if
		:: cpu < KERNEL_CPU && QUEUE(cpu) == q -> tlb[cpu] = NOTHING
		:: else
		fi
	   }
	   if
	   :: REMOTE(0, cpu, q) ->
		shoot_down(0, q);
		if
		:: REMOTE(1, cpu, q) -> shoot_down(1, q)
		:: else
		fi
	   :: REMOTE(1, cpu, q) ->
		shoot_down(1, q);
		if
		:: REMOTE(0, cpu, q) -> shoot_down(0, q)
		:: else
		fi
	   :: !REMOTE(0, cpu, q) && !REMOTE(1, cpu, q)
	   fi
	fi
}

/*
 * dxg_doorbell_fault(): decides and installs under the doorbell's lock (ORD-9, MAP-3).
 * All that it reads is written under that lock, so it is one step.
 */
inline fault(cpu, q)
{
#ifdef BAD_FAULT_DECIDES_UNLOCKED
	d_step { tlb[cpu] == NOTHING && pte[q] == NOTHING && DRAINED(cpu) ->
		 target = (state[q] == CONNECTED -> SLOT : DUMMY) };
	d_step { lock[q] == NOBODY -> pte[q] = (pte[q] == NOTHING -> target : pte[q]) }
#else
	d_step {
		tlb[cpu] == NOTHING && pte[q] == NOTHING && lock[q] == NOBODY && DRAINED(cpu) ->
		pte[q] = (state[q] == CONNECTED -> SLOT : DUMMY);
		check_i1(q)
	}
#endif
}

/* ---- The device: slot commands -------------------------------------------------- */

/* The command's result was read: posted writes went before (ORD-8 (b), ORD-20). */
#ifdef BAD_NO_READ_BACK
#define FLUSHED(q)	true
#else
#define FLUSHED(q)	(posted[q] == 0)
#endif

/* dxgpu_slot_unbind(): ORD-8 (a) and (c); (b) is FLUSHED(). The slot is the caller's. */
inline unbind(q)
{
	d_step {
		bound = NOBODY;
#ifndef BAD_NO_FINAL_SAMPLE
		wake_worker();
		pending[q] = true
#endif
	}
}

/* Inside a d_step. */
inline bind(q)
{
	former_ = 1 - q;
	check_i2(former_);
	slot_queue = q;
	slot_state = BOUND;
	bound = q;
#ifndef BAD_NO_BIND_SAMPLE
	wake_worker();
	pending[q] = true
#endif
}

/* ---- Revoke --------------------------------------------------------------------- */

/* dxg_doorbell_revoke_locked(): ORD-6. The status store is in memory before the
 * entry goes, as clearing that is a locked instruction. */
inline revoke_locked(cpu, q, reason)
{
#if defined(BAD_STATUS_AFTER_ROTATE)
	zap(cpu, q);
	d_step { pte[q] = DUMMY; check_i1(q) };
	sb[cpu]!STAT, q, reason;
#elif defined(BAD_STATUS_AFTER_UNBIND)
	zap(cpu, q);
#elif defined(BAD_NO_ZAP_AT_REVOKE)
	sb[cpu]!STAT, q, reason;
#else
	sb[cpu]!STAT, q, reason;
	zap(cpu, q);
#endif
	state[q] = reason
}

/* dxg_doorbell_apply_reason() under its lock: T12, T13, T14, SM-3. */
inline revoke(cpu, q, reason)
{
	take(cpu, q);
	if
	:: state[q] == CONNECTED -> revoke_locked(cpu, q, reason)
	:: state[q] == RETRY && reason == ABORT ->
		sb[cpu]!STAT, q, reason;
		state[q] = ABORT
#ifdef BAD_ABORT_IS_NOT_FINAL
	:: state[q] == ABORT && reason == RETRY ->
		sb[cpu]!STAT, q, reason;
		state[q] = RETRY
#endif
	:: else
	fi;
	give(cpu, q)
}

/* ---- The miniport: who has the slot --------------------------------------------- */

/* dxgpu_slots_release(): the doorbell's own slot, if it has one, back to the pool. */
inline release(q)
{
	do
	:: slot_queue != q -> break
	:: atomic {
		slot_queue == q && (slot_state == BOUND || slot_state == VICTIM) ->
		slot_state = UNBINDING;
		claim = NOBODY
	   }
	   unbind(q);
	   d_step { FLUSHED(q) -> slot_state = FREE; slot_queue = NOBODY };
	   break
	od
}

/*
 * dxgpu_slots_acquire() and dxgpu_connect_doorbell(): a free slot or the other queue's,
 * by DxgkCbDisconnectDoorbell; no lock of the miniport is held across it (DDI-CN-8).
 */
inline connect_doorbell(cpu, q)
{
	release(q);
	do
	:: d_step { slot_state == FREE -> bind(q) };
	   break
	:: atomic {
		slot_state == BOUND && slot_queue != q ->
		slot_state = VICTIM;
		claim = cpu;
		victim = slot_queue
	   }
#ifdef BAD_UNBIND_BEFORE_CALLBACK
	   unbind(victim);
	   FLUSHED(victim);
#endif
	   revoke(cpu, victim, RETRY);
	   if
	   :: atomic {
		slot_state == VICTIM && claim == cpu ->
		slot_state = UNBINDING;
		claim = NOBODY
	      }
#ifndef BAD_UNBIND_BEFORE_CALLBACK
	      unbind(victim);
#endif
#ifdef BAD_STATUS_AFTER_UNBIND
	      sb[cpu]!STAT, victim, RETRY;
#endif
	      d_step { FLUSHED(victim) -> bind(q) };
	      break
	   :: !(slot_state == VICTIM && claim == cpu)
	   fi
	od
}

/* ---- Attach --------------------------------------------------------------------- */

/* dxg_doorbell_connect(): T3, T6, T7; AT is ORD-7. */
inline connect(cpu, q)
{
#ifdef DISCONNECT
	d_step { ops[q] == NOBODY && DRAINED(cpu) -> ops[q] = cpu };
#endif
	take(cpu, q);
	if
	:: state[q] == CONNECTED ->
		d_step { wake_worker(); pending[q] = true }
	:: state[q] == RETRY ->
#ifdef BAD_STATUS_BEFORE_BIND
		sb[cpu]!STAT, q, CONNECTED;
#endif
#if !defined(BAD_NO_ZAP_AT_CONNECT) && !defined(BAD_ZAP_AFTER_BIND)
		zap(cpu, q);
#endif
		connect_doorbell(cpu, q);
#ifdef BAD_ZAP_AFTER_BIND
		zap(cpu, q);
#endif
		atomic {
			state[q] = CONNECTED;
#ifndef BAD_STATUS_BEFORE_BIND
			sb[cpu]!STAT, q, CONNECTED
#endif
		}
	:: state[q] == ABORT
	fi;
	give(cpu, q);
#ifdef DISCONNECT
	atomic { DRAINED(cpu) -> ops[q] = NOBODY }
#endif
}

/* dxg_doorbell_disconnect(): the OS revokes first, then tells the miniport (ORD-15). */
#ifdef DISCONNECT
inline disconnect(cpu, q, reason)
{
	d_step { ops[q] == NOBODY && DRAINED(cpu) -> ops[q] = cpu };
#ifdef BAD_DISCONNECT_BEFORE_REVOKE
	release(q);
	revoke(cpu, q, reason);
#else
	revoke(cpu, q, reason);
	release(q);
#endif
	atomic { DRAINED(cpu) -> ops[q] = NOBODY }
}
#endif

/* ---- The library ---------------------------------------------------------------- */

/*
 * ORD-5 (6), ORD-18. Without it the status load may be satisfied before the older
 * doorbell store has even translated its address; a fault discards such a value. The
 * mutex of glibc is then no barrier either.
 */
#ifdef BAD_NO_FULL_BARRIER
#define FULL_BARRIER(cpu)	true
inline maybe_load_early(cpu, q)
{
	if
	:: early[cpu] = stat[q]
	:: true
	fi
}
#define LOADED(cpu, q)		(early[cpu] != 0 -> early[cpu] : stat[q])
#else
#define FULL_BARRIER(cpu)	DRAINED(cpu)
#define maybe_load_early(cpu, q)	skip
#define LOADED(cpu, q)		stat[q]
#endif

/* queue_ring(), ORD-5 (5): the doorbell store. */
inline ring(cpu, q)
{
	do
	:: d_step {
		nfull(sb[cpu]) && (tlb[cpu] != NOTHING || pte[q] != NOTHING) ->
		if
		:: tlb[cpu] == NOTHING -> tlb[cpu] = pte[q]
		:: else
		fi;
		sb[cpu]!BELL, q, tlb[cpu];
		check_i1(q)
	   };
	   break
	:: fault(cpu, q)
#ifdef BAD_NO_FULL_BARRIER
	   early[cpu] = 0
#endif
	od
}

/* queue_settle(), ORD-5 (6) to (8). */
inline settle(cpu, q)
{
	do
	:: atomic { FULL_BARRIER(cpu) -> status = LOADED(cpu, q) };
	   if
	   :: status == CONNECTED -> break
	   :: status == ABORT -> break
	   :: status == RETRY && rounds == ROUNDS -> break
	   :: status == RETRY && rounds < ROUNDS ->
		connect(cpu, q);
		rounds++;
		if
#ifndef ALWAYS_RING
		:: break	/* KMT-CN-15: the connect was enough */
#endif
		:: true ->
#ifdef BAD_APPENDS_AGAIN
			store_wp(cpu, q);
#endif
			maybe_load_early(cpu, q);
			ring(cpu, q)
		fi
	   fi
	od
}

/* ORD-5 (3) and (4), and the store barrier of (5). */
inline store_wp(cpu, q)
{
#ifdef ENTRY_STORES
#ifdef BAD_WP_BEFORE_ENTRY
	d_step { written[q]++; sb[cpu]!WP, q, written[q] };
	sb[cpu]!ENTRY, q, written[q]
#else
	d_step { written[q]++; sb[cpu]!ENTRY, q, written[q] };
	sb[cpu]!WP, q, written[q]
#endif
#elif defined(WRITE_COMBINING)
	d_step { written[q]++; wc[cpu] = written[q] };
#ifndef BAD_NO_STORE_BARRIER
	WC_DRAINED(cpu)
#endif
#else
	d_step { written[q]++; sb[cpu]!WP, q, written[q] }
#endif
}

/*
 * queue_publish(), under the queue's lock (UMD-7). Which of two equal threads is
 * the first does not matter: it is 0.
 */
inline publish(cpu, q)
{
#ifdef SHARED
	d_step {
		!umd_lock[q] && DRAINED(cpu) && (cpu == 0 || written[q] > 0) ->
		umd_lock[q] = true
	};
#endif
#ifndef BAD_RING_BEFORE_WP
	store_wp(cpu, q);
#endif
#ifdef RING_NEEDED
#ifndef BAD_NO_BARRIER_BEFORE_RING_NEEDED
	FULL_BARRIER(cpu);
#endif
	if
	:: ring_needed[q] == 0
	:: ring_needed[q] == 1 -> ring(cpu, q)
	fi;
#else
	maybe_load_early(cpu, q);
	ring(cpu, q);
#endif
#ifdef BAD_RING_BEFORE_WP
	store_wp(cpu, q);
#endif
#ifdef SHARED
#ifdef BAD_NO_FULL_BARRIER
	sb[cpu]!UNLOCK, q, 0
#else
	atomic { DRAINED(cpu) -> umd_lock[q] = false }
#endif
#endif
}

proctype submitter(byte cpu; byte q)
{
	byte n, rounds, victim;
	mtype status = RETRY;
#ifdef BAD_FAULT_DECIDES_UNLOCKED
	mtype target;
#endif

	do
	:: n == SUBMISSIONS || status == ABORT -> break
	:: else ->
		publish(cpu, q);
		rounds = 0;
		settle(cpu, q);
		n++
	od;
	finished++
}

/* Somebody else's thread, which wants the slot and submits nothing. */
#if RIVAL > 0
proctype rival(byte cpu; byte q)
{
	byte n, victim;

	do
	:: n == RIVAL -> break
	:: else ->
		connect(cpu, q);
		n++
	od;
	finished++
}
#endif

/* The OS takes queue 0's doorbell away, for DISCONNECT (T13, T20, T23, T27). */
#ifdef DISCONNECT
proctype disconnector(byte cpu)
{
	disconnect(cpu, 0, DISCONNECT);
	finished++
}
#endif

/* ---- The device: worker --------------------------------------------------------- */

/* sample() and dxgpu_exec_turn(): everything up to the WP that was read. */
inline execute(q)
{
#ifdef ENTRY_STORES
	assert(unwritten || entries[q] >= wp[q]);
#endif
#ifdef SUSPEND
	assert(suspended || q != 0 || context != ACKNOWLEDGED);
#endif
	rp[q] = wp[q]
}

#if defined(SUSPEND) && !defined(BAD_SAMPLES_WHILE_SUSPENDED)
#define STOPPED(q)	(q == 0 && context != RUNNING)
#else
#define STOPPED(q)	false
#endif

/* The bit goes before WP is read (ORD-10). */
inline sample(q)
{
#ifdef BAD_CLEARS_BIT_AFTER_SAMPLE
	execute(q);
	pending[q] = false
#elif defined(SUSPEND)
	pending[q] = false;
	if
	:: STOPPED(q)
	:: else -> execute(q)
	fi
#else
	pending[q] = false;
	execute(q)
#endif
}

/*
 * The same with RingNeeded: 1 before WP is read (ORD-29), 0 while the worker polls. When
 * it is tired of that it samples once more.
 */
#ifdef RING_NEEDED
inline sample_and_poll(q)
{
	d_step { nfull(device_sb) -> pending[q] = false; device_sb!q, 1 };
	atomic {
#ifndef BAD_NO_BARRIER_BEFORE_SAMPLE
		empty(device_sb) ->
#endif
		fetched = wp[q]
	};
	if
	:: fetched == rp[q]
	:: fetched != rp[q] ->
		d_step { nfull(device_sb) -> rp[q] = fetched; device_sb!q, 0 };
		do
		:: d_step { wp[q] != rp[q] -> rp[q] = wp[q] }
		:: break
		od;
#ifdef BAD_NO_SAMPLE_AFTER_POLLING
		device_sb!q, 1
#else
		pending[q] = true
#endif
	fi
}
#endif

active proctype worker()
{
	byte fetched;

end_idle:
	do
#if defined(RING_NEEDED)
	:: pending[0] -> sample_and_poll(0)
	:: pending[1] -> sample_and_poll(1)
#elif defined(ATOMIC_SAMPLE)
	:: d_step { pending[0] -> sample(0) }
	:: d_step { pending[1] -> sample(1) }
#else
	:: pending[0] -> sample(0)
	:: pending[1] -> sample(1)
#endif
#ifdef SUSPEND
	:: context == WANTED -> context = ACKNOWLEDGED
#endif
#ifdef SLEEP
	/* dxgpu_core_run(): says that it sleeps, then looks once more (DEV-4). */
	:: !pending[0] && !pending[1] ->
		awake = false;
		if
#ifndef BAD_SLEEPS_WITHOUT_LOOK
		:: pending[0] || pending[1] -> awake = true
		:: !pending[0] && !pending[1] ->
#else
		:: true ->
#endif
end:			awake
		fi
#endif
	od
}

/* T15 and T17: a context is suspended, and resumed when it has acknowledged. */
#ifdef SUSPEND
proctype scheduler()
{
	context = WANTED;
	d_step {
		context == ACKNOWLEDGED ->
		context = RUNNING;
#ifndef BAD_NO_RESUME_SAMPLE
		pending[0] = true
#endif
	};
	finished++
}
#endif

#if RIVAL > 0 || defined(DISCONNECT) || defined(SUSPEND)
#define THREADS		3
#else
#define THREADS		2
#endif

init {
	atomic {
		run submitter(0, QUEUE(0));
		run submitter(1, QUEUE(1));
#if RIVAL > 0
		run rival(KERNEL_CPU, 1)
#elif defined(DISCONNECT)
		run disconnector(KERNEL_CPU)
#elif defined(SUSPEND)
		run scheduler()
#endif
	}
}

/* Nothing can move any more. */
active proctype monitor()
{
	timeout ->
	assert(stuck || finished == THREADS);
	assert(twice || (rp[0] <= ENTRIES(0) && rp[1] <= ENTRIES(1)));
	assert(lost || stat[0] == ABORT || rp[0] == ENTRIES(0));
	assert(lost || stat[1] == ABORT || rp[1] == ENTRIES(1))
}
