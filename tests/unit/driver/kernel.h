/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * As much of the kernel's headers as the driver's pure parts need, for a
 * program of the host. meson copies this file to each name that they include
 * (linux/list.h and so on); linux/errno.h is the one that every host has. Names
 * and meanings are the kernel's.
 */
#ifndef UNIT_KERNEL_H
#define UNIT_KERNEL_H

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <time.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef unsigned long long u64;
typedef int32_t s32;

struct device;
struct module;
struct seq_file;

#define __iomem
#define __packed                __attribute__((packed))
#define GFP_KERNEL              0
#define NSEC_PER_USEC           1000u
#define module_param(name, type, mode)
#define MODULE_PARM_DESC(name, text)
#define lockdep_assert_held(lock)       ((void)(lock))
#define READ_ONCE(x)            __atomic_load_n(&(x), __ATOMIC_RELAXED)
#define kvcalloc(n, bytes, gfp) calloc(n, bytes)
#define kvfree(p)               free(p)
#define WRITE_ONCE(x, value)    __atomic_store_n(&(x), value, __ATOMIC_RELAXED)
#define dma_wmb()               atomic_thread_fence(memory_order_release)
#define container_of(p, type, member) \
    ((type *)((char *)(p) - offsetof(type, member)))

struct list_head {
    struct list_head *next, *prev;
};

static inline void INIT_LIST_HEAD(struct list_head *list)
{
    list->next = list->prev = list;
}

static inline bool list_empty(const struct list_head *list)
{
    return list->next == list;
}

static inline void list_add(struct list_head *entry, struct list_head *head)
{
    entry->next = head->next;
    entry->prev = head;
    head->next->prev = entry;
    head->next = entry;
}

static inline void list_del(struct list_head *entry)
{
    entry->next->prev = entry->prev;
    entry->prev->next = entry->next;
    entry->next = entry->prev = NULL;
}

static inline void list_add_tail(struct list_head *entry,
                                 struct list_head *head)
{
    list_add(entry, head->prev);
}

static inline void list_del_init(struct list_head *entry)
{
    list_del(entry);
    INIT_LIST_HEAD(entry);
}

#define list_first_entry_or_null(head, type, member) \
    (list_empty(head) ? NULL : container_of((head)->next, type, member))

#define list_for_each_entry_safe(p, n, head, member) \
    for (p = container_of((head)->next, __typeof__(*p), member), \
         n = container_of(p->member.next, __typeof__(*p), member); \
         &p->member != (head); \
         p = n, n = container_of(n->member.next, __typeof__(*n), member))

struct mutex {
    pthread_mutex_t lock;
};

#define mutex_init(m)           pthread_mutex_init(&(m)->lock, NULL)
#define mutex_destroy(m)        pthread_mutex_destroy(&(m)->lock)
#define mutex_lock(m)           pthread_mutex_lock(&(m)->lock)
#define mutex_unlock(m)         pthread_mutex_unlock(&(m)->lock)

static inline u64 ktime_get_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000000ull + t.tv_nsec;
}

#define min(a, b)               ((a) < (b) ? (a) : (b))
#define max(a, b)               ((a) > (b) ? (a) : (b))
#define NSEC_PER_MSEC           1000000ull
#define ns_to_ktime(ns)         (ns)
#define TASK_KILLABLE           0
#define ERESTARTSYS             512

/* Waiting is looking again. */
static inline void unit_nap(void)
{
    nanosleep(&(struct timespec){ .tv_nsec = 20000 }, NULL);
}

typedef struct {
    char unused;
} wait_queue_head_t;

#define init_waitqueue_head(w)  ((void)(w))
#define wake_up_all(w)          ((void)(w))
#define wake_up(w)              ((void)(w))
/* A fatal signal, to all that wait killably. */
static _Atomic bool unit_killed __attribute__((unused));

/* 0; -ETIME when the time is over; -ERESTARTSYS. */
#define __wait_event_hrtimeout(w, condition, ns, state) \
    ({ \
        u64 unit_end = ktime_get_ns() + (ns); \
        (void)(w); \
        while (!(condition) && !unit_killed && ktime_get_ns() < unit_end) { \
            unit_nap(); \
        } \
        (condition) ? 0 : unit_killed ? -ERESTARTSYS : -ETIME; \
    })
#define wait_event(w, condition) \
    do { \
        while (!(condition)) { \
            unit_nap(); \
        } \
    } while (0)

#endif /* UNIT_KERNEL_H */
