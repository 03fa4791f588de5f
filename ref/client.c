/* SPDX-License-Identifier: MIT */
#include "client_internal.h"

#include <stdio.h>
#include <string.h>

/* A client: its connections, what the hub sends, and the events that come of it. */

static bool name_fits(const char *name) {
  return name != NULL && name[0] != '\0' && strlen(name) <= BH_NAME_MAX;
}

bh_client *bh_client_new(const bh_client_config *config) {
  bh_client *client;

  if (!name_fits(config->name) || config->window < 1 || config->window > BH_WINDOW_MAX ||
      (config->instance != NULL && strlen(config->instance) > BH_INSTANCE_ID_MAX)) {
    return NULL;
  }
  client = config->allocator.resize(config->allocator.ctx, NULL, sizeof *client);
  if (client == NULL) {
    return NULL;
  }
  memset(client, 0, sizeof *client);
  client->allocator = config->allocator;
  client->logger = config->logger;
  client->pid = config->pid;
  client->window = config->window;
  client->role = config->role;
  client->heartbeat_ms = BH_HEARTBEAT_MS;
  client->timeout_ms = config->timeout_ms == 0 ? BH_TIMEOUT_MS : config->timeout_ms;
  memcpy(client->name, config->name, strlen(config->name));
  if (config->instance != NULL) {
    snprintf(client->instance, sizeof client->instance, "%s", config->instance);
  }
  bh_reader_init(&client->reader, BH_BODY_MAX, client->allocator);
  bh_outbox_init(&client->out, client->allocator);
  bh_buffer_init(&client->scratch, client->allocator);
  return client;
}

void bh_client_free(bh_client *client) {
  if (client == NULL) {
    return;
  }
  bh_reader_free(&client->reader);
  bh_outbox_free(&client->out);
  bh_buffer_free(&client->scratch);
  if (client->instances != NULL) {
    client->allocator.resize(client->allocator.ctx, client->instances, 0);
  }
  client->allocator.resize(client->allocator.ctx, client, 0);
}

/* ---- output */

bh_buffer *bh_client_body(bh_client *client) {
  bh_buffer_clear(&client->scratch);
  return &client->scratch;
}

uint32_t bh_client_put(bh_client *client, bh_type type) {
  return bh_outbox_put(&client->out, type, &client->scratch);
}

void bh_client_answer_ack(bh_client *client, uint32_t message) {
  bh_encode_for_body(bh_client_body(client), message);
  bh_client_put(client, BH_ACK);
}

void bh_client_answer_error(bh_client *client, uint32_t message, bh_code code, const char *why) {
  bh_encode_error_body(bh_client_body(client), message, bh_code_name(code), why);
  bh_client_put(client, BH_ERROR);
}

size_t bh_client_send(bh_client *client, const uint8_t **octets) {
  return bh_outbox_lend(&client->out, octets);
}

void bh_client_sent(bh_client *client, size_t size) {
  bh_outbox_sent(&client->out, size);
}

/* ---- events */

bh_event *bh_client_event(bh_client *client, bh_event_kind kind) {
  bh_event *event;

  if (client->event_count == BH_EVENTS_MAX) {
    /* Only a caller that does not poll comes here. The oldest goes: the newest say how things are. */
    client->event_first = (client->event_first + 1) % BH_EVENTS_MAX;
    client->event_count--;
  }
  event = &client->events[(client->event_first + client->event_count) % BH_EVENTS_MAX];
  client->event_count++;
  memset(event, 0, sizeof *event);
  event->kind = kind;
  event->message = "";
  return event;
}

bool bh_client_poll(bh_client *client, bh_event *event) {
  if (client->event_count == 0) {
    return false;
  }
  *event = client->events[client->event_first];
  client->event_first = (client->event_first + 1) % BH_EVENTS_MAX;
  client->event_count--;
  return true;
}

void bh_client_set_active(bh_client *client, const char *active) {
  bool self = client->role == BH_ROLE_INSTANCE && active[0] != '\0' && strcmp(active, client->instance) == 0;

  snprintf(client->view.active, sizeof client->view.active, "%s", active);
  if (self != client->told_active) {
    bh_event *event = bh_client_event(client, self ? BH_EV_ACTIVE : BH_EV_INACTIVE);
    snprintf(event->active, sizeof event->active, "%s", active);
    client->told_active = self;
  }
}

static bool is_open(const bh_client *client) {
  return client->state == CLIENT_REGISTERING || client->state == CLIENT_REGISTERED;
}

/* ---- connections */

static void fail_requests(bh_client *client, const char *message) {
  for (size_t i = 0; i < BH_REQUESTS_MAX; i++) {
    request *r = &client->requests[i];
    if (r->message != 0 && r->request != 0) {
      bh_event *event = bh_client_event(client, BH_EV_FAILED);
      event->request = r->request;
      event->message = message;
    }
    r->message = 0;
  }
}

/* An import whose event was not taken yet was not handed up: its octets end with the connection. */
static void withdraw_imports(bh_client *client) {
  size_t count = client->event_count;
  bh_event event;

  for (size_t i = 0; i < count; i++) {
    bh_client_poll(client, &event);
    if (event.kind == BH_EV_IMPORT) {
      bh_client_refuse(client, event.import, "");
    } else {
      *bh_client_event(client, event.kind) = event;
    }
  }
}

/* What was known of this connection is void (BH-CLIENT-005). Imports in hand stay in hand. */
static void leave_connection(bh_client *client) {
  for (size_t i = 0; i < client->import_count; i++) {
    client->imports[i].message = 0;
  }
  withdraw_imports(client);
  fail_requests(client, "the connection to the hub was lost before the answer came");
  bh_client_set_active(client, "");
  client->view.registered = false;
  client->view.heard = false;
  client->view.waiting = 0;
  client->view.parked = 0;
  client->view.problem[0] = '\0';
  client->view.instance_count = 0;
}

