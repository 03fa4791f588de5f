/* SPDX-License-Identifier: MIT */
#ifndef BENCH_EXPORTS_H
#define BENCH_EXPORTS_H

#include "measure.h"
#include "payload.h"

enum { EXPORT_SIZES = 3 };

typedef struct {
  const char *hub;      /* the program `bridgehub` */
  const char *relay;    /* the one of relay.c */
  const char *payloads; /* the directory */
} export_programs;

/* Exports of each size through the hub, and through a bare relay. False: it said what failed. */
bool compare_exports(comparison c[EXPORT_SIZES], const export_programs *programs);

#endif
