/* SPDX-License-Identifier: MIT */
#ifdef __linux__
/* struct ucred */
#define _GNU_SOURCE
#endif

#include "uv_process.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#ifdef __linux__

#include "uv_file.h"

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

static int credentials(int socket, uid_t *user, uint32_t *pid) {
  struct ucred peer;
  socklen_t size = sizeof peer;

  if (getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0) {
    return uv_translate_sys_error(errno);
  }
  *user = peer.uid;
  *pid = (uint32_t)peer.pid;
  return 0;
}

static uint64_t start_of(uint32_t pid) {
  process_status status;

  return pid != 0 && read_status(pid, &status) ? status.start : 0;
}

static bh_process_state look_closer(const bh_process *process) {
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

#else

static int credentials(int socket, uid_t *user, uint32_t *pid) {
  gid_t group;

  if (getpeereid(socket, user, &group) != 0) {
    return uv_translate_sys_error(errno);
  }
  *pid = 0;
#ifdef LOCAL_PEERPID
  pid_t peer = 0;
  socklen_t size = sizeof peer;
  if (getsockopt(socket, SOL_LOCAL, LOCAL_PEERPID, &peer, &size) == 0) {
    *pid = (uint32_t)peer;
  }
#endif
  return 0;
}

static uint64_t start_of(uint32_t pid) {
  (void)pid;
  return 0;
}

static bh_process_state look_closer(const bh_process *process) {
  (void)process;
  return BH_PROCESS_LIVES;
}

#endif

int bh_process_of_peer(const uv_pipe_t *pipe, bh_process *process) {
  uv_os_fd_t socket;
  uid_t user = 0;
  int error = uv_fileno((const uv_handle_t *)pipe, &socket);

  *process = (bh_process){0};
  if (error == 0) {
    error = credentials(socket, &user, &process->pid);
  }
  if (error != 0) {
    return error;
  }
  if (user != geteuid()) {
    return UV_EACCES;
  }
  process->start = start_of(process->pid);
  return 0;
}

bh_process_state bh_process_look(const bh_process *process) {
  if (process->pid == 0) {
    return BH_PROCESS_LIVES;
  }
  if (kill((pid_t)process->pid, 0) != 0 && errno == ESRCH) {
    return BH_PROCESS_GONE;
  }
  return look_closer(process);
}
