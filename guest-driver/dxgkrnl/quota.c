// SPDX-License-Identifier: GPL-2.0
/*
 * Quotas: what a process, and a user, may have of things that cost the kernel memory or
 * the device one of its ids (SEC-17).
 *
 * DOC: accounts
 *
 * A process in the sense of the quotas is an address space, however many files it has
 * open: each open file is charged to the account of its mm, so that opening
 * /dev/dxg again gains nothing. It is charged to the account of the user who opened it
 * as well, whose limits are DXG_USER_SHARES times those of a process, so that starting
 * another process gains little; with the defaults and a device of default size a
 * quarter of its queues, contexts and address spaces stays for other users. Who passes
 * a descriptor on, or changes his uid, goes on paying.
 *
 * An account lives while a file is charged to it. That of an address space which has hung
 * engines lives for a minute or two after the last time as well: to close all files and
 * open them again is no way to be forgotten (FH-5). It goes earlier with the last file of an
 * address space that has ended; one that ends later is not noticed.
 * Such accounts hold the mm_struct, so that no other process gets its address, and there
 * is one per process at most. Limits are module parameters and read at each charge;
 * lowering one takes nothing away from anybody.
 *
 * Rejected: the mm alone (a user forks, and has it all); the user alone (one process
 * starves the others of its user, and the parameters would mean something else than
 * they say); the memory cgroup alone, which knows nothing of queues and is often
 * absent. Kernel memory is charged to the cgroup besides.
 */
#include <linux/cred.h>
#include <linux/hashtable.h>
#include <linux/jiffies.h>
#include <linux/sched/mm.h>
#include <linux/seq_file.h>
#include <linux/slab.h>

#include "dxgkrnl.h"

#define DXG_USER_SHARES			3
#define DXG_ASYNC_WAITS_PER_PROCESS	1024
/* All mappings together may show this many times what a process may allocate. */
#define DXG_VIEWS_PER_PAGE		4
/* How long a hang counts. */
#define DXG_HANG_MEMORY			(60 * HZ)

struct dxg_account {
	struct hlist_node node;		/* dxg_accounts; dxg_accounts_lock */
	unsigned int files;		/* dxg_accounts_lock: process objects that charge it */
	struct mm_struct *mm;		/* dxg_accounts_lock: held while hangs are remembered */
	enum dxg_account_kind kind;
	unsigned long key;		/* address of the mm, or uid */
	pid_t pid;			/* who made it, for debugfs */
	atomic_long_t used[DXG_QUOTA_COUNT];
	unsigned int hangs;		/* dxg_accounts_lock: engine resets that it caused */
	unsigned long hang_jiffies[DXG_HANGS_PER_MINUTE]; /* same: a ring indexed by hangs */
};

static DEFINE_MUTEX(dxg_accounts_lock);
static DEFINE_HASHTABLE(dxg_accounts, 6);
static void dxg_accounts_expire(struct work_struct *work);
static DECLARE_DELAYED_WORK(dxg_accounts_work, dxg_accounts_expire);

static unsigned long dxg_quota_limit(enum dxg_account_kind kind, enum dxg_quota quota)
{
	const unsigned long pinned = (unsigned long)READ_ONCE(dxg_max_pinned_mb) <<
				     (20 - PAGE_SHIFT);
	const unsigned long limits[DXG_QUOTA_COUNT] = {
		[DXG_QUOTA_FILES]	= READ_ONCE(dxg_max_files),
		[DXG_QUOTA_HANDLES]	= READ_ONCE(dxg_max_handles),
		[DXG_QUOTA_CONTEXTS]	= READ_ONCE(dxg_max_contexts),
		[DXG_QUOTA_QUEUES]	= READ_ONCE(dxg_max_queues),
		[DXG_QUOTA_PAGES]	= pinned,
		[DXG_QUOTA_RANGES]	= READ_ONCE(dxg_max_gpu_ranges),
		[DXG_QUOTA_VIEWS]	= pinned * DXG_VIEWS_PER_PAGE,
		[DXG_QUOTA_WAITS]	= DXG_ASYNC_WAITS_PER_PROCESS,
	};

	return limits[quota] * (kind == DXG_ACCOUNT_USER ? DXG_USER_SHARES : 1);
}

static bool dxg_account_charge(struct dxg_account *account, enum dxg_quota quota,
			       unsigned long count)
{
	unsigned long limit = dxg_quota_limit(account->kind, quota);
	long used = atomic_long_read(&account->used[quota]);

	do {
		if (count > limit || used > limit - count)
			return false;
	} while (!atomic_long_try_cmpxchg(&account->used[quota], &used, used + count));
	return true;
}

