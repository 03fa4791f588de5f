/* SPDX-License-Identifier: MIT */
#ifndef FUZZ_OBVIOUS_CLIENT_H
#define FUZZ_OBVIOUS_CLIENT_H

/*
 * A second client: sections 3.2, 3.3 and 6.3 of spec/protocol.md, written to be compared with. It is told the same as
 * the client, and says which events and which messages come of it, in their order.
 */

#include "body.h"
#include "reader.h"

enum { EXPECTED_MAX = 512, REQUESTS_SLOTS = 32, HAND_MAX = 128, FINISHED_MAX = 1024, REASON_MAX = 1023 };

typedef struct {
  bh_event_kind kind;
  uint32_t request;
  char instance[BH_INSTANCE_ID_MAX + 1], active[BH_INSTANCE_ID_MAX + 1];
  char import[BH_IMPORT_ID_MAX + 1], code[BH_CODE_MAX + 1];
  uint32_t attempt, hub_pid;
  uint64_t epoch, assets, said; /* the latter two as numbers made of the octets */
  size_t said_size;             /* of what the hub says; 0 where nobody looks */
} expected_event;

typedef struct {
  bh_type type;
  uint32_t answers; /* ACK and ERROR */
  char code[BH_CODE_MAX + 1];
  char instance[BH_INSTANCE_ID_MAX + 1]; /* REGISTER, CLAIM_ACTIVE */
  const char *reason;                    /* of a refusal; else NULL */
} expected_message;

typedef struct {
  uint32_t message, number;
  bh_type type;
} obvious_request;

typedef struct {
  char import[BH_IMPORT_ID_MAX + 1];
  uint32_t message; /* that waits for its answer; 0: none */
} obvious_in_hand;

typedef enum { CLOSED, REGISTERING, REGISTERED, SUPERSEDED } obvious_client_state;

typedef struct {
  obvious_client_state state;
  bh_role role;
  uint32_t pid, window;
  char instance[BH_INSTANCE_ID_MAX + 1], name[BH_NAME_MAX + 1];
  uint64_t heard;
  uint32_t heartbeat_ms, timeout_ms;
  bh_reader gets;
  uint32_t last_id, last_number;
  obvious_request requests[REQUESTS_SLOTS];
  bool told_active;
  bh_client_view view;
  obvious_in_hand hand[HAND_MAX];
  size_t hand_count, finished_count;
  /* What is to come. */
  size_t event_first, event_end, message_first, message_end;
  bool lenient;
  bool assets_ended; /* of the events that wait: they are not looked at */
  /* Large, and not cleared at the start. */
  bh_instance_info instances[64];
  char finished[FINISHED_MAX][BH_IMPORT_ID_MAX + 1];
  expected_event events[EXPECTED_MAX];
  expected_message messages[EXPECTED_MAX];
} obvious_client;

void obvious_client_start(obvious_client *o, const bh_client_config *config);
void obvious_client_end(obvious_client *o);
uint64_t obvious_octets(const uint8_t *octets, size_t size);

/* What is told to the client, once it was told. */
void obvious_client_open(obvious_client *o, uint64_t now);
void obvious_client_close(obvious_client *o);
void obvious_client_recv(obvious_client *o, const uint8_t *octets, size_t size, uint64_t now);
void obvious_client_expire(obvious_client *o, uint64_t now);
uint64_t obvious_client_expiry(const obvious_client *o);
/* What a request or an answer returns. Without a reason the import is finished, with one refused. */
int obvious_client_ask(obvious_client *o, bh_type type, const char *instance, uint32_t *number);
int obvious_client_rename(obvious_client *o, const char *name);
int obvious_client_answer(obvious_client *o, const char *import, const char *reason);

/* What the client does. */
void obvious_client_event(obvious_client *o, const bh_event *event);
void obvious_client_message(obvious_client *o, const bh_reader *r);
void obvious_client_check_view(const obvious_client *o, const bh_client_view *view);

#endif
