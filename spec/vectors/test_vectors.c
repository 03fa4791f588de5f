/* SPDX-License-Identifier: MIT */
#include "body.h"
#include "reader.h"
#include "state_file.h"
#include "vectors.h"

#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint64_t id_of(const bh_vector *vector) {
  return bh_node_number(bh_node_member(vector->test, "tcId"));
}

/* ---- the files */

static size_t count_new_ids(const char *name, bool *used, size_t most) {
  bh_vectors *file = bh_vectors_open(name);
  bh_vector vector = {0};
  size_t count = 0;

  cr_assert_not_null(file);
  while (bh_vectors_next(file, &vector)) {
    uint64_t id = id_of(&vector);
    cr_assert_lt(id, most, "%s: tcId %" PRIu64, name, id);
    cr_assert_not(used[id], "%s: tcId %" PRIu64 " is used already", name, id);
    used[id] = true;
    count++;
  }
  cr_assert_eq(count, bh_node_number(bh_node_member(bh_vectors_root(file), "numberOfTests")), "%s", name);
  bh_vectors_close(file);
  return count;
}

Test(vectors, each_has_an_id_of_its_own) {
  static const char *const names[] = {"frame.json",  "messages.json",   "json.json",
                                      "bridge.json", "spool_name.json", "state.json"};
  static bool used[10000];
  size_t count = 0;

  for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
    count += count_new_ids(names[i], used, sizeof used);
  }
  cr_assert_geq(count, 160);
}

/* ---- one direction of a connection */

enum { MESSAGES_MAX = 16 };

typedef struct {
  bh_type type;
  uint32_t id;
  size_t length;
  const char *verdict;
} message;

typedef struct {
  message messages[MESSAGES_MAX];
  size_t count;
  const char *end; /* as in the vectors */
  message pending;
  bh_code code;
  uint32_t answers;
  uint64_t offset;
} answer;

static bool is_taken(bool hub, bh_type type) {
  switch (type) {
  case BH_REGISTER:
  case BH_UNREGISTER:
  case BH_CLAIM_ACTIVE:
  case BH_RELEASE_ACTIVE:
    return hub;
  case BH_IMPORT_DATA:
    return !hub;
  default:
    return true;
  }
}

static void end_broken(answer *got, bh_code code, uint32_t answers, uint64_t offset) {
  got->end = "break";
  got->code = code;
  got->answers = answers;
  got->offset = offset;
}

/* In the order of BH-MSG-010. A body that is wrong breaks the framing in an answer (BH-MSG-007). */
static void judge(answer *got, bool hub, const bh_reader *reader) {
  message *m = &got->messages[got->count];
  bh_body body;
  bh_body_fault fault;

  *m = (message){reader->type, reader->id, reader->body_size, "valid"};
  if (m->type == BH_TYPE_UNKNOWN) {
    m->verdict = "unknown-type";
  } else if (!is_taken(hub, m->type)) {
    m->verdict = "unexpected";
  } else if (!bh_body_read(hub ? BH_FROM_CLIENT : BH_FROM_HUB, m->type, reader->body, reader->body_size, &body,
                           &fault)) {
    if (m->type == BH_ACK || m->type == BH_ERROR) {
      end_broken(got, BH_CODE_MALFORMED, m->id, reader->offset - 1);
      return;
    }
    m->verdict = "bad-body";
  }
  got->count++;
}

static void judge_break(answer *got, const bh_reader *reader) {
  /* An id out of order is found at the line feed, which was taken; another wrong octet was not. */
  bool taken = strcmp(reader->requirement, "BH-FRAME-008") == 0;

  end_broken(got, reader->code, reader->for_id, reader->offset - (taken ? 1 : 0));
}

static void judge_end(answer *got, const bh_reader *reader) {
  if (got->end != NULL) {
    return;
  }
  if (reader->in_body) {
    got->end = "body";
    got->pending = (message){reader->type, reader->id, reader->body_size, ""};
  } else {
    got->end = reader->frame.offset > 0 ? "header" : "boundary";
  }
}

/* One chunk of `first` octets, and then chunks of `step`. */
static answer run(const bh_expanded *octets, bool hub, size_t first, size_t step) {
  size_t taken = 0;
  size_t end = first < octets->size ? first : octets->size;
  answer got = {.end = NULL};
  bh_reader reader;

  bh_reader_init(&reader, hub ? BH_CLIENT_BODY_MAX : BH_BODY_MAX, bh_system_allocator());
  while (got.end == NULL && taken < octets->size) {
    size_t consumed;
    bh_read_status status = bh_reader_next(&reader, octets->octets + taken, end - taken, &consumed);
    taken += consumed;
    if (status == BH_READ_MESSAGE && got.count < MESSAGES_MAX) {
      judge(&got, hub, &reader);
    } else if (status == BH_READ_BROKEN) {
      judge_break(&got, &reader);
    } else if (status == BH_READ_MORE) {
      end = step < octets->size - end ? end + step : octets->size;
    } else {
      end_broken(&got, BH_CODE_NONE, 0, 0);
    }
  }
  judge_end(&got, &reader);
  bh_reader_free(&reader);
  return got;
}

