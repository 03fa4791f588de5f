/* SPDX-License-Identifier: MIT */
#include "uv_spool.h"

#include "bridge.h"

#include <stdlib.h>
#include <string.h>

/* What lies in the spool already: left by a former hub, or put there by hand. */

/* A run of octets that Bridge's grammar takes for just one array that is not empty: the file of an import. */
static bool is_array(int file) {
  uint8_t octets[16384];
  bh_stream stream;
  uint64_t size = 0;
  bool whole = false;
  int got;

  bh_stream_init(&stream);
  while ((got = bh_file_read(file, octets, sizeof octets)) > 0) {
    size_t at = 0;

    size += (uint64_t)got;
    while (at < (size_t)got) {
      size_t consumed = 0;
      bh_stream_status status = bh_stream_feed(&stream, octets + at, (size_t)got - at, &consumed);

      at += consumed;
      if (whole || status == BH_STREAM_BROKEN || status == BH_STREAM_BYE ||
          (status == BH_STREAM_BEGIN && (stream.object || stream.offset != 0))) {
        return false;
      }
      whole = status == BH_STREAM_VALUE;
    }
  }
  /* The two octets are the brackets around an object that was as large as one may be. */
  return got == 0 && whole && !stream.empty && size <= BH_BRIDGE_VALUE_MAX + 2;
}

/* NULL, or why it is no import. */
static const char *check_import(const char *path) {
  int file = bh_file_open(path);
  const char *wrong;

  if (file < 0) {
    return file == UV_EINVAL || file == UV_ELOOP ? "it is no regular file" : uv_strerror(file);
  }
  wrong = is_array(file) ? NULL : "it does not hold one array of objects";
  bh_file_close(file);
  return wrong;
}

typedef struct {
  bh_spool *spool;
  const char *directory;
  bh_spool_said said; /* in this search */
  bh_import *imports;
  size_t count;
  size_t capacity;
} search;

/* ---- what does not fit */

void bh_spool_said_free(bh_spool_said *said) {
  free(said->prints);
  *said = (bh_spool_said){0};
}

static uint64_t fingerprint(const char *directory, const char *name) {
  uint64_t print = 14695981039346656037u;

  print = (print ^ (uint8_t)*directory) * 1099511628211u;
  for (; *name != '\0'; name++) {
    print = (print ^ (uint8_t)*name) * 1099511628211u;
  }
  return print;
}

static bool was_said(const bh_spool_said *said, uint64_t print) {
  for (size_t i = 0; i < said->count; i++) {
    if (said->prints[i] == print) {
      return true;
    }
  }
  return false;
}

/* Without memory it is said again at the next search. */
static void remember(bh_spool_said *said, uint64_t print) {
  uint64_t *prints = realloc(said->prints, (said->count + 1) * sizeof *prints);

  if (prints != NULL) {
    said->prints = prints;
    said->prints[said->count++] = print;
  }
}

/* Once, for as long as it lies there: retry/ is searched each heartbeat. */
static void say_misfit(search *s, const char *name, const char *wrong) {
  uint64_t print = fingerprint(s->directory, name);

  if (!was_said(&s->spool->said, print)) {
    bh_say(&s->spool->logger, BH_LOG_WARNING, "%s in the spool's %s/ is left alone: %s", name, s->directory, wrong);
  }
  remember(&s->said, print);
}

static void say_import_misfit(search *s, const bh_import *import, const char *wrong) {
  char name[BH_SPOOL_NAME_MAX];

  bh_spool_name(import, name);
  say_misfit(s, name, wrong);
}

static const char *why_not_taken(int error) {
  return error == BH_E_INVALID ? "its sequence is another import's" : bh_error_string((bh_error)error);
}

static void end_search(search *s) {
  bh_spool_said_free(&s->spool->said);
  s->spool->said = s->said;
  free(s->imports);
}

/* ---- imports */

static bool keep(search *s, const bh_import *import) {
  if (s->count == s->capacity) {
    size_t capacity = s->capacity == 0 ? 64 : 2 * s->capacity;
    bh_import *imports = realloc(s->imports, capacity * sizeof *imports);

    if (imports == NULL) {
      return false;
    }
    s->imports = imports;
    s->capacity = capacity;
  }
  s->imports[s->count++] = *import;
  return true;
}

