/* SPDX-License-Identifier: MIT */
#include "uv_server_internal.h"

#include "uv_state.h"

/* What the core of the hub wants done: state file and spool. */

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
  } else if (!failed && server->state_failed) {
    bh_say(&server->logger, BH_LOG_INFO, "the state file %s is written again", server->state);
  }
  server->state_failed = failed;
}

/* ---- the spool */

int bh_server_import_found(void *ctx, const bh_import *import) {
  bh_server *server = ctx;

  return bh_hub_import(server->hub, import, bh_server_now(server));
}

static void retry(bh_server *server) {
  uint64_t last_sequence;
  uint32_t parked;

  bh_spool_retry_all(&server->spool, bh_server_import_found, server);
  parked = bh_spool_count_parked(&server->spool, &last_sequence);
  bh_hub_parked(server->hub, parked, last_sequence, bh_server_now(server));
}

static bh_spool_result result_of(const bh_server *server, int error, const char *what, const bh_import *import) {
  if (error == 0) {
    return BH_SPOOL_OK;
  }
  bh_say(&server->logger, BH_LOG_ERROR, "import %s cannot be %s: %s", import->import, what, uv_strerror(error));
  /* Not there, no regular file, too long: trying again does not help. */
  return error == UV_ENOENT || error == UV_EINVAL || error == UV_ELOOP || error == UV_EFBIG ? BH_SPOOL_GONE
                                                                                            : BH_SPOOL_FAILED;
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

static void remove_import(bh_server *server, const bh_import *import) {
  int error = bh_spool_remove(&server->spool, import);

  if (error != 0) {
    bh_say(&server->logger, BH_LOG_ERROR, "import %s is finished and cannot be removed from the spool: %s",
           import->import, uv_strerror(error));
  }
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
    remove_import(server, &action->before);
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
