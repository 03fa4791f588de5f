/* SPDX-License-Identifier: MIT */

#include "opener.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "internal.h"

static struct opener *openers;

/* One descriptor, or none, with an octet. */
union control {
  struct cmsghdr header; /* for the alignment */
  char space[CMSG_SPACE(sizeof(int))];
};

static void hand_over(int pair, int descriptor) {
  union control control = {0};
  struct iovec octet = {.iov_base = "", .iov_len = 1};
  struct msghdr message = {.msg_iov = &octet, .msg_iovlen = 1};

  if (descriptor >= 0) {
    message.msg_control = control.space;
    message.msg_controllen = sizeof control.space;
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof descriptor);
    memcpy(CMSG_DATA(header), &descriptor, sizeof descriptor);
  }
  sendmsg(pair, &message, 0);
}

static int take_over(int pair) {
  union control control;
  char octet;
  struct iovec space = {.iov_base = &octet, .iov_len = 1};
  struct msghdr message = {
      .msg_iov = &space, .msg_iovlen = 1, .msg_control = control.space, .msg_controllen = sizeof control.space};
  int descriptor = -1;

  ssize_t size;
  do {
    size = recvmsg(pair, &message, 0);
  } while (size < 0 && errno == EINTR);
  struct cmsghdr *header = size == 1 ? CMSG_FIRSTHDR(&message) : NULL;
  if (header && header->cmsg_type == SCM_RIGHTS) {
    memcpy(&descriptor, CMSG_DATA(header), sizeof descriptor);
    fcntl(descriptor, F_SETFD, FD_CLOEXEC);
  }
  return descriptor;
}

static int open_connection(const char *endpoint) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};

  if (strlen(endpoint) >= sizeof address.sun_path) {
    return -1;
  }
  strcpy(address.sun_path, endpoint);
  int descriptor = socket(AF_UNIX, SOCK_STREAM, 0);
  return connect(descriptor, (struct sockaddr *)&address, sizeof address) == 0 ? descriptor : -1;
}

/* Between fork() and its end it calls only what may be called there. */
_Noreturn static void open_and_wait(const char *endpoint, int pair, int descriptors) {
  char octet;

  /* What it holds open would not end for others when the suite closes it. */
  for (int other = 3; other < descriptors; other++) {
    if (other != pair) {
      close(other);
    }
  }
  int descriptor = open_connection(endpoint);
  hand_over(pair, descriptor);
  close(descriptor);
  while (read(pair, &octet, 1) < 0 && errno == EINTR) {
  }
  _exit(0);
}

struct opener *opener_start(const char *endpoint, int *descriptor) {
  struct opener *opener = allocate(sizeof *opener);
  int pair[2];

  if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) != 0) {
    return NULL;
  }
  fcntl(pair[0], F_SETFD, FD_CLOEXEC);
  int descriptors = (int)sysconf(_SC_OPEN_MAX);
  opener->pid = fork();
  if (opener->pid == 0) {
    open_and_wait(endpoint, pair[1], descriptors);
  }
  close(pair[1]);
  if (opener->pid < 0) {
    close(pair[0]);
    return NULL;
  }
  opener->pair = pair[0];
  opener->next = openers;
  openers = opener;
  *descriptor = take_over(opener->pair);
  return opener;
}

void opener_kill(struct opener *opener) {
  if (opener->pid) {
    kill(opener->pid, SIGKILL);
    while (waitpid(opener->pid, NULL, 0) < 0 && errno == EINTR) {
    }
    close(opener->pair);
    opener->pid = 0;
  }
}

void openers_kill(void) {
  for (struct opener *opener = openers; opener; opener = opener->next) {
    opener_kill(opener);
  }
  openers = NULL;
}
