/* SPDX-License-Identifier: MIT */
#include "uv_file.h"
#include "uv_port_holder.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <netinet/in.h>
#include <unistd.h>

/* By /proc: the tables of sockets have the socket's inode, and whoever has it open has a link that names it. */

/* The fields of a line of /proc/net/tcp that are of interest, counted from 0. */
enum { FIELD_LOCAL = 1, FIELD_STATE = 3, FIELD_USER = 7, FIELD_INODE = 9, FIELDS = 10 };

enum { LINE_MAX_OCTETS = 512, LINK_MAX_OCTETS = 64, ADDRESS_DIGITS = 8 };

static const char listening[] = "0A";

typedef struct {
  unsigned long user;
  char link[LINK_MAX_OCTETS]; /* what leads to it in /proc/PID/fd */
} socket_found;

typedef struct {
  const socket_found *socket;
  const char *process; /* that is being looked at */
  bh_port_holder *holder;
} search;

/* An address is its 32-bit words in hex, as they lie in memory; an IPv4 one inside of IPv6 is the last of them. */
static bool is_on_port(const char *local, uint16_t port) {
  char loopback[ADDRESS_DIGITS + 1];
  const char *colon = strchr(local, ':');
  const char *address;

  if (colon == NULL || colon - local < ADDRESS_DIGITS || strtoul(colon + 1, NULL, 16) != port) {
    return false;
  }
  address = colon - ADDRESS_DIGITS;
  snprintf(loopback, sizeof loopback, "%08lX", (unsigned long)htonl(INADDR_LOOPBACK));
  return strncmp(address, loopback, ADDRESS_DIGITS) == 0 || strncmp(address, "00000000", ADDRESS_DIGITS) == 0;
}

static bool parse_socket(char *line, uint16_t port, socket_found *found) {
  char *fields[FIELDS];
  char *rest = NULL;
  size_t count = 0;

  for (char *field = strtok_r(line, " ", &rest); field != NULL && count < FIELDS; field = strtok_r(NULL, " ", &rest)) {
    fields[count++] = field;
  }
  if (count < FIELDS || strcmp(fields[FIELD_STATE], listening) != 0 || !is_on_port(fields[FIELD_LOCAL], port)) {
    return false;
  }
  found->user = strtoul(fields[FIELD_USER], NULL, 10);
  snprintf(found->link, sizeof found->link, "socket:[%s]", fields[FIELD_INODE]);
  return true;
}

static bool find_socket(const char *table, uint16_t port, socket_found *found) {
  char line[LINE_MAX_OCTETS];
  FILE *file = fopen(table, "re");
  bool is_there = false;

  while (file != NULL && !is_there && fgets(line, sizeof line, file) != NULL) {
    is_there = parse_socket(line, port, found);
  }
  if (file != NULL) {
    fclose(file);
  }
  return is_there;
}

static void read_name(const char *process, char name[BH_PROGRAM_MAX + 1]) {
  char path[LINK_MAX_OCTETS];
  int file;
  int size;

  snprintf(path, sizeof path, "/proc/%s/comm", process);
  file = bh_file_open(path);
  size = file < 0 ? 0 : bh_file_read(file, name, BH_PROGRAM_MAX);
  if (file >= 0) {
    bh_file_close(file);
  }
  name[size > 0 ? size : 0] = '\0';
  name[strcspn(name, "\n")] = '\0';
}

/* Not 0 ends the list. */
static int look_at_file(void *ctx, const char *name) {
  const search *s = ctx;
  char path[LINK_MAX_OCTETS + BH_PROGRAM_MAX];
  char link[LINK_MAX_OCTETS];
  ssize_t size;

  snprintf(path, sizeof path, "/proc/%.16s/fd/%.16s", s->process, name);
  size = readlink(path, link, sizeof link - 1);
  if (size <= 0) {
    return 0;
  }
  link[size] = '\0';
  if (strcmp(link, s->socket->link) != 0) {
    return 0;
  }
  s->holder->pid = (uint32_t)strtoul(s->process, NULL, 10);
  read_name(s->process, s->holder->name);
  return 1;
}

static int look_at_process(void *ctx, const char *name) {
  search *s = ctx;
  char path[LINK_MAX_OCTETS];

  if (name[strspn(name, "0123456789")] != '\0') {
    return 0;
  }
  s->process = name;
  snprintf(path, sizeof path, "/proc/%.16s/fd", name);
  return bh_directory_list(path, look_at_file, s) > 0;
}

void bh_port_holder_look(uint16_t port, bh_port_holder *holder) {
  socket_found found;
  search s = {.socket = &found, .holder = holder};

  if (!find_socket("/proc/net/tcp", port, &found) && !find_socket("/proc/net/tcp6", port, &found)) {
    return;
  }
  bh_directory_list("/proc", look_at_process, &s);
  holder->foreign = holder->pid == 0 && found.user != geteuid();
}
