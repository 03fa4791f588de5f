/* SPDX-License-Identifier: MIT */
#ifndef BH_UV_SAY_H
#define BH_UV_SAY_H

#include "bridgehub.h"

/* What the drivers have to say to people. */

#define BH_WHY_MAX 4608

/* Why something could not be done: what, where, and what to do about it. One sentence, without a full stop. */
typedef struct {
  char text[BH_WHY_MAX];
} bh_why;

/* Writes the text as printf does and returns `error`, so that a failure is said and passed on in one line. */
int bh_why_set(bh_why *why, int error, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* One line for the log, as printf writes it. Texts of others are escaped by the logger that prints it. */
void bh_say(const bh_logger *logger, bh_log_level level, const char *format, ...) __attribute__((format(printf, 3, 4)));

#endif