int bh_client_open(bh_client *client, uint64_t now) {
  if (client->state != CLIENT_CLOSED) {
    return BH_E_STATE;
  }
  bh_reader_free(&client->reader);
  bh_reader_init(&client->reader, BH_BODY_MAX, client->allocator);
  bh_outbox_free(&client->out);
  bh_outbox_init(&client->out, client->allocator);
  client->state = CLIENT_REGISTERING;
  client->heard = now;
  bh_client_register(client);
  if (client->out.queued.failed) {
    leave_connection(client);
    client->state = CLIENT_CLOSED;
    return BH_E_NO_MEMORY;
  }
  return BH_OK;
}

void bh_client_end(bh_client *client, bh_event_kind kind, const char *message) {
  bh_event *event;

  leave_connection(client);
  client->state = kind == BH_EV_SUPERSEDED ? CLIENT_SUPERSEDED : CLIENT_CLOSED;
  event = bh_client_event(client, kind);
  event->message = message;
}

void bh_client_check_output(bh_client *client) {
  if (is_open(client) && client->out.queued.failed) {
    bh_client_end(client, BH_EV_CLOSE, "there is no memory for what the hub is to be sent");
  } else if (is_open(client) && client->out.used_up) {
    bh_client_end(client, BH_EV_CLOSE, "no message to the hub can have another id");
  }
}

void bh_client_close(bh_client *client, uint64_t now) {
  (void)now;
  if (is_open(client)) {
    leave_connection(client);
    client->state = CLIENT_CLOSED;
  }
}

/* ---- messages */

static bool is_taken(bh_type type) {
  return type == BH_HEARTBEAT || type == BH_IMPORT_DATA || type == BH_ACK || type == BH_ERROR;
}

static void end_malformed(bh_client *client, uint32_t answers, bh_code code, const char *what) {
  bh_client_answer_error(client, answers, code, what);
  bh_client_end(client, BH_EV_CLOSE, "the hub broke the framing");
}

static void on_wrong_body(bh_client *client, const char *what) {
  uint32_t id = client->reader.id;

  if (client->reader.type == BH_ACK || client->reader.type == BH_ERROR) {
    end_malformed(client, id, BH_CODE_MALFORMED, what);
  } else {
    bh_client_answer_error(client, id, BH_CODE_BAD_BODY, what);
  }
}

static void dispatch(bh_client *client, const bh_body *body) {
  switch (client->reader.type) {
  case BH_HEARTBEAT:
    bh_client_on_heartbeat(client, body);
    break;
  case BH_IMPORT_DATA:
    bh_client_on_import_data(client, body);
    break;
  case BH_ACK:
    if (!bh_client_on_ack(client, body)) {
      on_wrong_body(client, "the ACK lacks a member that its request asks for");
    }
    break;
  default:
    bh_client_on_error(client, body);
    break;
  }
}

static void on_message(bh_client *client) {
  const bh_reader *reader = &client->reader;
  bh_body body;
  bh_body_fault fault;

  if (reader->type == BH_TYPE_UNKNOWN) {
    bh_client_answer_error(client, reader->id, BH_CODE_UNKNOWN_TYPE, "none of the eight types");
  } else if (!is_taken(reader->type)) {
    bh_client_answer_error(client, reader->id, BH_CODE_UNEXPECTED, "a client does not take this type");
  } else if (bh_body_read(BH_FROM_HUB, reader->type, reader->body, reader->body_size, &body, &fault)) {
    dispatch(client, &body);
  } else {
    on_wrong_body(client, fault.what);
  }
}

int bh_client_recv(bh_client *client, const uint8_t *octets, size_t size, size_t *consumed, uint64_t now) {
  *consumed = 0;
  if (!is_open(client)) {
    return BH_E_CLOSED;
  }
  if (client->event_count > 0) {
    return BH_OK;
  }
  client->heard = now;
  switch (bh_reader_next(&client->reader, octets, size, consumed)) {
  case BH_READ_MORE:
    break;
  case BH_READ_MESSAGE:
    on_message(client);
    break;
  case BH_READ_BROKEN:
    end_malformed(client, client->reader.for_id, client->reader.code, client->reader.what);
    break;
  case BH_READ_NO_MEMORY:
    bh_client_end(client, BH_EV_CLOSE, "there is no memory for what the hub sends");
    break;
  }
  bh_client_check_output(client);
  return is_open(client) ? BH_OK : BH_E_CLOSED;
}

/* ---- time */

uint64_t bh_client_expiry(const bh_client *client) {
  return is_open(client) ? client->heard + client->timeout_ms : BH_NEVER;
}

void bh_client_expire(bh_client *client, uint64_t now) {
  uint64_t expiry = bh_client_expiry(client);

  if (now < expiry) {
    return;
  }
  if (now - expiry >= client->heartbeat_ms) {
    client->heard = now; /* this process itself was held up (BH-TIME-007) */
    return;
  }
  bh_client_end(client, BH_EV_CLOSE, "the hub has sent nothing for the time-out");
}

int bh_client_rename(bh_client *client, const char *name) {
  if (!name_fits(name)) {
    return BH_E_INVALID;
  }
  snprintf(client->name, sizeof client->name, "%s", name);
  return BH_OK;
}

void bh_client_status(const bh_client *client, bh_client_view *view) {
  *view = client->view;
  view->instances = client->instances;
}
