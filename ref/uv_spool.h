/* SPDX-License-Identifier: MIT */
#ifndef BH_UV_SPOOL_H
#define BH_UV_SPOOL_H

#include "buffer.h"
#include "uv_file.h"
#include "uv_say.h"

/*
 * The spool on disk (spec/protocol.md, section 6.1). An import is complete by a rename; nothing here waits for a disk,
 * because the spool need only outlive processes.
 */

/* The files that do not fit and were said in the log, as numbers made from their names. */
typedef struct {
  uint64_t *prints;
  size_t count;
} bh_spool_said;

typedef struct {
  char path[BH_PATH_MAX];
  bh_logger logger;
  uint64_t values;    /* begun so far: names in tmp/ */
  bh_spool_said said; /* by the last search */
} bh_spool;

/* A value on its way from Bridge. */
typedef struct {
  int file;      /* -1: none */
  size_t size;   /* written so far */
  uint64_t name; /* in tmp/ */
} bh_spool_value;

/* What becomes of an import that was found: 0: taken. */
typedef int (*bh_spool_found)(void *ctx, const bh_import *import);

/* The spool's own directory, which the lock lies in. */
int bh_spool_make(bh_spool *spool, const char *path, const bh_logger *logger, bh_why *why);
/* What is in it; the caller has the lock. Empties tmp/. */
int bh_spool_open(bh_spool *spool, bh_why *why);
void bh_spool_close(bh_spool *spool);
/* Whether it can be written, `size` octets at least; what is missing of it is made anew. */
int bh_spool_try(bh_spool *spool, size_t size, bh_why *why);
/* The import's file is not in queue/, which itself is there. */
bool bh_spool_is_gone(const bh_spool *spool, const bh_import *import);
/* The imports in queue/, by sequence. What does not fit is left alone and said in the log (BH-SPOOL-008). */
int bh_spool_take_over(bh_spool *spool, bh_spool_found found, void *ctx, bh_why *why);
/* Moves what lies in retry/ to queue/, with `deaths` 0 and no holder; one that is not taken is moved back. */
void bh_spool_retry_all(bh_spool *spool, bh_spool_found found, void *ctx);
/* How many lie in parked/, and the greatest sequence in parked/ and retry/, which no new import may have. */
uint32_t bh_spool_count_parked(const bh_spool *spool, uint64_t *sequence);

/* Within the spool: a name in one of its directories, and an import from one to another, never over what is there. */
extern const char bh_spool_queue[];
extern const char bh_spool_parked[];
extern const char bh_spool_retry[];
int bh_spool_path(char path[BH_PATH_MAX], const bh_spool *spool, const char *directory, const char *name);
int bh_spool_move(const bh_spool *spool, const char *from_directory, const bh_import *from, const char *to_directory,
                  const bh_import *to);
void bh_spool_said_free(bh_spool_said *said);

/* A value from Bridge. */
int bh_spool_begin(bh_spool *spool, bh_spool_value *value);
int bh_spool_append(bh_spool_value *value, const uint8_t *octets, size_t size);
int bh_spool_commit(bh_spool *spool, bh_spool_value *value, const bh_import *import); /* on failure it is dropped */
void bh_spool_drop(const bh_spool *spool, bh_spool_value *value);

/* An import of the hub's. */
int bh_spool_record(const bh_spool *spool, const bh_import *before, const bh_import *import);
int bh_spool_load(const bh_spool *spool, const bh_import *import, bh_buffer *octets);
int bh_spool_remove(const bh_spool *spool, const bh_import *import);
int bh_spool_park(const bh_spool *spool, const bh_import *before, const bh_import *import, const char *reason);

#endif
