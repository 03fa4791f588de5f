/* SPDX-License-Identifier: MIT */
#include "cmd_system.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

/*
 * A descriptor that was closed could otherwise become a socket's, and be written to by the log. Standard output is
 * opened for reading, so that writing fails as it would have: `client --ack` must not finish what nobody can read.
 */
static void open_standard_files(void) {
  for (int file = STDIN_FILENO; file <= STDERR_FILENO; file++) {
    if (fcntl(file, F_GETFD) < 0) {
      open("/dev/null", file == STDERR_FILENO ? O_WRONLY : O_RDONLY); /* the lowest that is free: this one */
    }
  }
}

/* NOLINTNEXTLINE(readability-non-const-parameter): Windows sets them */
void cmd_system_begin(int *argc, char ***argv) {
  struct sigaction ignore = {.sa_handler = SIG_IGN};

  (void)argc;
  (void)argv;
  open_standard_files();
  /* A peer that is gone is told by the write that fails, and a terminal that may not be read by the read. */
  sigaction(SIGPIPE, &ignore, NULL);
  sigaction(SIGTTIN, &ignore, NULL);
  sigaction(SIGXFSZ, &ignore, NULL); /* a file that may not grow is told by the write that fails, too */
}

const cmd_signal cmd_signal_list[CMD_SIGNALS_MAX] = {{SIGINT, "interrupted"}, {SIGTERM, "told to terminate"}};

bool cmd_input_is_null(void) {
  struct stat status;

  return fstat(STDIN_FILENO, &status) == 0 && S_ISCHR(status.st_mode) && !isatty(STDIN_FILENO);
}

FILE *cmd_open_file(const char *name) {
  return fopen(name, "rb");
}
