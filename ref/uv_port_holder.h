/* SPDX-License-Identifier: MIT */
#ifndef BH_UV_PORT_HOLDER_H
#define BH_UV_PORT_HOLDER_H

#include "bridgehub.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Who listens on a port that is held (BH-ELECT-008), as far as the system tells that without privileges. */

enum { BH_PORT_HOLDER_TEXT_MAX = BH_PROGRAM_MAX + 64 };

typedef struct {
  uint32_t pid;                  /* 0: not known */
  char name[BH_PROGRAM_MAX + 1]; /* of its program; UTF-8; "": not known */
  bool foreign;                  /* it is another user's, which is all that is known */
} bh_port_holder;

/* On 127.0.0.1, or on all addresses. It takes some milliseconds. */
void bh_port_holder_find(uint16_t port, bh_port_holder *holder);

/* For people: "python3 (process 4711)", "another program". */
void bh_port_holder_say(const bh_port_holder *holder, char text[BH_PORT_HOLDER_TEXT_MAX]);

/* The system's own way: fills in what is known of a zeroed holder. The name may be cut short anywhere. */
void bh_port_holder_look(uint16_t port, bh_port_holder *holder);

#endif
