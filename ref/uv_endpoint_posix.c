/* SPDX-License-Identifier: MIT */
#include "uv_endpoint.h"

#include "uv_file.h"
#include "uv_fork.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static bool is_listened_on(const char *endpoint) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  int probe = socket(AF_UNIX, SOCK_STREAM, 0);
  bool listened_on;

  if (probe < 0) {
    return false;
  }
  fcntl(probe, F_SETFD, FD_CLOEXEC);
  fcntl(probe, F_SETFL, O_NONBLOCK);
  memcpy(address.sun_path, endpoint, strlen(endpoint));
  /* A queue that is full answers EAGAIN: somebody listens, and does not accept. */
  listened_on = connect(probe, (const struct sockaddr *)&address, sizeof address) == 0 || errno == EAGAIN;
  close(probe);
  return listened_on;
}

int bh_endpoint_clear(const char *endpoint, bh_why *why) {
  uv_stat_t status;
  int error = bh_file_link_status(endpoint, &status);

  if (error == UV_ENOENT) {
    return 0;
  }
  if (error == 0 && (status.st_mode & S_IFMT) != S_IFSOCK) {
    return bh_why_set(why, UV_EEXIST, "the endpoint %s is there already and is no socket: remove it", endpoint);
  }
  if (error == 0 && is_listened_on(endpoint)) {
    return bh_why_set(why, UV_EBUSY,
                      "the endpoint %s is another hub's, which has another port and spool: choose another group",
                      endpoint);
  }
  error = error != 0 ? error : bh_file_remove(endpoint);
  if (error != 0) {
    return bh_why_set(why, error, "the endpoint %s, left by a dead hub, cannot be removed: %s", endpoint,
                      uv_strerror(error));
  }
  return 0;
}

static int make_private(const char *endpoint) {
  uv_fs_t request;
  int error = uv_fs_chmod(NULL, &request, endpoint, 0600, NULL);

  uv_fs_req_cleanup(&request);
  return error;
}

int bh_endpoint_listen(uv_loop_t *loop, uv_pipe_t *listener, const char *endpoint, int backlog,
                       uv_connection_cb connection, bh_why *why) {
  int error = uv_pipe_init(loop, listener, 0);

  if (error == 0) {
    error = uv_pipe_bind(listener, endpoint);
    bh_fork_guard_handle((const uv_handle_t *)listener);
  }
  /* Nobody can connect before the listen. */
  if (error == 0) {
    error = make_private(endpoint);
  }
  if (error == 0) {
    error = uv_listen((uv_stream_t *)listener, backlog, connection);
  }
  if (error != 0) {
    return bh_why_set(why, error, "the endpoint %s cannot be opened (is its directory there?): %s", endpoint,
                      uv_strerror(error));
  }
  return 0;
}

size_t bh_endpoint_read(const uv_pipe_t *pipe, void *octets, size_t size) {
  uv_os_fd_t descriptor;
  ssize_t got;

  if (uv_fileno((const uv_handle_t *)pipe, &descriptor) != 0) {
    return 0;
  }
  do {
    got = read(descriptor, octets, size);
  } while (got < 0 && errno == EINTR);
  return got > 0 ? (size_t)got : 0;
}

int bh_endpoint_try_write(uv_pipe_t *pipe, const void *octets, size_t size) {
  uv_buf_t buffer = uv_buf_init((char *)octets, (unsigned)size);

  return uv_try_write((uv_stream_t *)pipe, &buffer, 1);
}

void bh_endpoint_connect(uv_connect_t *request, uv_pipe_t *pipe, const char *endpoint, uv_connect_cb connected) {
  uv_pipe_connect(request, pipe, endpoint, connected);
}
