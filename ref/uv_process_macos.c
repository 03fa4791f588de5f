/* SPDX-License-Identifier: MIT */
/* struct kinfo_proc and LOCAL_PEERPID are no POSIX. */
#define _DARWIN_C_SOURCE

#include "uv_process_posix.h"

#include <errno.h>

#include <sys/socket.h>
#include <sys/sysctl.h>
#include <sys/types.h>
#include <sys/un.h>
#include <unistd.h>

/* By getpeereid(), LOCAL_PEERPID and sysctl(). */

int bh_process_credentials(int socket, uid_t *user, uint32_t *pid) {
  pid_t peer = 0;
  socklen_t size = sizeof peer;
  gid_t group;

  if (getpeereid(socket, user, &group) != 0) {
    return uv_translate_sys_error(errno);
  }
  *pid = getsockopt(socket, SOL_LOCAL, LOCAL_PEERPID, &peer, &size) == 0 ? (uint32_t)peer : 0;
  return 0;
}

static bool read_status(uint32_t pid, struct kinfo_proc *status) {
  int name[] = {CTL_KERN, KERN_PROC, KERN_PROC_PID, (int)pid};
  size_t size = sizeof *status;

  return pid != 0 && sysctl(name, sizeof name / sizeof name[0], status, &size, NULL, 0) == 0 && size > 0;
}

/* Microseconds since 1970. */
static uint64_t start_in(const struct kinfo_proc *status) {
  const struct timeval *start = &status->kp_proc.p_starttime;

  return (uint64_t)start->tv_sec * 1000000 + (uint64_t)start->tv_usec;
}

uint64_t bh_process_start(uint32_t pid) {
  struct kinfo_proc status;

  return read_status(pid, &status) ? start_in(&status) : 0;
}

bh_process_state bh_process_look_closer(const bh_process *process) {
  struct kinfo_proc status;

  if (!read_status(process->pid, &status)) {
    return BH_PROCESS_LIVES;
  }
  if ((process->start != 0 && process->start != start_in(&status)) || status.kp_proc.p_stat == SZOMB) {
    return BH_PROCESS_GONE;
  }
  return (status.kp_proc.p_flag & P_WEXIT) != 0 ? BH_PROCESS_ENDS : BH_PROCESS_LIVES;
}