static bool same_message(const message *a, const message *b) {
  return a->type == b->type && a->id == b->id && a->length == b->length && a->verdict == b->verdict;
}

static bool same(const answer *a, const answer *b) {
  if (a->count != b->count || strcmp(a->end, b->end) != 0 || !same_message(&a->pending, &b->pending) ||
      a->code != b->code || a->answers != b->answers || a->offset != b->offset) {
    return false;
  }
  for (size_t i = 0; i < a->count; i++) {
    if (!same_message(&a->messages[i], &b->messages[i])) {
      return false;
    }
  }
  return true;
}

static void check_message(uint64_t id, bh_node want, const message *got) {
  bh_node verdict = bh_node_member(want, "verdict");

  cr_assert_eq(got->id, bh_node_number(bh_node_member(want, "id")), "tcId %" PRIu64, id);
  cr_assert_eq(got->length, bh_node_number(bh_node_member(want, "length")), "tcId %" PRIu64, id);
  if (got->type != BH_TYPE_UNKNOWN) {
    cr_assert(bh_node_is(bh_node_member(want, "type"), bh_type_name(got->type)), "tcId %" PRIu64, id);
  }
  if (bh_node_given(verdict)) {
    cr_assert(bh_node_is(verdict, got->verdict), "tcId %" PRIu64 ": message %" PRIu32 " is found %s", id, got->id,
              got->verdict);
  }
}

static void check_break(uint64_t id, bh_node brk, const answer *got) {
  cr_assert(bh_node_is(bh_node_member(brk, "code"), bh_code_name(got->code)), "tcId %" PRIu64, id);
  cr_assert_eq(got->answers, bh_node_number(bh_node_member(brk, "for")), "tcId %" PRIu64 ": for %" PRIu32, id,
               got->answers);
  cr_assert_eq(got->offset, bh_node_number(bh_node_member(brk, "offset")), "tcId %" PRIu64 ": at %" PRIu64, id,
               got->offset);
}

static void check_whole(uint64_t id, bh_node test, const answer *got) {
  bh_node messages = bh_node_member(test, "messages");
  bh_node pending = bh_node_member(test, "pending");
  bh_node brk = bh_node_member(test, "break");
  size_t i = 0;

  cr_assert_eq(got->count, bh_node_count(messages), "tcId %" PRIu64 ": %zu messages", id, got->count);
  for (bh_node m = bh_node_first(messages); bh_node_given(m); m = bh_node_next(messages, m)) {
    check_message(id, m, &got->messages[i++]);
  }
  cr_assert(bh_node_is(bh_node_member(test, "end"), got->end), "tcId %" PRIu64 ": it ends in %s", id, got->end);
  if (bh_node_given(pending)) {
    check_message(id, pending, &got->pending);
  }
  if (bh_node_given(brk)) {
    check_break(id, brk, got);
  }
}

/* What an ACK must carry depends on its request: a reader of messages alone cannot tell. */
static bool is_for_a_client(bh_node test) {
  return bh_node_has(bh_node_member(test, "flags"), "Context");
}

static void try_direction(const bh_vector *vector) {
  bool hub = bh_node_is(bh_node_member(vector->group, "receiver"), "hub");
  uint64_t id = id_of(vector);
  bh_expanded octets;
  answer whole;
  answer got;

  cr_assert(bh_node_octets(bh_node_member(vector->test, "octets"), &octets));
  whole = run(&octets, hub, octets.size, octets.size);
  if (!is_for_a_client(vector->test)) {
    check_whole(id, vector->test, &whole);
  }
  got = run(&octets, hub, 1, 1);
  cr_assert(same(&whole, &got), "tcId %" PRIu64 ": octet by octet it is another", id);
  for (size_t at = bh_expanded_split(&octets, 0); at != 0; at = bh_expanded_split(&octets, at)) {
    got = run(&octets, hub, at, octets.size);
    if (!same(&whole, &got)) {
      cr_assert_fail("tcId %" PRIu64 ": split at %zu it is another", id, at);
    }
  }
  bh_expanded_free(&octets);
}

static void try_each(const char *name, void (*try)(const bh_vector *vector)) {
  bh_vectors *file = bh_vectors_open(name);
  bh_vector vector = {0};

  cr_assert_not_null(file);
  while (bh_vectors_next(file, &vector)) {
    try(&vector);
  }
  bh_vectors_close(file);
}

Test(vectors, frames_at_every_split) {
  try_each("frame.json", try_direction);
}

Test(vectors, messages_at_every_split) {
  try_each("messages.json", try_direction);
}

/* ---- answers to what a client has asked */

