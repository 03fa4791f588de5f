/* SPDX-License-Identifier: MIT */
/* Nothing stays behind: neither hubs nor directories, however the run ends. */

#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <uv.h>

#include "internal.h"
#include "runner.h"

#define TITLE "guard of a suite"
#define ATTEMPTS 20
#define ATTEMPT_MS 25

static void end_hubs(const char *run) {
  char path[512];
  snprintf(path, sizeof path, "%s/" PIDS, run);
  DIR *pids = opendir(path);
  if (!pids) {
    return;
  }
  for (struct dirent *entry; (entry = readdir(pids));) {
    long group = strtol(entry->d_name, NULL, 10);
    if (group > 1) {
      kill((pid_t)-group, SIGKILL);
    }
  }
  closedir(pids);
}

_Noreturn static void guard(const char *run, bool keep, int guarded) {
  char octet;
  setsid();
  uv_set_process_title(TITLE); /* pkill and killall, on the suite's name, are not to find it */
  bool orderly = false;        /* the runner has said that all is over */
  while (read(guarded, &octet, 1) > 0) {
    orderly = true;
  }
  /* Workers notice a little later that the runner was killed, and end by themselves what they have just started. */
  for (int attempt = orderly ? ATTEMPTS : 1; attempt <= ATTEMPTS; attempt++) {
    end_hubs(run);
    poll(NULL, 0, orderly ? 0 : ATTEMPT_MS);
  }
  if (!keep) {
    remove_directory(run);
  }
  _exit(0);
}

pid_t guard_start(const char *run, bool keep, int *guarded) {
  int ends[2];
  if (pipe(ends) != 0) {
    return -1;
  }
  fcntl(ends[0], F_SETFD, FD_CLOEXEC);
  fcntl(ends[1], F_SETFD, FD_CLOEXEC);
  pid_t pid = fork();
  if (pid == 0) {
    close(ends[1]);
    /* Whoever reads the runner's output waits for its end, not for this. */
    close(STDOUT_FILENO);
    close(STDERR_FILENO);
    guard(run, keep, ends[0]);
  }
  close(ends[0]);
  *guarded = ends[1];
  return pid;
}

void guard_end(pid_t guard, int guarded) {
  (void)!write(guarded, "", 1);
  close(guarded);
  waitpid(guard, NULL, 0);
}
