/* SPDX-License-Identifier: MIT */
#include "uv_endpoint.h"

#include "uv_user_windows.h"
#include "uv_wide_windows.h"

#include <stdlib.h>
#include <string.h>

#include <windows.h>

#include <aclapi.h>

enum {
  INSTANCES = 64,    /* as many as may connect while the hub is busy */
  WRITE_MAX = 65536, /* octets copied at a time */
  BUSY_PATIENCE_MS = 20,
};

/* ---- listening */

/* A pipe has no file that a dead hub could leave. Asking for an instance neither takes one nor disturbs its hub. */
int bh_endpoint_clear(const char *endpoint, bh_why *why) {
  WCHAR *name = bh_wide(endpoint);
  bool is_there = name != NULL && (WaitNamedPipeW(name, 1) || GetLastError() == ERROR_SEM_TIMEOUT);

  free(name);
  return is_there ? bh_why_set(why, UV_EBUSY,
                               "the endpoint %s is another hub's, which has another port and spool, or another user's: "
                               "choose another group",
                               endpoint)
                  : 0;
}

static EXPLICIT_ACCESSW entry(ACCESS_MODE mode, SID *sid) {
  EXPLICIT_ACCESSW access = {.grfAccessPermissions = FILE_ALL_ACCESS, .grfAccessMode = mode};

  access.Trustee.TrusteeForm = TRUSTEE_IS_SID;
  access.Trustee.ptstrName = (WCHAR *)sid;
  return access;
}

/*
 * For this user, and for nobody who comes over the network. All instances of a pipe share the first one's list, and
 * whoever is not on it cannot make another instance. (libuv has no way to give the list when it makes the pipe. Until
 * it is set, others could open it for reading: they are refused when they are taken, by bh_process_of_peer().)
 */
static DWORD make_private(HANDLE pipe) {
  BYTE network[SECURITY_MAX_SID_SIZE];
  DWORD size = sizeof network;
  EXPLICIT_ACCESSW entries[2];
  bh_user user;
  ACL *list;
  DWORD error;

  if (!bh_user_of(GetCurrentProcess(), &user) || !CreateWellKnownSid(WinNetworkSid, NULL, network, &size)) {
    return GetLastError();
  }
  entries[0] = entry(DENY_ACCESS, (SID *)network);
  entries[1] = entry(SET_ACCESS, user.user.User.Sid);
  error = SetEntriesInAclW(2, entries, NULL, &list);
  if (error == 0) {
    error = SetSecurityInfo(pipe, SE_KERNEL_OBJECT, DACL_SECURITY_INFORMATION | PROTECTED_DACL_SECURITY_INFORMATION,
                            NULL, NULL, list, NULL);
    LocalFree(list);
  }
  return error;
}

/* libuv makes the first instance with FILE_FLAG_FIRST_PIPE_INSTANCE: it fails where anybody has the name. */
int bh_endpoint_listen(uv_loop_t *loop, uv_pipe_t *listener, const char *endpoint, int backlog,
                       uv_connection_cb connection, bh_why *why) {
  int error = uv_pipe_init(loop, listener, 0);
  uv_os_fd_t pipe;

  uv_pipe_pending_instances(listener, INSTANCES);
  if (error == 0) {
    error = uv_pipe_bind(listener, endpoint);
  }
  if (error == 0) {
    error = uv_fileno((const uv_handle_t *)listener, &pipe);
  }
  if (error == 0) {
    error = uv_translate_sys_error((int)make_private(pipe));
  }
  if (error == 0) {
    error = uv_listen((uv_stream_t *)listener, backlog, connection);
  }
  if (error != 0) {
    return bh_why_set(why, error, "the endpoint %s cannot be opened: %s", endpoint, uv_strerror(error));
  }
  return 0;
}

/* ---- connecting */

/* The server may learn who connects, and may do nothing in his name. */
static HANDLE open_pipe(const WCHAR *name) {
  return CreateFileW(name, GENERIC_READ | GENERIC_WRITE, 0, NULL, OPEN_EXISTING,
                     FILE_FLAG_OVERLAPPED | SECURITY_SQOS_PRESENT | SECURITY_IDENTIFICATION, NULL);
}

static int open_endpoint(const char *endpoint, HANDLE *pipe) {
  WCHAR *name = bh_wide(endpoint);

  if (name == NULL) {
    return UV_EINVAL;
  }
  *pipe = open_pipe(name);
  if (*pipe == INVALID_HANDLE_VALUE && GetLastError() == ERROR_PIPE_BUSY && WaitNamedPipeW(name, BUSY_PATIENCE_MS)) {
    *pipe = open_pipe(name);
  }
  free(name);
  if (*pipe != INVALID_HANDLE_VALUE) {
    return 0;
  }
  switch (GetLastError()) {
  case ERROR_PIPE_BUSY:
  case ERROR_SEM_TIMEOUT:
    return UV_EAGAIN;
  case ERROR_ACCESS_DENIED:
    return UV_EPERM;
  default:
    return uv_translate_sys_error((int)GetLastError());
  }
}

static int adopt(uv_pipe_t *pipe, HANDLE handle) {
  int file = uv_open_osfhandle(handle);
  int error = file < 0 ? UV_EMFILE : uv_pipe_open(pipe, file);

  if (file < 0) {
    CloseHandle(handle);
  } else if (error != 0) {
    uv_fs_t request;

    uv_fs_close(NULL, &request, file, NULL);
    uv_fs_req_cleanup(&request);
  }
  return error;
}

/* uv_pipe_connect() would let the server act as this user, and would not be stopped while all instances are busy. */
void bh_endpoint_connect(uv_connect_t *request, uv_pipe_t *pipe, const char *endpoint, uv_connect_cb connected) {
  HANDLE handle;
  int error = open_endpoint(endpoint, &handle);

  request->handle = (uv_stream_t *)pipe;
  connected(request, error != 0 ? error : adopt(pipe, handle));
}

/* ---- octets */

typedef struct {
  uv_write_t request;
  char octets[];
} copied_write;

static void on_written(uv_write_t *request, int status) {
  (void)status; /* that the connection has ended is told by reading */
  free(request->data);
}

/* libuv writes to a pipe in the background alone; a copy is as good as written while nothing waits before it. */
int bh_endpoint_try_write(uv_pipe_t *pipe, const void *octets, size_t size) {
  size_t taken = size < WRITE_MAX ? size : WRITE_MAX;
  copied_write *write;
  uv_buf_t buffer;
  int error;

  if (uv_stream_get_write_queue_size((const uv_stream_t *)pipe) > 0) {
    return UV_EAGAIN;
  }
  write = malloc(sizeof *write + taken);
  if (write == NULL) {
    return UV_EAGAIN;
  }
  memcpy(write->octets, octets, taken);
  write->request.data = write;
  buffer = uv_buf_init(write->octets, (unsigned)taken);
  error = uv_write(&write->request, (uv_stream_t *)pipe, &buffer, 1, on_written);
  if (error != 0) {
    free(write);
    return error;
  }
  return (int)taken;
}

/* Only what is there already: a read that has to wait would be a second one beside libuv's. */
size_t bh_endpoint_read(const uv_pipe_t *pipe, void *octets, size_t size) {
  DWORD there = 0;
  DWORD got = 0;
  uv_os_fd_t handle;

  if (uv_fileno((const uv_handle_t *)pipe, &handle) != 0 || !PeekNamedPipe(handle, NULL, 0, NULL, &there, NULL) ||
      there == 0) {
    return 0;
  }
  return ReadFile(handle, octets, there < size ? there : (DWORD)size, &got, NULL) ? got : 0;
}
