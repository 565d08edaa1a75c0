/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Rules for a whole record of calls, whatever was done meanwhile:
 *
 *   ILL-4	no connect of a doorbell that is bound, but for a rekick
 *   ILL-5	no call for a doorbell after its destroy, none before its create
 *   DDI-CN-11	connect, disconnect and destroy of one doorbell one after the other
 *   CB-DC-5	no call from within a callback
 *   DDI-DS-2	one destroy for each create
 *   all are made where one may sleep (DDI-CD-9, DDI-CN-11)
 */
#ifndef DXG_TESTS_LAWFUL_H
#define DXG_TESTS_LAWFUL_H

#include "driver/null.h"

/* Writes the first breach to problem and gives false. Begins and ends without doorbells. */
bool lawful(const struct null_record *record, char *problem, size_t bytes);

#endif /* DXG_TESTS_LAWFUL_H */
