/* SPDX-License-Identifier: MIT */
#define _XOPEN_SOURCE 700
#include "place.h"

#include <errno.h>
#include <ftw.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { DESCRIPTORS = 16, END_MS = 5000, NOT_STARTED = 127 };

const char *place_parent(void) {
  const char *runtime = getenv("XDG_RUNTIME_DIR");
  const char *temporary = getenv("TMPDIR");

  if (runtime != NULL && runtime[0] != '\0') {
    return runtime;
  }
  return temporary != NULL && temporary[0] != '\0' ? temporary : "/tmp";
}

bool place_make(char directory[PLACE_MAX]) {
  int size = snprintf(directory, PLACE_MAX, "%s/bridgehub-bench-XXXXXX", place_parent());

  if (size >= PLACE_MAX) {
    fprintf(stderr, "bench: %s is too long for what lies below it: choose another\n", place_parent());
    return false;
  }
  if (mkdtemp(directory) == NULL) {
    fprintf(stderr, "bench: no directory can be made in %s: %s\n", place_parent(), strerror(errno));
    return false;
  }
  return true;
}

static int remove_entry(const char *path, const struct stat *status, int type, struct FTW *entry) {
  (void)status;
  (void)type;
  (void)entry;
  return remove(path);
}

void place_remove(const char *directory) {
  if (nftw(directory, remove_entry, DESCRIPTORS, FTW_DEPTH | FTW_PHYS) != 0) {
    fprintf(stderr, "bench: %s cannot be removed: %s\n", directory, strerror(errno));
  }
}

uint16_t place_port(void) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t size = sizeof address;
  int file = socket(AF_INET, SOCK_STREAM, 0);
  bool found = file >= 0 && bind(file, (const struct sockaddr *)&address, sizeof address) == 0 &&
               getsockname(file, (struct sockaddr *)&address, &size) == 0;

  if (!found) {
    fprintf(stderr, "bench: no port can be had: %s\n", strerror(errno));
  }
  if (file >= 0) {
    close(file);
  }
  return found ? ntohs(address.sin_port) : 0;
}

/* In the child. Nobody may be left to end it by the time it asks to be ended. */
static void become(char *const argv[], pid_t parent) {
  prctl(PR_SET_PDEATHSIG, SIGTERM);
  if (getppid() == parent) {
    execv(argv[0], argv);
    fprintf(stderr, "bench: %s cannot be started: %s\n", argv[0], strerror(errno));
  }
  _exit(NOT_STARTED);
}

pid_t place_start(char *const argv[]) {
  pid_t parent = getpid();
  pid_t process = fork();

  if (process == 0) {
    become(argv, parent);
  }
  if (process < 0) {
    fprintf(stderr, "bench: %s cannot be started: %s\n", argv[0], strerror(errno));
  }
  return process;
}

void place_end(pid_t process) {
  struct pollfd ended = {.fd = pidfd_open(process, 0), .events = POLLIN};

  kill(process, SIGTERM);
  if (ended.fd < 0 || poll(&ended, 1, END_MS) != 1) {
    fprintf(stderr, "bench: process %ld does not end, and is killed\n", (long)process);
    kill(process, SIGKILL);
  }
  waitpid(process, NULL, 0);
  if (ended.fd >= 0) {
    close(ended.fd);
  }
}