static void ask(bh_client *client, bh_node request) {
  uint32_t number;
  int error = BH_E_INVALID;

  if (bh_node_is(request, "CLAIM_ACTIVE")) {
    error = bh_client_claim(client, NULL, &number);
  } else if (bh_node_is(request, "RELEASE_ACTIVE")) {
    error = bh_client_release(client, &number);
  } else if (bh_node_is(request, "UNREGISTER")) {
    error = bh_client_unregister(client, &number);
  } else if (bh_node_is(request, "HEARTBEAT")) {
    error = bh_client_heartbeat(client, &number);
  }
  cr_assert_eq(error, BH_OK);
}

/* Once it is registered, which is its first request, the client sends the others. True: it gave the connection up. */
static bool poll_client(bh_client *client, bh_node requests) {
  bh_event event;
  bool closed = false;

  while (bh_client_poll(client, &event)) {
    closed = closed || event.kind == BH_EV_CLOSE;
    if (event.kind == BH_EV_REGISTERED) {
      bh_node next = bh_node_next(requests, bh_node_first(requests));
      for (; bh_node_given(next); next = bh_node_next(requests, next)) {
        ask(client, next);
      }
    }
  }
  return closed;
}

static bool feed_client(bh_client *client, const bh_expanded *octets, bh_node requests) {
  size_t taken = 0;
  bool closed = false;

  while (!closed && taken < octets->size) {
    size_t consumed = 0;
    int error = bh_client_recv(client, octets->octets + taken, octets->size - taken, &consumed, 0);
    taken += consumed;
    closed = poll_client(client, requests) || error != BH_OK;
  }
  return closed;
}

static bool was_told_malformed(bh_client *client, uint64_t answers) {
  char start[64];
  const uint8_t *octets;
  size_t size = bh_client_send(client, &octets);
  char *sent = strndup((const char *)octets, size);
  bool told;

  snprintf(start, sizeof start, "{\"for\":%" PRIu64 ",\"code\":\"malformed\"", answers);
  told = sent != NULL && strstr(sent, start) != NULL;
  free(sent);
  return told;
}

static void try_client(const bh_vector *vector) {
  bh_client_config config = {.pid = 1, .name = "x", .window = 1, .allocator = bh_system_allocator()};
  bh_node brk = bh_node_member(vector->test, "break");
  uint64_t id = id_of(vector);
  bh_client *client;
  bh_expanded octets;

  if (!is_for_a_client(vector->test)) {
    return;
  }
  client = bh_client_new(&config);
  cr_assert_not_null(client);
  cr_assert_eq(bh_client_open(client, 0), BH_OK);
  cr_assert(bh_node_octets(bh_node_member(vector->test, "octets"), &octets));
  cr_assert_eq(feed_client(client, &octets, bh_node_member(vector->test, "requests")), bh_node_given(brk),
               "tcId %" PRIu64, id);
  if (bh_node_given(brk)) {
    cr_assert(was_told_malformed(client, bh_node_number(bh_node_member(brk, "for"))), "tcId %" PRIu64, id);
  }
  bh_expanded_free(&octets);
  bh_client_free(client);
}

Test(vectors, a_client_judges_an_answer_by_its_request) {
  try_each("messages.json", try_client);
}

/* ---- the state file */

static void check_hint(uint64_t id, bh_node want, const bh_state_hint *got) {
  char active[BH_INSTANCE_ID_MAX + 2];

  bh_node_text(bh_node_member(want, "active"), active, sizeof active);
  cr_assert_str_eq(got->active, active, "tcId %" PRIu64, id);
  cr_assert_eq(got->epoch, bh_node_number(bh_node_member(want, "epoch")), "tcId %" PRIu64, id);
  cr_assert_eq(got->hub_pid, bh_node_number(bh_node_member(want, "hubPid")), "tcId %" PRIu64, id);
  cr_assert_eq(got->port, bh_node_number(bh_node_member(want, "port")), "tcId %" PRIu64, id);
}

static void try_state(const bh_vector *vector) {
  bh_node result = bh_node_member(vector->test, "result");
  uint64_t id = id_of(vector);
  bh_expanded text;
  bh_state_hint hint;
  const char *wrong;

  cr_assert(bh_node_octets(bh_node_member(vector->test, "octets"), &text));
  wrong = bh_state_read(text.octets, text.size, &hint);
  if (bh_node_is(result, "valid")) {
    cr_assert_null(wrong, "tcId %" PRIu64 ": %s", id, wrong);
  } else if (bh_node_is(result, "invalid")) {
    cr_assert_not_null(wrong, "tcId %" PRIu64 " is taken", id);
    cr_assert_gt(strlen(wrong), 0);
  }
  if (wrong == NULL) {
    check_hint(id, bh_node_member(vector->test, "hint"), &hint);
  }
  bh_expanded_free(&text);
}

Test(vectors, state_files) {
  try_each("state.json", try_state);
}