/**
 * dxg_quota_charge() - take from what a process and its user may have
 * @process: who takes it
 * @quota: what
 * @count: how many
 *
 * Any context. To be given back by dxg_quota_uncharge() with the same arguments.
 *
 * Return: false, and nothing is charged, beyond one of the two limits.
 */
bool dxg_quota_charge(struct dxg_process *process, enum dxg_quota quota, unsigned long count)
{
	if (!dxg_account_charge(process->accounts[DXG_ACCOUNT_PROCESS], quota, count))
		return false;
	if (dxg_account_charge(process->accounts[DXG_ACCOUNT_USER], quota, count))
		return true;
	atomic_long_sub(count, &process->accounts[DXG_ACCOUNT_PROCESS]->used[quota]);
	return false;
}

void dxg_quota_uncharge(struct dxg_process *process, enum dxg_quota quota, unsigned long count)
{
	enum dxg_account_kind kind;

	for (kind = 0; kind < DXG_ACCOUNT_KINDS; kind++)
		atomic_long_sub(count, &process->accounts[kind]->used[quota]);
}

/* Frees it once nobody charges it and it has nothing to remember. */
static void dxg_account_check(struct dxg_account *account)
{
	unsigned int i;

	lockdep_assert_held(&dxg_accounts_lock);
	if (account->files || account->mm)
		return;
	hash_del(&account->node);
	for (i = 0; i < DXG_QUOTA_COUNT; i++)
		WARN_ON_ONCE(atomic_long_read(&account->used[i]));
	kfree(account);
}

static void dxg_account_forget(struct dxg_account *account)
{
	mmdrop(account->mm);
	account->mm = NULL;
	dxg_account_check(account);
}

static unsigned long dxg_account_last_hang(const struct dxg_account *account)
{
	return account->hang_jiffies[(account->hangs - 1) % DXG_HANGS_PER_MINUTE];
}

static void dxg_accounts_expire(struct work_struct *work)
{
	struct dxg_account *account;
	struct hlist_node *next;
	unsigned int bucket;
	bool more = false;

	mutex_lock(&dxg_accounts_lock);
	hash_for_each_safe(dxg_accounts, bucket, next, account, node) {
		if (!account->mm)
			continue;
		if (time_after_eq(jiffies, dxg_account_last_hang(account) + DXG_HANG_MEMORY))
			dxg_account_forget(account);
		else
			more = true;
	}
	if (more)
		schedule_delayed_work(&dxg_accounts_work, DXG_HANG_MEMORY);
	mutex_unlock(&dxg_accounts_lock);
}

/* The last of the module: there is no process object any more, and none will come. */
void dxg_quota_exit(void)
{
	struct dxg_account *account;
	struct hlist_node *next;
	unsigned int bucket;

	cancel_delayed_work_sync(&dxg_accounts_work);
	mutex_lock(&dxg_accounts_lock);
	hash_for_each_safe(dxg_accounts, bucket, next, account, node) {
		if (account->mm)
			dxg_account_forget(account);
	}
	mutex_unlock(&dxg_accounts_lock);
}

/**
 * dxg_quota_hang() - a process has caused the reset of an engine
 * @process: whose device was the reason
 *
 * It is remembered for a minute while the address space lives, whether it has a file
 * open or not. Who forks is a new process: the measure is against those who hang
 * engines by mistake, the reset against all.
 *
 * May sleep.
 */
void dxg_quota_hang(struct dxg_process *process)
{
	struct dxg_account *account = process->accounts[DXG_ACCOUNT_PROCESS];

	mutex_lock(&dxg_accounts_lock);
	account->hang_jiffies[account->hangs % DXG_HANGS_PER_MINUTE] = jiffies;
	account->hangs++;
	if (!account->mm) {
		mmgrab(process->mm);
		account->mm = process->mm;
		schedule_delayed_work(&dxg_accounts_work, DXG_HANG_MEMORY);
	}
	mutex_unlock(&dxg_accounts_lock);
}

/**
 * dxg_quota_hung_too_often() - may a process have no device for a while (FH-5)?
 * @process: the caller's
 *
 * Return: true after DXG_HANGS_PER_MINUTE engine resets in the last minute.
 */
