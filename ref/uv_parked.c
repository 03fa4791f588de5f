/* SPDX-License-Identifier: MIT */
#include "bridgehub.h"

#include "json.h"
#include "uv_file.h"
#include "uv_lock.h"
#include "uv_say.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/*
 * What was given up, by hand. A hub may be at work in the same spool, and another hand: an import changes its place by
 * a rename alone, and one that is not there any more was moved by the other.
 */

static const char parked[] = "parked";
static const char retry[] = "retry";

static int say(char *why, size_t size, int result, const char *text) {
  if (size > 0) {
    snprintf(why, size, "%s", text);
  }
  return result;
}

/* ---- paths */

static int place(char path[BH_PATH_MAX], const char *spool, const char *directory, const char *name) {
  char parent[BH_PATH_MAX];

  return bh_path_join(parent, spool, directory, "") == 0 && bh_path_join(path, parent, name, "") == 0 ? 0
                                                                                                      : UV_ENAMETOOLONG;
}

static int place_of(char path[BH_PATH_MAX], const char *spool, const char *directory, const bh_import *import) {
  char name[BH_SPOOL_NAME_MAX];

  bh_spool_name(import, name);
  return place(path, spool, directory, name);
}

static int place_of_why(char path[BH_PATH_MAX], const char *spool, const bh_import *import) {
  static const char json[] = "json";
  int error = place_of(path, spool, parked, import);

  if (error == 0) {
    memcpy(path + strlen(path) - strlen(json), "why", sizeof "why");
  }
  return error;
}

/* ---- the list */

typedef struct {
  bh_parked *items;
  size_t count;
} list;

static int add(void *ctx, const char *name) {
  list *l = ctx;
  bh_import import;
  bh_parked *items;

  if (!bh_spool_name_parse(name, &import)) {
    return 0;
  }
  items = realloc(l->items, (l->count + 1) * sizeof *items);
  if (items == NULL) {
    return UV_ENOMEM;
  }
  l->items = items;
  l->items[l->count] = (bh_parked){.import = import};
  l->count++;
  return 0;
}

static int by_sequence(const void *left, const void *right) {
  const bh_parked *a = left;
  const bh_parked *b = right;

  return a->import.sequence < b->import.sequence ? -1 : a->import.sequence > b->import.sequence;
}

/* The elements of the array; 0 where it is none. */
static uint32_t count_assets(int file) {
  uint8_t octets[16384];
  bh_json json;
  uint32_t count = 0;
  int got;

  bh_json_init(&json, BH_DEPTH_MAX, true);
  while ((got = bh_file_read(file, octets, sizeof octets)) > 0) {
    size_t at = 0;

    while (at < (size_t)got) {
      size_t consumed = 0;
      bh_json_status status = bh_json_feed(&json, octets + at, (size_t)got - at, &consumed);

      if (status == BH_JSON_BROKEN) {
        return 0;
      }
      count += status == BH_JSON_MEMBER;
      at += consumed;
    }
  }
  return bh_json_end(&json) == BH_JSON_DONE ? count : 0;
}

static void read_reason(const char *spool, bh_parked *item) {
  char path[BH_PATH_MAX];
  int file = place_of_why(path, spool, &item->import) == 0 ? bh_file_open(path) : -1;
  int got;

  if (file < 0) {
    return;
  }
  got = bh_file_read(file, item->reason, sizeof item->reason - 1);
  item->reason[got < 0 ? 0 : got] = '\0';
  bh_file_close(file);
}

/* False: it is no import, or was moved meanwhile. Its time is that of the rename, where the system keeps that. */
static bool look_at(const char *spool, bh_parked *item) {
  char path[BH_PATH_MAX];
  uv_stat_t status;
  int file = place_of(path, spool, parked, &item->import) == 0 ? bh_file_open(path) : -1;
  bool is_there = file >= 0 && bh_file_status(file, &status) == 0;

  if (is_there) {
    item->size = status.st_size;
    item->parked_at = (uint64_t)status.st_ctim.tv_sec;
    item->assets = count_assets(file);
    read_reason(spool, item);
  }
  if (file >= 0) {
    bh_file_close(file);
  }
  return is_there;
}

