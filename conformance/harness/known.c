/* SPDX-License-Identifier: MIT */
/* The file of --known-failures. */

#include <errno.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "known.h"

struct line {
  size_t number;
  char *glob;
  char *message; /* "": any */
  size_t cases;  /* that it fits, */
  size_t chosen; /* and that are run */
  size_t shown;  /* of these: seen to be right */
  size_t took;   /* failures */
};

struct known {
  char *path;
  struct line *lines;
  size_t count;
};

static char *trim(char *text) {
  text += strspn(text, " \t");
  size_t size = strlen(text);
  while (size > 0 && strchr(" \t\r\n", text[size - 1])) {
    text[--size] = '\0';
  }
  return text;
}

static bool add_line(struct known *known, size_t number, char *text) {
  /* Globs of slugs have no # in them. */
  char *hash = strchr(text, '#');
  char *message = hash ? trim(hash + 1) : "";
  if (hash) {
    *hash = '\0';
  }
  char *glob = trim(text);
  if (!*glob) {
    return true;
  }
  struct line *lines = realloc(known->lines, (known->count + 1) * sizeof *lines);
  if (!lines) {
    return false;
  }
  known->lines = lines;
  struct line *line = &lines[known->count];
  *line = (struct line){.number = number, .glob = strdup(glob), .message = strdup(message)};
  known->count++;
  return line->glob && line->message;
}

static bool read_lines(struct known *known, FILE *file) {
  char *text = NULL;
  size_t capacity = 0;
  bool sound = true;
  for (size_t number = 1; sound && getline(&text, &capacity, file) >= 0; number++) {
    sound = add_line(known, number, text);
  }
  free(text);
  return sound && !ferror(file);
}

struct known *known_read(const char *path) {
  FILE *file = fopen(path, "r");
  struct known *known = calloc(1, sizeof *known);
  bool sound = file && known && (known->path = strdup(path)) && read_lines(known, file);
  if (!sound) {
    fprintf(stderr, "bridgehub-conformance: cannot read the known failures in %s: %s\n", path, strerror(errno));
    known_free(known);
    known = NULL;
  }
  if (file) {
    fclose(file);
  }
  return known;
}

void known_free(struct known *known) {
  for (size_t i = 0; known && i < known->count; i++) {
    free(known->lines[i].glob);
    free(known->lines[i].message);
  }
  if (known) {
    free(known->lines);
    free(known->path);
  }
  free(known);
}

static bool fits(const struct line *line, const char *slug) {
  return fnmatch(line->glob, slug, 0) == 0;
}

/* A message may have characters of its own that mean something in a glob: it is looked for as it stands first. */
static bool says(const struct line *line, const char *message) {
  if (strstr(message, line->message)) {
    return true;
  }
  size_t size = strlen(line->message) + 3;
  char *glob = malloc(size);
  if (!glob) {
    return false;
  }
  snprintf(glob, size, "*%s*", line->message);
  bool found = fnmatch(glob, message, 0) == 0;
  free(glob);
  return found;
}

void known_meet(struct known *known, const char *slug, bool selected) {
  for (size_t i = 0; known && i < known->count; i++) {
    bool fit = fits(&known->lines[i], slug);
    known->lines[i].cases += fit;
    known->lines[i].chosen += fit && selected;
  }
}

bool known_takes(struct known *known, const char *slug, const char *message) {
  bool taken = false;
  for (size_t i = 0; known && i < known->count; i++) {
    if (fits(&known->lines[i], slug) && says(&known->lines[i], message)) {
      known->lines[i].took++;
      taken = true;
    }
  }
  return taken;
}

void known_saw(struct known *known, const char *slug, bool shown) {
  for (size_t i = 0; known && i < known->count; i++) {
    known->lines[i].shown += shown && fits(&known->lines[i], slug);
  }
}

size_t known_stale(const struct known *known, FILE *out) {
  size_t stale = 0;
  for (size_t i = 0; known && i < known->count; i++) {
    const struct line *line = &known->lines[i];
    if (line->cases == 0) {
      fprintf(out, "%s, line %zu: no case fits %s\n", known->path, line->number, line->glob);
      stale++;
    } else if (line->took == 0 && line->chosen > 0 && line->shown >= line->chosen) {
      fprintf(out, "%s, line %zu: stale: %s %s\n", known->path, line->number, line->glob,
              line->chosen == 1 ? "passes" : "fits cases that all pass");
      stale++;
    }
  }
  return stale;
}
