/* SPDX-License-Identifier: MIT */
/* struct ucred */
#define _GNU_SOURCE

#include "uv_file.h"
#include "uv_process_posix.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sys/socket.h>

/* By SO_PEERCRED and /proc. */

/* The fields of /proc/PID/stat that are of interest, counted from 0 after the name in parentheses. */
enum { FIELD_STATE = 0, FIELD_FLAGS = 6, FIELD_THREADS = 17, FIELD_START = 19, FIELDS = 20 };

/* The kernel sets it when the process begins to end, before it closes the files: an end of file comes after. */
static const uint64_t flag_exiting = 0x4;

typedef struct {
  char state;
  uint64_t flags;
  uint64_t threads;
  uint64_t start;
} process_status;

static bool parse_status(char *text, process_status *status) {
  char *fields[FIELDS];
  char *at = strrchr(text, ')');
  char *rest = NULL;
  size_t count = 0;

  if (at == NULL) {
    return false;
  }
  for (char *field = strtok_r(at + 1, " ", &rest); field != NULL && count < FIELDS;
       field = strtok_r(NULL, " ", &rest)) {
    fields[count++] = field;
  }
  if (count < FIELDS) {
    return false;
  }
  status->state = fields[FIELD_STATE][0];
  status->flags = strtoull(fields[FIELD_FLAGS], NULL, 10);
  status->threads = strtoull(fields[FIELD_THREADS], NULL, 10);
  status->start = strtoull(fields[FIELD_START], NULL, 10);
  return true;
}

static bool read_status(uint32_t pid, process_status *status) {
  char path[64];
  char text[1024];
  int file;
  int size;

  snprintf(path, sizeof path, "/proc/%lu/stat", (unsigned long)pid);
  file = bh_file_open(path);
  if (file < 0) {
    return false;
  }
  size = bh_file_read(file, text, sizeof text - 1);
  bh_file_close(file);
  if (size <= 0) {
    return false;
  }
  text[size] = '\0';
  return parse_status(text, status);
}

int bh_process_credentials(int socket, uid_t *user, uint32_t *pid) {
  struct ucred peer;
  socklen_t size = sizeof peer;

  if (getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0) {
    return uv_translate_sys_error(errno);
  }
  *user = peer.uid;
  *pid = (uint32_t)peer.pid;
  return 0;
}

uint64_t bh_process_start(uint32_t pid) {
  process_status status;

  return pid != 0 && read_status(pid, &status) ? status.start : 0;
}

bh_process_state bh_process_look_closer(const bh_process *process) {
  process_status status;

  if (!read_status(process->pid, &status)) {
    return BH_PROCESS_LIVES;
  }
  if (process->start != 0 && process->start != status.start) {
    return BH_PROCESS_GONE;
  }
  if (status.state != 'Z' && status.state != 'X' && (status.flags & flag_exiting) == 0) {
    return BH_PROCESS_LIVES;
  }
  /* The first thread of a process can end while the others go on. */
  return status.threads <= 1 ? BH_PROCESS_GONE : BH_PROCESS_ENDS;
}
