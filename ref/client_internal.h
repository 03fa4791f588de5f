/* SPDX-License-Identifier: MIT */
#ifndef BH_CLIENT_INTERNAL_H
#define BH_CLIENT_INTERNAL_H

/* What the files client*.c share. */

#include "body.h"
#include "outbox.h"
#include "reader.h"

enum {
  BH_REQUESTS_MAX = 32,
  /* One message or call causes few events; the end of a connection causes one for each request, and its own. */
  BH_EVENTS_MAX = BH_REQUESTS_MAX + 16,
  BH_MESSAGE_MAX = 1024,
  /* A hub keeps to the window; one that does not is told so. */
  BH_IN_HAND_MAX = 2 * BH_WINDOW_MAX,
};

typedef enum {
  CLIENT_CLOSED,
  CLIENT_REGISTERING, /* connected, REGISTER not yet answered */
  CLIENT_REGISTERED,
  CLIENT_SUPERSEDED, /* the end */
} client_state;

typedef struct {
  uint32_t message; /* the id of its message; 0: a free slot */
  uint32_t request; /* what the caller knows it by; 0: REGISTER, which the client sent by itself */
  bh_type type;
} request;

typedef struct {
  char import[BH_IMPORT_ID_MAX + 1];
  uint32_t message; /* the newest IMPORT_DATA of this connection that waits for its answer; 0: none does */
} in_hand;

struct bh_client {
  bh_allocator allocator;
  bh_logger logger;
  uint32_t pid;
  char name[BH_NAME_MAX + 1];
  char instance[BH_INSTANCE_ID_MAX + 1]; /* "": none yet */
  uint32_t window;
  bh_role role;

  client_state state;
  bh_reader reader;
  bh_outbox out;
  uint64_t heard;
  uint32_t heartbeat_ms;
  uint32_t timeout_ms;

  bh_client_view view;
  bh_instance_info *instances;
  bool told_active; /* whether the last of ACTIVE and INACTIVE was ACTIVE */

  request requests[BH_REQUESTS_MAX];
  uint32_t last_request;

  in_hand imports[BH_IN_HAND_MAX];
  size_t import_count;
  char finished[BH_FINISHED_MAX][BH_IMPORT_ID_MAX + 1]; /* a ring */
  size_t finished_next;

  bh_event events[BH_EVENTS_MAX]; /* a ring */
  size_t event_first;
  size_t event_count;
  char message[BH_MESSAGE_MAX]; /* of the newest event that has one */

  bh_buffer scratch;
};

/* client.c */
bh_buffer *bh_client_body(bh_client *client); /* the empty body of the next message */
uint32_t bh_client_put(bh_client *client, bh_type type);
bh_event *bh_client_event(bh_client *client, bh_event_kind kind);
/* Ends the connection: a CLOSE event (or `kind`), after one FAILED for each request that waits. */
void bh_client_end(bh_client *client, bh_event_kind kind, const char *message);
/* Ends a connection on which nothing more can be sent: no memory, or BH-FRAME-012. After each bh_client_put(). */
void bh_client_check_output(bh_client *client);
void bh_client_answer_ack(bh_client *client, uint32_t message);
void bh_client_answer_error(bh_client *client, uint32_t message, bh_code code, const char *why);
/* Tells ACTIVE or INACTIVE where that has changed. */
void bh_client_set_active(bh_client *client, const char *active);

/* client_requests.c */
void bh_client_register(bh_client *client);
request *bh_client_request(bh_client *client, uint32_t message);

/* client_<message type>.c: what a message from the hub does. */
void bh_client_on_heartbeat(bh_client *client, const bh_body *body);
void bh_client_on_import_data(bh_client *client, const bh_body *body);
bool bh_client_on_ack(bh_client *client, const bh_body *body); /* false: its body lacks what this answer carries */
void bh_client_on_error(bh_client *client, const bh_body *body);

#endif
