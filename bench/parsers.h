/* SPDX-License-Identifier: MIT */
#ifndef BENCH_PARSERS_H
#define BENCH_PARSERS_H

#include "measure.h"
#include "payload.h"

/* The machines of ragel/ beside what one would take instead. False: one of them does not take its input. */
bool compare_frame(comparison *c, size_t repeats);
bool compare_json(comparison *c, const payload *text, size_t repeats);

#endif
