/* SPDX-License-Identifier: MIT */
#include "cmd.h"

#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { OPTIONS_MAX = 24, COLUMN_HELP = 22 };

/* ---- messages */

static void __attribute__((format(printf, 2, 0)))
say(const cmd_command *command, const char *format, va_list arguments) {
  fflush(stdout);
  fprintf(stderr, "bridgehub %s: ", command->name);
  vfprintf(stderr, format, arguments);
  fputc('\n', stderr);
}

int cmd_usage(const cmd_command *command, const char *format, ...) {
  va_list arguments;

  va_start(arguments, format);
  say(command, format, arguments);
  va_end(arguments);
  fprintf(stderr, "Try 'bridgehub %s --help'.\n", command->name);
  return CMD_USAGE;
}

int cmd_failed(const cmd_command *command, const char *format, ...) {
  va_list arguments;

  va_start(arguments, format);
  say(command, format, arguments);
  va_end(arguments);
  return CMD_FAILED;
}

static void print_option(const char *name, const char *value, const char *help) {
  int width = printf("  --%s%s%s", name, value == NULL ? "" : " ", value == NULL ? "" : value);

  if (width >= COLUMN_HELP) {
    printf("\n");
    width = 0;
  }
  printf("%*s%s\n", COLUMN_HELP - width, "", help);
}

void cmd_print_help(const cmd_command *command) {
  printf("Usage: bridgehub %s [OPTION]... %s\n\n%s\n", command->name, command->operands, command->description);
  printf("Options:\n");
  for (const cmd_option *option = command->options; option->name != NULL; option++) {
    print_option(option->name, option->value, option->help);
  }
  print_option("help", NULL, "this text");
  printf("\nExample:\n%s", command->example);
}

/* ---- values */

/* Decimal digits alone: no sign, no space, no other base. */
static bool read_number(const char *text, uint32_t least, uint32_t most, uint32_t *number) {
  uint64_t value = 0;

  if (*text == '\0') {
    return false;
  }
  for (; *text != '\0'; text++) {
    if (*text < '0' || *text > '9') {
      return false;
    }
    value = 10 * value + (uint64_t)(*text - '0');
    if (value > most) {
      return false;
    }
  }
  *number = (uint32_t)value;
  return value >= least;
}

static int wrong_number(const cmd_command *command, const cmd_option *option, const char *text) {
  return cmd_usage(command, "--%s takes a number from %lu to %lu, and '%s' is none", option->name,
                   (unsigned long)option->least, (unsigned long)option->most, text);
}

static int add_port(const cmd_command *command, const cmd_option *option, const char *text, cmd_ports *ports) {
  uint32_t number;

  if (!read_number(text, option->least, option->most, &number)) {
    return wrong_number(command, option, text);
  }
  if (ports->count == BH_ALSO_PORTS_MAX) {
    return cmd_usage(command, "--%s can be given %d times", option->name, BH_ALSO_PORTS_MAX);
  }
  ports->port[ports->count++] = (uint16_t)number;
  return CMD_OK;
}

static int choose(const cmd_command *command, const cmd_option *option, const char *text, int *choice) {
  for (int i = 0; option->choices[i] != NULL; i++) {
    if (strcmp(option->choices[i], text) == 0) {
      *choice = i;
      return CMD_OK;
    }
  }
  return cmd_usage(command, "--%s takes %s, and '%s' is none of them", option->name, option->value, text);
}

static int set(const cmd_command *command, const cmd_option *option, const char *text, void *options) {
  void *variable = (char *)options + option->at;

  switch (option->kind) {
  case CMD_FLAG:
    *(bool *)variable = true;
    return CMD_OK;
  case CMD_TEXT:
    *(const char **)variable = text;
    return CMD_OK;
  case CMD_NUMBER:
    return read_number(text, option->least, option->most, variable) ? CMD_OK : wrong_number(command, option, text);
  case CMD_PORTS:
    return add_port(command, option, text, variable);
  case CMD_CHOICE:
    return choose(command, option, text, variable);
  }
  return CMD_USAGE;
}

/* ---- the command line */

static void make_getopt_table(const cmd_command *command, struct option table[OPTIONS_MAX]) {
  size_t count = 0;

  for (; count < OPTIONS_MAX - 2 && command->options[count].name != NULL; count++) {
    const cmd_option *option = &command->options[count];
    table[count] = (struct option){.name = option->name,
                                   .has_arg = option->value == NULL ? no_argument : required_argument,
                                   .val = (int)count + 1};
  }
  table[count] = (struct option){.name = "help", .has_arg = no_argument, .val = 'h'};
  table[count + 1] = (struct option){0};
}

static int check_operands(const cmd_command *command, int count, const char *first) {
  if (count < command->operands_least) {
    return cmd_usage(command, "%s is missing", command->operands);
  }
  if (count > command->operands_most) {
    return command->operands_most == 0 ? cmd_usage(command, "it takes no operand, and '%s' is one", first)
                                       : cmd_usage(command, "there are more operands than %s", command->operands);
  }
  return CMD_OK;
}

int cmd_parse(const cmd_command *command, int argc, char **argv, void *options, int *status) {
  struct option table[OPTIONS_MAX];
  int found;

  make_getopt_table(command, table);
  *status = CMD_OK;
  opterr = 0;
  while ((found = getopt_long(argc, argv, ":h", table, NULL)) != -1) {
    switch (found) {
    case 'h':
      cmd_print_help(command);
      return 0;
    case ':':
      *status = cmd_usage(command, "%s needs a value", argv[optind - 1]);
      return 0;
    case '?':
      *status = cmd_usage(command, "'%s' is no option of this command", argv[optind - 1]);
      return 0;
    default:
      *status = set(command, &command->options[found - 1], optarg, options);
      if (*status != CMD_OK) {
        return 0;
      }
    }
  }
  *status = check_operands(command, argc - optind, argv[optind]);
  return *status == CMD_OK ? optind : 0;
}
