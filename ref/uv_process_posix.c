/* SPDX-License-Identifier: MIT */
#include "uv_process_posix.h"

#include <errno.h>
#include <signal.h>

#include <unistd.h>

int bh_process_of_peer(const uv_pipe_t *pipe, bh_process *process) {
  uv_os_fd_t socket;
  uid_t user = 0;
  int error = uv_fileno((const uv_handle_t *)pipe, &socket);

  *process = (bh_process){0};
  if (error == 0) {
    error = bh_process_credentials(socket, &user, &process->pid);
  }
  if (error != 0) {
    return error;
  }
  if (user != geteuid()) {
    return UV_EACCES;
  }
  process->start = bh_process_start(process->pid);
  return 0;
}

bh_process_state bh_process_look(const bh_process *process) {
  if (process->pid == 0) {
    return BH_PROCESS_LIVES;
  }
  if (kill((pid_t)process->pid, 0) != 0 && errno == ESRCH) {
    return BH_PROCESS_GONE;
  }
  return bh_process_look_closer(process);
}
