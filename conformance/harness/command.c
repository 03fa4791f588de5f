/* SPDX-License-Identifier: MIT */
/* The command line that starts a hub, with what section 11 of the specification has filled in. */

#include <string.h>

#include "internal.h"

/* In single quotes; one in the text itself is written '\''. */
static void append_quoted(bh_buffer *out, const char *text) {
  bh_buffer_append(out, "'", 1);
  for (; *text; text++) {
    if (*text == '\'') {
      bh_buffer_append(out, "'\\''", 4);
    } else {
      bh_buffer_append(out, text, 1);
    }
  }
  bh_buffer_append(out, "'", 1);
}

/* What is no program, and is a whole command line where no other command follows. */
static bool is_built_in(const char *word, size_t size) {
  static const char *const names[] = {".", "eval", "exit", "exec"};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    if (strlen(names[i]) == size && memcmp(names[i], word, size) == 0) {
      return true;
    }
  }
  return false;
}

/* One command of a file, with nothing that only a shell does. */
static bool is_simple(const char *command) {
  size_t word = strcspn(command, " \t");
  return !strpbrk(command, ";&|()<>`\n") && !memchr(command, '=', word) && !is_built_in(command, word);
}

char *shell_script(const char *command) {
  /* The shell that stays is not to end before the hub does, and not to keep signals from it. */
  return is_simple(command) ? format("exec %s", command) : format("trap : HUP INT TERM\n%s", command);
}

bool shell_stays(const char *command) {
  return !is_simple(command);
}

static const struct placeholder *find(const char *at, const struct placeholder *placeholders, size_t count) {
  for (size_t i = 0; i < count; i++) {
    size_t size = strlen(placeholders[i].name);
    if (strncmp(at + 1, placeholders[i].name, size) == 0 && at[1 + size] == '}') {
      return &placeholders[i];
    }
  }
  return NULL;
}

char *fill_in(const char *command, const struct placeholder *placeholders, size_t count) {
  bh_buffer out;
  bh_buffer_init(&out, case_allocator());
  while (*command) {
    const struct placeholder *placeholder = *command == '{' ? find(command, placeholders, count) : NULL;
    if (placeholder) {
      append_quoted(&out, placeholder->value);
      command += strlen(placeholder->name) + 2;
    } else {
      bh_buffer_append(&out, command++, 1);
    }
  }
  if (out.failed) {
    suite_broke("no memory for the command");
  }
  char *filled = format("%.*s", (int)out.size, (const char *)out.octets);
  bh_buffer_free(&out);
  return filled;
}
