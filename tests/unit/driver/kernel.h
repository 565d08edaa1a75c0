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
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;

#define WRITE_ONCE(x, value)    (*(volatile __typeof__(x) *)&(x) = (value))
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

#define list_for_each_entry_safe(p, n, head, member) \
    for (p = container_of((head)->next, __typeof__(*p), member), \
         n = container_of(p->member.next, __typeof__(*p), member); \
         &p->member != (head); \
         p = n, n = container_of(n->member.next, __typeof__(*n), member))

#endif /* UNIT_KERNEL_H */
