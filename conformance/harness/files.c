/* SPDX-License-Identifier: MIT */
/* What lies in a hub's directory. */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "internal.h"

char *file_read(const char *path, size_t *size) {
  FILE *file = fopen(path, "rb");
  if (!file) {
    return NULL;
  }
  bh_buffer buffer;
  bh_buffer_init(&buffer, case_allocator());
  char piece[4096];
  for (size_t got; (got = fread(piece, 1, sizeof piece, file)) > 0;) {
    bh_buffer_append(&buffer, piece, got);
  }
  bool failed = ferror(file) || buffer.failed;
  fclose(file);
  char *text = NULL;
  if (!failed) {
    text = allocate(buffer.size + 1);
    if (buffer.size) {
      memcpy(text, buffer.octets, buffer.size);
    }
    *size = buffer.size;
  }
  bh_buffer_free(&buffer);
  return text;
}

void file_write(const char *path, const void *octets, size_t size) {
  FILE *file = fopen(path, "wb");
  bool written = file && fwrite(octets, 1, size, file) == size;
  if (!file || fclose(file) != 0 || !written) {
    suite_broke("cannot write %s: %s", path, strerror(errno));
  }
}

static int compare_names(const void *a, const void *b) {
  return strcmp(*(char *const *)a, *(char *const *)b);
}

char **directory(const char *path, size_t *count) {
  uv_fs_t request;
  int found = uv_fs_scandir(loop(), &request, path, 0, NULL);
  char **names = allocate(((found > 0 ? (size_t)found : 0) + 1) * sizeof *names);
  uv_dirent_t entry;
  for (*count = 0; found > 0 && uv_fs_scandir_next(&request, &entry) == 0; ++*count) {
    names[*count] = format("%s", entry.name);
  }
  uv_fs_req_cleanup(&request);
  if (*count) {
    qsort(names, *count, sizeof *names, compare_names);
  }
  return names;
}

struct json state_read(const struct hub *hub) {
  size_t size = 0;
  char *text = file_read(hub->state, &size);
  return text ? json_read(text, size) : (struct json){.text = "", .valid = false};
}

struct state_condition {
  struct hub *hub;
  const char *path, *text;
};

static bool state_has(void *arg) {
  struct state_condition *wanted = arg;
  struct json state = state_read(wanted->hub);
  if (!state.valid) {
    return false;
  }
  if (!wanted->text) {
    return json_is_null(&state, wanted->path);
  }
  return json_is_text(&state, wanted->path) && strcmp(json_text(&state, wanted->path), wanted->text) == 0;
}

bool state_has_text(struct hub *hub, const char *path, const char *text) {
  struct state_condition wanted = {hub, path, text};
  return wait_until(state_has, &wanted, deadline_ms());
}
