/* SPDX-License-Identifier: MIT */
#include "uv_port_holder.h"

#include "uv_link.h"

#include <stdio.h>
#include <string.h>

#include <uv.h>

/* A character that was cut is dropped, and what is no UTF-8 then is no name that could be shown. */
static void mend_name(char *name) {
  size_t size = strlen(name);

  while (size > 0 && !bh_link_name_is_valid(name)) {
    size--;
    if (((unsigned char)name[size] & 0x80u) == 0) {
      name[0] = '\0';
      return;
    }
    name[size] = '\0';
  }
}

void bh_port_holder_find(uint16_t port, bh_port_holder *holder) {
  memset(holder, 0, sizeof *holder);
  bh_port_holder_look(port, holder);
  mend_name(holder->name);
}

void bh_port_holder_say(const bh_port_holder *holder, char text[BH_PORT_HOLDER_TEXT_MAX]) {
  const char *name = holder->name[0] == '\0' ? "a program" : holder->name;

  if (holder->pid == 0) {
    snprintf(text, BH_PORT_HOLDER_TEXT_MAX, "%s", holder->foreign ? "a program of another user" : "another program");
  } else if (holder->pid == (uint32_t)uv_os_getpid()) {
    snprintf(text, BH_PORT_HOLDER_TEXT_MAX, "another part of this process");
  } else {
    snprintf(text, BH_PORT_HOLDER_TEXT_MAX, "%s (process %lu)", name, (unsigned long)holder->pid);
  }
}
