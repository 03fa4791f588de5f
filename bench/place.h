/* SPDX-License-Identifier: MIT */
#ifndef BENCH_PLACE_H
#define BENCH_PLACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Where programs are run: a private directory, ports of their own, and their end. What fails says why on stderr. */

enum { PLACE_MAX = 80 }; /* with a socket's name behind it, it fits sun_path */

/* Where the hub would have its files: $XDG_RUNTIME_DIR, else $TMPDIR, else /tmp. */
const char *place_parent(void);
bool place_make(char directory[PLACE_MAX]);
void place_remove(const char *directory);

/* A port of 127.0.0.1 that nobody has; 0: none. */
uint16_t place_port(void);

/* argv[0] is the program. It ends when this process does. -1: it cannot be started. */
pid_t place_start(char *const argv[]);
/* Tells it to end, and waits for it. */
void place_end(pid_t process);

#endif
