/* SPDX-License-Identifier: MIT */
#ifndef BENCH_ROUTE_H
#define BENCH_ROUTE_H

#include "bridgehub.h"
#include "payload.h"
#include "place.h"

/* A way from Bridge to a client: a server in a process of its own, and the client's connection to it. */

enum { ROUTE_INPUT_MAX = 65536, ROUTE_PATH_MAX = 104 };

typedef struct {
  char endpoint[ROUTE_PATH_MAX];
  uint16_t port;
  pid_t process;     /* 0: none */
  int connection;    /* -1: none */
  bh_client *client; /* NULL: octets come as they are */
  uint8_t *octets;   /* what came of the export, where there is no client */
  size_t taken;      /* of what is in `input`, by the client */
  size_t filled;
  uint8_t input[ROUTE_INPUT_MAX];
} route;

/* False: it said why. To be closed in either case. */
bool route_open_hub(route *r, const char *program, const char *directory);
/* `most` is the size of the largest export. */
bool route_open_relay(route *r, const char *program, const char *directory, size_t most);
void route_close(route *r);

/*
 * Exports, as Bridge does, and answers how many nanoseconds went by from before the first octet was written until the
 * client had all of it. Then, unmeasured: compares what came, and waits until the server is done with it. Negative: it
 * failed, and said so.
 */
double route_export(route *r, const payload *p);

#endif
