/* SPDX-License-Identifier: MIT */
#ifndef BH_CMD_H
#define BH_CMD_H

#include "uv_log.h"
#include "uv_paths.h"
#include "uv_server.h"

#include <stddef.h>
#include <stdint.h>

/* The program's commands: one file each, with one table that its options and its --help come from. */

/* What `bridgehub` exits with. */
enum {
  CMD_OK = 0,
  CMD_FAILED = 1,
  CMD_USAGE = 2, /* the command line is wrong, or a file cannot be read */
};

typedef enum {
  CMD_FLAG,   /* bool */
  CMD_TEXT,   /* const char * */
  CMD_NUMBER, /* uint32_t, from `least` to `most` */
  CMD_PORTS,  /* cmd_ports: may be given again */
  CMD_CHOICE, /* int: the place in `choices` */
} cmd_kind;

typedef struct {
  const char *name;  /* without the dashes */
  const char *value; /* what it takes, for --help; NULL: nothing */
  const char *help;
  cmd_kind kind;
  size_t at; /* of its variable in the command's options */
  uint32_t least;
  uint32_t most;
  const char *const *choices; /* NULL at the end */
} cmd_option;

typedef struct {
  uint16_t port[BH_ALSO_PORTS_MAX];
  size_t count;
} cmd_ports;

typedef struct {
  const char *name;
  const char *summary;  /* one line for `bridgehub --help` */
  const char *operands; /* for --help: "[ID]" */
  int operands_least;
  int operands_most;
  const char *description; /* paragraphs, with line ends */
  const char *example;
  const cmd_option *options; /* the one without a name is the last */
  /* Sets the defaults, parses by cmd_parse(), runs, and returns the exit status. */
  int (*run)(int argc, char **argv);
} cmd_command;

extern const cmd_command cmd_serve;
extern const cmd_command cmd_client;
extern const cmd_command cmd_status;
extern const cmd_command cmd_claim;
extern const cmd_command cmd_release;
extern const cmd_command cmd_send;
extern const cmd_command cmd_lint;
extern const cmd_command cmd_parked;
extern const cmd_command cmd_pipe;

/*
 * Fills in `options` from the command line. Returns the index of the first operand in `argv`, or 0 where the command is
 * at its end: help was asked for, or something is wrong and was said; `status` is what to exit with then.
 */
int cmd_parse(const cmd_command *command, int argc, char **argv, void *options, int *status);
void cmd_print_help(const cmd_command *command);
/* `bridgehub COMMAND: text`, and where help is to be found. Returns CMD_USAGE. */
int cmd_usage(const cmd_command *command, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* `bridgehub COMMAND: text`. Returns CMD_FAILED. */
int cmd_failed(const cmd_command *command, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* ---- what several commands share */

/* Writes to standard error what is at least as grave as `level`, which must outlive the logger. */
bh_logger cmd_logger(const int *level);

#define CMD_OPTION_GROUP(options)                                                                                      \
  {                                                                                                                    \
    .name = "group", .value = "NAME", .help = "of this group; '' (the default) means the default group",               \
    .kind = CMD_TEXT, .at = offsetof(options, group)                                                                   \
  }
#define CMD_OPTION_ENDPOINT(options)                                                                                   \
  {                                                                                                                    \
    .name = "endpoint", .value = "PATH", .help = "the hub's socket; the default is the group's", .kind = CMD_TEXT,     \
    .at = offsetof(options, endpoint)                                                                                  \
  }
#define CMD_OPTION_PORT(options)                                                                                       \
  {                                                                                                                    \
    .name = "port", .value = "N", .help = "Bridge's port; the default group's is 24981", .kind = CMD_NUMBER,           \
    .at = offsetof(options, port), .least = 1, .most = UINT16_MAX                                                      \
  }
#define CMD_OPTION_ALSO_PORT(options)                                                                                  \
  {                                                                                                                    \
    .name = "also-port", .value = "N", .help = "the hub listens for Bridge here too (may be given again)",             \
    .kind = CMD_PORTS, .at = offsetof(options, also_ports), .least = 1, .most = UINT16_MAX                             \
  }
#define CMD_OPTION_STATE(options)                                                                                      \
  {                                                                                                                    \
    .name = "state", .value = "FILE", .help = "the hub's state file; the default is the group's", .kind = CMD_TEXT,    \
    .at = offsetof(options, state)                                                                                     \
  }
#define CMD_OPTION_SPOOL(options)                                                                                      \
  {                                                                                                                    \
    .name = "spool", .value = "DIRECTORY", .help = "the hub's spool; the default is the group's", .kind = CMD_TEXT,    \
    .at = offsetof(options, spool)                                                                                     \
  }
#define CMD_OPTION_HEARTBEAT(options)                                                                                  \
  {                                                                                                                    \
    .name = "heartbeat-ms", .value = "N", .help = "how often the hub tells its clients how things are (1000)",         \
    .kind = CMD_NUMBER, .at = offsetof(options, heartbeat_ms), .least = 10, .most = 600000                             \
  }
#define CMD_OPTION_TIMEOUT(options)                                                                                    \
  {                                                                                                                    \
    .name = "timeout-ms", .value = "N", .help = "how long a hub may be silent (5000)", .kind = CMD_NUMBER,             \
    .at = offsetof(options, timeout_ms), .least = 20, .most = 3600000                                                  \
  }
#define CMD_OPTION_LOG_LEVEL(options)                                                                                  \
  {                                                                                                                    \
    .name = "log-level", .value = "debug|info|warning|error", .help = "the least that the log shows (info)",           \
    .kind = CMD_CHOICE, .at = offsetof(options, log_level), .choices = bh_log_levels                                   \
  }

#endif