bool dxg_quota_hung_too_often(struct dxg_process *process)
{
	struct dxg_account *account = process->accounts[DXG_ACCOUNT_PROCESS];
	unsigned long oldest;
	bool often;

	mutex_lock(&dxg_accounts_lock);
	oldest = account->hang_jiffies[account->hangs % DXG_HANGS_PER_MINUTE];
	often = account->hangs >= DXG_HANGS_PER_MINUTE &&
		time_before(jiffies, oldest + DXG_HANG_MEMORY);
	mutex_unlock(&dxg_accounts_lock);
	return often;
}

static struct dxg_account *dxg_account_get(enum dxg_account_kind kind, unsigned long key,
					   pid_t pid)
{
	struct dxg_account *account;

	mutex_lock(&dxg_accounts_lock);
	hash_for_each_possible(dxg_accounts, account, node, key) {
		if (account->kind == kind && account->key == key)
			goto out_count;
	}
	account = kzalloc(sizeof(*account), GFP_KERNEL_ACCOUNT);
	if (!account)
		goto out_unlock;
	account->kind = kind;
	account->key = key;
	account->pid = pid;
	hash_add(dxg_accounts, &account->node, key);
out_count:
	if (!account->files++)
		atomic_inc(&dxg_counts.accounts);
out_unlock:
	mutex_unlock(&dxg_accounts_lock);
	return account;
}

static void dxg_account_put(struct dxg_account *account)
{
	mutex_lock(&dxg_accounts_lock);
	if (--account->files)
		goto out_unlock;
	atomic_dec(&dxg_counts.accounts);
	/* An address space that has ended hangs nothing any more. */
	if (account->mm && !atomic_read(&account->mm->mm_users))
		dxg_account_forget(account);
	else
		dxg_account_check(account);
out_unlock:
	mutex_unlock(&dxg_accounts_lock);
}

static void dxg_accounts_put(struct dxg_process *process)
{
	enum dxg_account_kind kind;

	for (kind = 0; kind < DXG_ACCOUNT_KINDS; kind++) {
		if (process->accounts[kind])
			dxg_account_put(process->accounts[kind]);
	}
}

/**
 * dxg_quota_open() - charge a new process object to the accounts of the caller
 * @process: mm and pid are set
 *
 * Return: 0 (then dxg_quota_close() it), -ENOMEM, -EMFILE beyond max_files.
 */
int dxg_quota_open(struct dxg_process *process)
{
	kuid_t uid = current_uid();

	process->accounts[DXG_ACCOUNT_PROCESS] =
		dxg_account_get(DXG_ACCOUNT_PROCESS, (unsigned long)process->mm, process->pid);
	process->accounts[DXG_ACCOUNT_USER] =
		dxg_account_get(DXG_ACCOUNT_USER, __kuid_val(uid), process->pid);
	if (!process->accounts[DXG_ACCOUNT_PROCESS] || !process->accounts[DXG_ACCOUNT_USER]) {
		dxg_accounts_put(process);
		return -ENOMEM;
	}
	if (!dxg_quota_charge(process, DXG_QUOTA_FILES, 1)) {
		dxg_accounts_put(process);
		return -EMFILE;
	}
	return 0;
}

/* Everything but the file itself has been given back; the mm is still held. */
void dxg_quota_close(struct dxg_process *process)
{
	dxg_quota_uncharge(process, DXG_QUOTA_FILES, 1);
	dxg_accounts_put(process);
}

/* For debugfs: a line per account. */
void dxg_quota_show(struct seq_file *m)
{
	static const char * const names[] = {
		[DXG_QUOTA_FILES]	= "files",
		[DXG_QUOTA_HANDLES]	= "handles",
		[DXG_QUOTA_CONTEXTS]	= "contexts",
		[DXG_QUOTA_QUEUES]	= "queues",
		[DXG_QUOTA_PAGES]	= "pages",
		[DXG_QUOTA_RANGES]	= "ranges",
		[DXG_QUOTA_VIEWS]	= "views",
		[DXG_QUOTA_WAITS]	= "waits",
	};
	struct dxg_account *account;
	unsigned int bucket, i;

	mutex_lock(&dxg_accounts_lock);
	hash_for_each(dxg_accounts, bucket, account, node) {
		if (account->kind == DXG_ACCOUNT_USER)
			seq_printf(m, "user uid=%lu", account->key);
		else
			seq_printf(m, "process pid=%d", account->pid);
		for (i = 0; i < DXG_QUOTA_COUNT; i++)
			seq_printf(m, " %s=%ld/%lu", names[i],
				   atomic_long_read(&account->used[i]),
				   dxg_quota_limit(account->kind, i));
		seq_putc(m, '\n');
	}
	mutex_unlock(&dxg_accounts_lock);
}