int bh_parked_list(const char *spool, bh_parked **items, size_t *count, char *why, size_t why_size) {
  list l = {0};
  char path[BH_PATH_MAX];
  char text[BH_WHY_MAX];
  int error = place(path, spool, parked, "");
  size_t kept = 0;

  *items = NULL;
  *count = 0;
  error = error != 0 ? error : bh_directory_list(path, add, &l);
  if (error != 0 && error != UV_ENOENT) {
    free(l.items);
    snprintf(text, sizeof text, "what is parked in the spool %.3000s cannot be listed: %s", spool, uv_strerror(error));
    return say(why, why_size, error == UV_ENOMEM ? BH_E_NO_MEMORY : BH_E_STATE, text);
  }
  for (size_t i = 0; i < l.count; i++) {
    if (look_at(spool, &l.items[i])) {
      l.items[kept++] = l.items[i];
    }
  }
  if (kept > 0) {
    qsort(l.items, kept, sizeof *l.items, by_sequence);
  }
  *items = l.items;
  *count = kept;
  return BH_OK;
}

void bh_parked_free(bh_parked *items) {
  free(items);
}

/* ---- by id */

typedef struct {
  const char *id;
  bh_import import;
  bool found;
} search;

static int match(void *ctx, const char *name) {
  search *s = ctx;
  bh_import import;

  if (!s->found && bh_spool_name_parse(name, &import) && strcmp(import.import, s->id) == 0) {
    s->import = import;
    s->found = true;
  }
  return 0;
}

static int not_parked(const char *spool, const char *id, char *why, size_t why_size) {
  char text[BH_WHY_MAX];

  snprintf(text, sizeof text, "no import %.64s is parked in the spool %.3000s (any more)", id, spool);
  return say(why, why_size, BH_E_INVALID, text);
}

static int find(const char *spool, const char *id, bh_import *import, char *why, size_t why_size) {
  search s = {.id = id};
  char path[BH_PATH_MAX];
  char text[BH_WHY_MAX];
  int error = place(path, spool, parked, "");

  error = error != 0 ? error : bh_directory_list(path, match, &s);
  if (error != 0 && error != UV_ENOENT) {
    snprintf(text, sizeof text, "import %.64s cannot be looked for in the spool %.3000s: %s", id, spool,
             uv_strerror(error));
    return say(why, why_size, BH_E_STATE, text);
  }
  if (!s.found) {
    return not_parked(spool, id, why, why_size);
  }
  *import = s.import;
  return BH_OK;
}

static int ended(const char *spool, const char *id, const char *what, int error, char *why, size_t why_size) {
  char text[BH_WHY_MAX];

  if (error == 0) {
    return BH_OK;
  }
  if (error == UV_ENOENT) {
    return not_parked(spool, id, why, why_size);
  }
  snprintf(text, sizeof text, "import %.64s cannot be %s in the spool %.3000s: %s", id, what, spool,
           uv_strerror(error));
  return say(why, why_size, BH_E_STATE, text);
}

/* For people, and of no use without its import. */
static void remove_why(const char *spool, const bh_import *import) {
  char path[BH_PATH_MAX];

  if (place_of_why(path, spool, import) == 0) {
    bh_file_remove(path);
  }
}

static int move_to_retry(const char *spool, const bh_import *import) {
  char from[BH_PATH_MAX];
  char to[BH_PATH_MAX];
  int error = place_of(from, spool, parked, import);

  error = error != 0 ? error : place(to, spool, retry, "");
  error = error != 0 ? error : bh_directory_make(to);
  error = error != 0 ? error : place_of(to, spool, retry, import);
  if (error == 0 && bh_file_exists(to)) {
    error = UV_EEXIST;
  }
  return error != 0 ? error : bh_file_rename(from, to);
}

int bh_parked_retry(const char *spool, const char *id, char *why, size_t why_size) {
  bh_import import;
  int result = find(spool, id, &import, why, why_size);

  if (result == BH_OK) {
    result = ended(spool, id, "moved to retry/", move_to_retry(spool, &import), why, why_size);
  }
  if (result == BH_OK) {
    remove_why(spool, &import);
  }
  return result;
}

int bh_parked_drop(const char *spool, const char *id, char *why, size_t why_size) {
  bh_import import;
  char path[BH_PATH_MAX];
  char room[BH_NATIVE_PATH_MAX];
  uv_fs_t request;
  int result = find(spool, id, &import, why, why_size);
  int error;

  if (result != BH_OK) {
    return result;
  }
  error = place_of(path, spool, parked, &import);
  if (error == 0) {
    error = uv_fs_unlink(NULL, &request, bh_path_native(path, room), NULL);
    uv_fs_req_cleanup(&request);
  }
  result = ended(spool, id, "removed", error, why, why_size);
  if (result == BH_OK) {
    remove_why(spool, &import);
  }
  return result;
}

/* ---- the hub */

bool bh_parked_hub_runs(const char *spool) {
  return bh_lock_is_held(spool);
}
