/* SPDX-License-Identifier: MIT */
#ifndef OPENER_H
#define OPENER_H

/*
 * A process that opens a connection to an endpoint and hands it to the suite: it is the one that the operating system
 * names as the peer. It does nothing more, and ends with the case at the latest.
 */

#include <sys/types.h>

struct opener {
  struct opener *next;
  pid_t pid; /* 0: it has ended */
  int pair;  /* its end is the opener's end */
};

/* Sets `descriptor`: -1 where the endpoint took no connection. NULL: no process could be started. */
struct opener *opener_start(const char *endpoint, int *descriptor);
/* SIGKILL, and waits. The connection goes on. */
void opener_kill(struct opener *opener);
/* All of the case. */
void openers_kill(void);

#endif
