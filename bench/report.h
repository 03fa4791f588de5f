/* SPDX-License-Identifier: MIT */
#ifndef BENCH_REPORT_H
#define BENCH_REPORT_H

#include "measure.h"

#include <stdio.h>

/* For people, and for programs. `place` is where the spool lay. False: it could not be written. */
bool report_table(FILE *out, const comparison *comparisons, size_t count, const char *place);
bool report_json(FILE *out, const comparison *comparisons, size_t count);

#endif