static int look_at(void *ctx, const char *name) {
  search *s = ctx;
  char path[BH_PATH_MAX];
  bh_import import;
  const char *wrong;

  if (!bh_spool_name_parse(name, &import)) {
    say_misfit(s, name, "its name is not an import's");
    return 0;
  }
  if (bh_spool_path(path, s->spool, s->directory, name) != 0) {
    return UV_ENAMETOOLONG;
  }
  wrong = check_import(path);
  if (wrong != NULL) {
    say_misfit(s, name, wrong);
    return 0;
  }
  return keep(s, &import) ? 0 : UV_ENOMEM;
}

static int by_sequence(const void *left, const void *right) {
  const bh_import *a = left;
  const bh_import *b = right;

  return a->sequence < b->sequence ? -1 : a->sequence > b->sequence;
}

/* Finds the imports of the directory, by sequence. */
static int list_imports(search *s) {
  char path[BH_PATH_MAX];
  int error = bh_spool_path(path, s->spool, s->directory, "");

  if (error == 0) {
    error = bh_directory_list(path, look_at, s);
  }
  if (s->count > 0) {
    qsort(s->imports, s->count, sizeof *s->imports, by_sequence);
  }
  return error;
}

int bh_spool_take_over(bh_spool *spool, bh_spool_found found, void *ctx, bh_why *why) {
  search s = {.spool = spool, .directory = bh_spool_queue};
  int error = list_imports(&s);

  for (size_t i = 0; error == 0 && i < s.count; i++) {
    int result = found(ctx, &s.imports[i]);

    if (result != 0) {
      say_import_misfit(&s, &s.imports[i], why_not_taken(result));
    }
  }
  end_search(&s);
  if (error != 0) {
    return bh_why_set(why, error, "the spool %s cannot be read: %s", spool->path, uv_strerror(error));
  }
  return 0;
}

/* ---- by hand */

static void retry_one(search *s, const bh_import *import, bh_spool_found found, void *ctx) {
  bh_import back = *import;
  int error;

  back.deaths = 0;
  back.holder[0] = '\0';
  error = bh_spool_move(s->spool, bh_spool_retry, import, bh_spool_queue, &back);
  if (error != 0) {
    say_import_misfit(s, import, uv_strerror(error));
    return;
  }
  error = found(ctx, &back);
  if (error != 0) {
    say_import_misfit(s, import, why_not_taken(error));
    bh_spool_move(s->spool, bh_spool_queue, &back, bh_spool_retry, import);
    return;
  }
  bh_say(&s->spool->logger, BH_LOG_INFO, "import %s is tried again", import->import);
}

void bh_spool_retry_all(bh_spool *spool, bh_spool_found found, void *ctx) {
  search s = {.spool = spool, .directory = bh_spool_retry};
  int error = list_imports(&s);

  if (error != 0) {
    say_misfit(&s, "what lies", uv_strerror(error));
  }
  for (size_t i = 0; i < s.count; i++) {
    retry_one(&s, &s.imports[i], found, ctx);
  }
  end_search(&s);
}

typedef struct {
  uint32_t count;
  uint64_t sequence;
} tally;

static int count_one(void *ctx, const char *name) {
  tally *t = ctx;
  bh_import import;

  if (bh_spool_name_parse(name, &import)) {
    t->count++;
    t->sequence = import.sequence > t->sequence ? import.sequence : t->sequence;
  }
  return 0;
}

uint32_t bh_spool_count_parked(const bh_spool *spool, uint64_t *sequence) {
  tally in_parked = {0};
  tally in_retry = {0};
  char path[BH_PATH_MAX];

  if (bh_spool_path(path, spool, bh_spool_parked, "") == 0) {
    bh_directory_list(path, count_one, &in_parked);
  }
  if (bh_spool_path(path, spool, bh_spool_retry, "") == 0) {
    bh_directory_list(path, count_one, &in_retry);
  }
  *sequence = in_parked.sequence > in_retry.sequence ? in_parked.sequence : in_retry.sequence;
  return in_parked.count;
}
