/* SPDX-License-Identifier: MIT */
#include "uv_process.h"

#include "uv_user_windows.h"

#include <windows.h>

/* The system keeps the pid of whoever opened a pipe; what else is of interest is asked of the process. */

static HANDLE open_process(uint32_t pid) {
  return OpenProcess(PROCESS_QUERY_LIMITED_INFORMATION | SYNCHRONIZE, FALSE, pid);
}

/* 100 ns since 1601; 0: not known. */
static uint64_t start_of(HANDLE process) {
  FILETIME created;
  FILETIME exited;
  FILETIME kernel;
  FILETIME user;

  if (!GetProcessTimes(process, &created, &exited, &kernel, &user)) {
    return 0;
  }
  return (uint64_t)created.dwHighDateTime << 32 | created.dwLowDateTime;
}

static bool is_this_users(HANDLE process) {
  bh_user its;
  bh_user ours;

  return bh_user_of(process, &its) && bh_user_of(GetCurrentProcess(), &ours) &&
         EqualSid(its.user.User.Sid, ours.user.User.Sid);
}

/* The pid at the other end; 0: not known. */
static uint32_t pid_at_other_end(HANDLE pipe) {
  DWORD flags;
  ULONG pid = 0;
  BOOL known = FALSE;

  if (GetNamedPipeInfo(pipe, &flags, NULL, NULL, NULL)) {
    known = (flags & PIPE_SERVER_END) != 0 ? GetNamedPipeClientProcessId(pipe, &pid)
                                           : GetNamedPipeServerProcessId(pipe, &pid);
  }
  return known ? (uint32_t)pid : 0;
}

int bh_process_of_peer(const uv_pipe_t *pipe, bh_process *process) {
  uv_os_fd_t handle;
  HANDLE peer;
  int error = uv_fileno((const uv_handle_t *)pipe, &handle);

  *process = (bh_process){0};
  if (error != 0) {
    return error;
  }
  process->pid = pid_at_other_end(handle);
  peer = process->pid == 0 ? NULL : open_process(process->pid);
  if (peer == NULL) {
    /* One that is gone by now has sent what it has sent; one that may not be looked at is another user's. */
    return process->pid != 0 && GetLastError() == ERROR_INVALID_PARAMETER ? 0 : UV_EACCES;
  }
  process->start = start_of(peer);
  error = is_this_users(peer) ? 0 : UV_EACCES;
  CloseHandle(peer);
  return error;
}

/* While anybody has a handle of it a process that has ended is still there. */
static bh_process_state look_at(HANDLE process, uint64_t start) {
  uint64_t its = start_of(process);
  DWORD status;

  if (start != 0 && its != 0 && its != start) {
    return BH_PROCESS_GONE;
  }
  if (WaitForSingleObject(process, 0) == WAIT_OBJECT_0) {
    return BH_PROCESS_GONE;
  }
  /* Its status is set before its handles are closed, and it itself is signalled after. */
  return GetExitCodeProcess(process, &status) && status != STILL_ACTIVE ? BH_PROCESS_ENDS : BH_PROCESS_LIVES;
}

bh_process_state bh_process_look(const bh_process *process) {
  bh_process_state state;
  HANDLE handle;

  if (process->pid == 0) {
    return BH_PROCESS_LIVES;
  }
  handle = open_process(process->pid);
  if (handle == NULL) {
    return GetLastError() == ERROR_INVALID_PARAMETER ? BH_PROCESS_GONE : BH_PROCESS_LIVES;
  }
  state = look_at(handle, process->start);
  CloseHandle(handle);
  return state;
}
