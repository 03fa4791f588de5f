/* SPDX-License-Identifier: MIT */
#include "cmd.h"

#include "cmd_system.h"

#include <stdio.h>
#include <string.h>

/* bridgehub: one program with subcommands. */

static const cmd_command *const commands[] = {&cmd_serve, &cmd_client, &cmd_status, &cmd_claim, &cmd_release,
                                              &cmd_send,  &cmd_lint,   &cmd_parked, &cmd_pipe};

enum { COMMANDS = sizeof commands / sizeof commands[0] };

static const cmd_command *find(const char *name) {
  for (size_t i = 0; i < COMMANDS; i++) {
    if (strcmp(commands[i]->name, name) == 0) {
      return commands[i];
    }
  }
  return NULL;
}

static void print_help(void) {
  printf("Usage: bridgehub COMMAND [OPTION]...\n\n"
         "Hands each export of Quixel Bridge to the one Blender window that the user chose.\n\nCommands:\n");
  for (size_t i = 0; i < COMMANDS; i++) {
    printf("  %-9s %s\n", commands[i]->name, commands[i]->summary);
  }
  printf("  %-9s %s\n", "help", "explain a command: bridgehub help COMMAND");
  printf("\n'bridgehub COMMAND --help' shows its options and an example; 'bridgehub --version' the version.\n"
         "Exit status: 0 done, 1 failed, 2 the command line is wrong.\n");
}

static int unknown(const char *name) {
  fprintf(stderr, "bridgehub: '%s' is no command\nTry 'bridgehub --help', which lists them.\n", name);
  return CMD_USAGE;
}

static int help(int argc, char **argv) {
  const cmd_command *command;

  if (argc < 3) {
    print_help();
    return CMD_OK;
  }
  command = find(argv[2]);
  if (command == NULL) {
    return unknown(argv[2]);
  }
  cmd_print_help(command);
  return CMD_OK;
}

static int run(int argc, char **argv) {
  const cmd_command *command;

  if (argc < 2) {
    fprintf(stderr, "bridgehub: a command is missing\nTry 'bridgehub --help', which lists them.\n");
    return CMD_USAGE;
  }
  if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 || strcmp(argv[1], "help") == 0) {
    return help(argc, argv);
  }
  if (strcmp(argv[1], "--version") == 0) {
    printf("bridgehub %s (protocol %d)\n", bh_version(), BH_PROTOCOL);
    return CMD_OK;
  }
  command = find(argv[1]);
  return command == NULL ? unknown(argv[1]) : command->run(argc - 1, argv + 1);
}

int main(int argc, char **argv) {
  int status;

  cmd_system_begin(&argc, &argv);
  status = run(argc, argv);
  if (fflush(stdout) != 0 || ferror(stdout) != 0) {
    fprintf(stderr, "bridgehub: standard output cannot be written\n");
    return status == CMD_OK ? CMD_FAILED : status;
  }
  return status;
}
