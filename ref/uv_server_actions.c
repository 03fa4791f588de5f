/* SPDX-License-Identifier: MIT */
#include "uv_server_internal.h"

#include "uv_state.h"

enum { TRIAL_SIZE = 4096 };

/* What the core of the hub wants done: state file and spool. */

/* ---- trouble */

/* A spool that cannot be written is graver than a state file that cannot. */
static void tell_problem(bh_server *server) {
  const char *text = server->spool_problem.text[0] != '\0' ? server->spool_problem.text : server->state_problem.text;

  if (!server->stopping) {
    bh_hub_problem(server->hub, text[0] == '\0' ? NULL : text, bh_server_now(server));
  }
}

void bh_server_spool_failed(bh_server *server, int error) {
  server->spool_failed = true;
  if (server->spool_problem.text[0] == '\0') {
    bh_why_set(&server->spool_problem, error, "the spool %s cannot be written: %s", server->spool.path,
               uv_strerror(error));
  }
  tell_problem(server);
}

/* Where the whole spool was removed, its lock went with it (BH-ELECT-001). */
static int lock_again(bh_server *server, bh_why *why) {
  char path[BH_PATH_MAX];

  if (bh_spool_path(path, &server->spool, "lock", "") != 0 || bh_file_exists(path)) {
    return 0;
  }
  bh_lock_release(&server->lock);
  return bh_lock_take(&server->lock, server->spool.path, why);
}

/*
 * Each heartbeat. What failed since the last time may fail for a reason that a trial does not find: the trouble is over
 * only after a heartbeat in which all went well.
 */
static void try_spool(bh_server *server) {
  size_t size = server->spool_needs > TRIAL_SIZE ? server->spool_needs : TRIAL_SIZE;
  bh_why why = {""};
  int error = bh_spool_try(&server->spool, size, &why);

  if (error == 0) {
    error = lock_again(server, &why);
  }
  if (error != 0) {
    server->spool_problem = why;
  } else if (!server->spool_failed) {
    server->spool_needs = 0;
    server->spool_problem.text[0] = '\0';
  }
  server->spool_failed = false;
  tell_problem(server);
}

/* ---- the state file */

static int store_state(bh_server *server, bool ended, bh_why *why) {
  bh_state_context context = {.now = bh_server_now(server), .port = server->port, .ended = ended};
  bh_hub_view view;
  uv_timeval64_t time;

  bh_hub_state(server->hub, &view);
  if (ended && view.instance_count == 0) {
    return bh_state_file_remove(server->state, why);
  }
  if (uv_gettimeofday(&time) == 0) {
    context.unix_time = (uint64_t)time.tv_sec;
  }
  bh_buffer_clear(&server->file);
  bh_state_write(&server->file, &view, &context);
  if (server->file.failed) {
    return bh_why_set(why, UV_ENOMEM, "the state file %s cannot be written: no memory", server->state);
  }
  return bh_state_file_write(server->state, server->file.octets, server->file.size, why);
}

/* It is only for people and a hint: a hub without one serves on. Said when it begins and when it is over. */
void bh_server_write_state(bh_server *server, bool ended) {
  bh_why why = {""};
  bool failed = store_state(server, ended, &why) != 0;

  if (failed && !server->state_failed) {
    bh_say(&server->logger, BH_LOG_ERROR, "%s", why.text);
  } else if (!failed && server->state_failed && !ended) { /* at the end it may have been removed instead */
    bh_say(&server->logger, BH_LOG_INFO, "the state file %s is written again", server->state);
  }
  server->state_failed = failed;
  server->state_problem = failed ? why : (bh_why){""};
  tell_problem(server);
}

/* ---- the spool */

int bh_server_import_found(void *ctx, const bh_import *import) {
  bh_server *server = ctx;

  return bh_hub_import(server->hub, import, bh_server_now(server));
}

static void retry(bh_server *server) {
  uint64_t last_sequence;
  uint32_t parked;

  try_spool(server);
  bh_spool_retry_all(&server->spool, bh_server_import_found, server);
  parked = bh_spool_count_parked(&server->spool, &last_sequence);
  bh_hub_parked(server->hub, parked, last_sequence, bh_server_now(server));
}

/* Not there, no regular file, too long: trying again does not help. A directory that is not there can come back. */
static bool is_hopeless(const bh_server *server, int error, const bh_import *import) {
  return error == UV_EINVAL || error == UV_ELOOP || error == UV_EFBIG || bh_spool_is_gone(&server->spool, import);
}

static bh_spool_result result_of(bh_server *server, int error, const char *what, const bh_import *import) {
  if (error == 0) {
    return BH_SPOOL_OK;
  }
  bh_say(&server->logger, BH_LOG_ERROR, "import %s cannot be %s: %s", import->import, what, uv_strerror(error));
  if (is_hopeless(server, error, import)) {
    return BH_SPOOL_GONE;
  }
  bh_server_spool_failed(server, error);
  return BH_SPOOL_FAILED;
}

static void spool_done(bh_server *server, int error, const char *what, const bh_import *import) {
  bh_hub_spool_done(server->hub, import->sequence, result_of(server, error, what, import), bh_server_now(server));
}

static void load(bh_server *server, const bh_import *import) {
  bh_buffer *octets = &server->file;
  int error;

  bh_buffer_clear(octets);
  error = bh_spool_load(&server->spool, import, octets);
  if (error == 0 && bh_hub_loaded(server->hub, import->sequence, octets->octets, octets->size, bh_server_now(server)) ==
                        BH_E_NO_MEMORY) {
    error = UV_ENOMEM;
  }
  if (error != 0) {
    spool_done(server, error, "read", import);
  }
  /* Imports can be large, and are rare. */
  bh_buffer_free(octets);
}

static void perform_one(bh_server *server, const bh_action *action) {
  switch (action->kind) {
  case BH_DO_WRITE_STATE:
    bh_server_write_state(server, false);
    break;
  case BH_DO_RECORD:
    spool_done(server, bh_spool_record(&server->spool, &action->before, &action->import), "recorded", &action->before);
    break;
  case BH_DO_LOAD:
    load(server, &action->before);
    break;
  case BH_DO_REMOVE:
    spool_done(server, bh_spool_remove(&server->spool, &action->before), "removed", &action->before);
    break;
  case BH_DO_PARK:
    spool_done(server, bh_spool_park(&server->spool, &action->before, &action->import, action->reason), "parked",
               &action->before);
    break;
  case BH_DO_RETRY:
    retry(server);
    break;
  case BH_DO_SEND:
    bh_server_send(server, action->peer);
    break;
  case BH_DO_CLOSE:
    bh_server_close_peer(server, action->peer);
    break;
  }
}

void bh_server_perform(bh_server *server) {
  bh_action action;

  while (bh_hub_poll(server->hub, &action)) {
    perform_one(server, &action);
  }
}
