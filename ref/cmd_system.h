/* SPDX-License-Identifier: MIT */
#ifndef BH_CMD_SYSTEM_H
#define BH_CMD_SYSTEM_H

#include <uv.h>

#include <stdbool.h>
#include <stdio.h>

/* What differs from system to system in how a program is started, told to end, and given files. */

/* Before anything else: standard files, signals, and on Windows the command line as UTF-8. */
void cmd_system_begin(int *argc, char ***argv);

/* The signals that end a command, and how its log tells of them. */
typedef struct {
  int number;
  const char *text;
} cmd_signal;

enum { CMD_SIGNALS_MAX = 3 };

extern const cmd_signal cmd_signal_list[CMD_SIGNALS_MAX]; /* with a text of NULL after the last */

/* Whether standard input is a device like /dev/null: nothing will ever come, which is not the same as a writer that has
 * ended. */
bool cmd_input_is_null(void);

/* As fopen() for reading octets; sets errno. */
FILE *cmd_open_file(const char *name);

#endif
