/* SPDX-License-Identifier: MIT */
#include "simulation.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The spool as a file system keeps it: names in directories. It knows nothing of imports but their names. */

static bool fails(world *w) {
  if (w->calm || !one_in(w, w->mood.disk)) {
    return false;
  }
  w->court.disk_failed = true;
  return true;
}

int disk_create(world *w) {
  for (int i = 0; i < FILES_MAX; i++) {
    file *f = &w->files[i];
    if (f->there) {
      continue;
    }
    if (fails(w)) {
      return NOBODY;
    }
    memset(f, 0, sizeof *f);
    f->there = true;
    f->where = IN_TMP;
    f->value = NOBODY;
    snprintf(f->name, sizeof f->name, "%d", i);
    return i;
  }
  return NOBODY;
}

bool disk_append(world *w, int index, const uint8_t *octets, size_t size) {
  file *f = &w->files[index];

  if (fails(w)) {
    return false;
  }
  if (f->size + size > f->capacity) {
    f->capacity = 2 * (f->size + size);
    f->octets = realloc(f->octets, f->capacity);
    if (f->octets == NULL) {
      abort();
    }
  }
  memcpy(f->octets + f->size, octets, size);
  f->size += size;
  return true;
}

static void unlink_file(file *f) {
  free(f->octets);
  memset(f, 0, sizeof *f);
}

void disk_drop(world *w, int index) {
  unlink_file(&w->files[index]);
}

static file *find_name(world *w, directory where, const char *name) {
  for (int i = 0; i < FILES_MAX; i++) {
    file *f = &w->files[i];
    if (f->there && f->where == where && strcmp(f->name, name) == 0) {
      return f;
    }
  }
  return NULL;
}

file *disk_find(world *w, directory where, const bh_import *import) {
  char name[BH_SPOOL_NAME_MAX];

  bh_spool_name(import, name);
  return find_name(w, where, name);
}

bh_import disk_import(const file *f) {
  bh_import import;

  if (!bh_spool_name_parse(f->name, &import)) {
    abort(); /* only names that bh_spool_name() made are looked at */
  }
  return import;
}

disk_result disk_commit(world *w, int index, const bh_import *import, int v) {
  file *f = &w->files[index];

  if (fails(w)) {
    unlink_file(f);
    return DISK_FAILED;
  }
  bh_spool_name(import, f->name);
  f->where = IN_QUEUE;
  f->value = v;
  return DISK_OK;
}

disk_result disk_move(world *w, directory from, const bh_import *before, directory to, const bh_import *import) {
  file *f = disk_find(w, from, before);
  char name[BH_SPOOL_NAME_MAX];

  if (f == NULL) {
    return DISK_GONE;
  }
  bh_spool_name(import, name);
  if (fails(w) || (find_name(w, to, name) != NULL && find_name(w, to, name) != f)) {
    return DISK_FAILED;
  }
  snprintf(f->name, sizeof f->name, "%s", name);
  f->where = to;
  return DISK_OK;
}

disk_result disk_remove(world *w, directory where, const bh_import *import) {
  file *f = disk_find(w, where, import);

  if (f == NULL) {
    return DISK_GONE;
  }
  unlink_file(f); /* neither a full disk nor one without rights to write is in the way of that */
  return DISK_OK;
}

size_t disk_count(const world *w, directory where) {
  size_t count = 0;

  for (int i = 0; i < FILES_MAX; i++) {
    count += w->files[i].there && w->files[i].where == where;
  }
  return count;
}

size_t disk_list(world *w, directory where, int indexes[FILES_MAX]) {
  size_t count = 0;

  for (int i = 0; i < FILES_MAX; i++) {
    if (w->files[i].there && w->files[i].where == where) {
      size_t at = draw_below(w, (uint32_t)count + 1);
      indexes[count++] = indexes[at];
      indexes[at] = i;
    }
  }
  return count;
}

void disk_free(world *w) {
  for (int i = 0; i < FILES_MAX; i++) {
    if (w->files[i].there) {
      unlink_file(&w->files[i]);
    }
  }
  bh_buffer_free(&w->state);
}
