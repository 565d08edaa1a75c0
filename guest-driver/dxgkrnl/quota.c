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
 * An account lives while a file is charged to it. Limits are module parameters and
 * read at each charge; lowering one takes nothing away from anybody.
 *
 * Rejected: the mm alone (a user forks, and has it all); the user alone (one process
 * starves the others of its user, and the parameters would mean something else than
 * they say); the memory cgroup alone, which knows nothing of queues and is often
 * absent. Kernel memory is charged to the cgroup besides.
 */
#include <linux/cred.h>
#include <linux/hashtable.h>
#include <linux/jiffies.h>
#include <linux/seq_file.h>
#include <linux/slab.h>

#include "dxgkrnl.h"

#define DXG_USER_SHARES			3
#define DXG_ASYNC_WAITS_PER_PROCESS	1024
/* All mappings together may show this many times what a process may allocate. */
#define DXG_VIEWS_PER_PAGE		4

struct dxg_account {
	struct kref kref;
	struct hlist_node node;		/* dxg_accounts; dxg_accounts_lock */
	enum dxg_account_kind kind;
	unsigned long key;		/* address of the mm, or uid */
	pid_t pid;			/* who made it, for debugfs */
	atomic_long_t used[DXG_QUOTA_COUNT];
	unsigned int hangs;		/* dxg_accounts_lock: engine resets that it caused */
	unsigned long hang_jiffies[DXG_HANGS_PER_MINUTE]; /* same: a ring indexed by hangs */
};

static DEFINE_MUTEX(dxg_accounts_lock);
static DEFINE_HASHTABLE(dxg_accounts, 6);

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

/**
 * dxg_quota_hang() - a process has caused the reset of an engine
 * @process: whose device was the reason
 *
 * It is remembered for as long as an account of the address space exists, so until
 * the process has closed its last file. Who forks is a new process, too: the
 * measure is against those who hang engines by mistake, the reset against all.
 *
 * May sleep.
 */
void dxg_quota_hang(struct dxg_process *process)
{
	struct dxg_account *account = process->accounts[DXG_ACCOUNT_PROCESS];

	mutex_lock(&dxg_accounts_lock);
	account->hang_jiffies[account->hangs % DXG_HANGS_PER_MINUTE] = jiffies;
	account->hangs++;
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
	often = account->hangs >= DXG_HANGS_PER_MINUTE && time_before(jiffies, oldest + 60 * HZ);
	mutex_unlock(&dxg_accounts_lock);
	return often;
}

static struct dxg_account *dxg_account_get(enum dxg_account_kind kind, unsigned long key,
					   pid_t pid)
{
	struct dxg_account *account;

	mutex_lock(&dxg_accounts_lock);
	hash_for_each_possible(dxg_accounts, account, node, key) {
		if (account->kind == kind && account->key == key) {
			kref_get(&account->kref);
			goto out_unlock;
		}
	}
	account = kzalloc(sizeof(*account), GFP_KERNEL_ACCOUNT);
	if (!account)
		goto out_unlock;
	kref_init(&account->kref);
	account->kind = kind;
	account->key = key;
	account->pid = pid;
	hash_add(dxg_accounts, &account->node, key);
	atomic_inc(&dxg_counts.accounts);
out_unlock:
	mutex_unlock(&dxg_accounts_lock);
	return account;
}

static void dxg_account_release(struct kref *kref)
{
	struct dxg_account *account = container_of(kref, struct dxg_account, kref);
	unsigned int i;

	hash_del(&account->node);
	mutex_unlock(&dxg_accounts_lock);
	for (i = 0; i < DXG_QUOTA_COUNT; i++)
		WARN_ON_ONCE(atomic_long_read(&account->used[i]));
	kfree(account);
	atomic_dec(&dxg_counts.accounts);
}

static void dxg_accounts_put(struct dxg_process *process)
{
	enum dxg_account_kind kind;

	for (kind = 0; kind < DXG_ACCOUNT_KINDS; kind++) {
		if (process->accounts[kind])
			kref_put_mutex(&process->accounts[kind]->kref, dxg_account_release,
				       &dxg_accounts_lock);
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
