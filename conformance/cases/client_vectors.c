/* SPDX-License-Identifier: MIT */
#include "client_vectors.h"

#include "client_steps.h"
#include "vectors.h"

#include <string.h>

enum { WORD = 128 };

struct vector {
  uint64_t id; /* tcId */
  bh_node test;
  const uint8_t *octets;
  size_t size;
};

typedef bool chooser(bh_node test, const char *requirement);
typedef void player(const struct vector *vector, struct conn *conn);

static bool is_for_client(bh_node group) {
  return bh_node_is(bh_node_member(group, "receiver"), "client");
}

static bool has_requests(bh_node test) {
  return bh_node_given(bh_node_member(test, "requests"));
}

static void play_one(bh_node test, struct conn *conn, player *play) {
  struct vector vector = {.id = bh_node_number(bh_node_member(test, "tcId")), .test = test};
  char comment[WORD];
  bh_expanded octets;

  EXPECT(bh_node_octets(bh_node_member(test, "octets"), &octets), "the vectors can be read", "vector %u cannot",
         (unsigned)vector.id);
  vector.octets = octets.octets;
  vector.size = octets.size;
  bh_node_text(bh_node_member(test, "comment"), comment, sizeof comment);
  note("vector %u: %s", (unsigned)vector.id, comment);
  play(&vector, conn);
  bh_expanded_free(&octets);
}

/* `conn`: NULL for a player that makes clients of its own. */
static void play_chosen(const char *name, const char *requirement, chooser *choose, struct conn *conn, player *play) {
  bh_vectors *file = bh_vectors_open(name);
  bh_vector vector = {0};
  size_t played = 0;

  if (file == NULL) {
    skip("the vectors cannot be read: name their directory in BH_VECTORS");
  }
  while (bh_vectors_next(file, &vector)) {
    if (is_for_client(vector.group) && choose(vector.test, requirement)) {
      play_one(vector.test, conn, play);
      played++;
    }
  }
  EXPECT(played > 0, "the vectors have what this case is about", "none in %s", name);
  bh_vectors_close(file);
}

/* ---- right framing */

static bool is_right_framing(bh_node test, const char *requirement) {
  return bh_node_is(bh_node_member(test, "end"), "boundary") && !has_requests(test) &&
         bh_node_is(bh_node_first(bh_node_member(test, "requirements")), requirement);
}

/* An import that is right is handed up. It is refused, so that the next with this id is handed up too. */
static void expect_handed_up(const struct vector *vector, struct conn *conn, uint32_t id, struct json body) {
  size_t size;
  const char *assets = json_octets(&body, "assets", &size);
  const char *import = json_text(&body, "import");
  const struct client_event *event = expect_import(conn->client, import);
  const char *came = json_text(&event->json, "assets");

  EXPECT(strlen(came) == size && memcmp(came, assets, size) == 0, "the assets, octet for octet", "vector %u: %s",
         (unsigned)vector->id, came);
  command(conn->client, "refuse %s", import);
  expect_rejected(conn, id, NULL);
}

static void check_answer(const struct vector *vector, struct conn *conn, uint32_t id, const char *verdict) {
  const struct message *message = answer_for(conn, id);
  const char *code = json_is_text(&message->json, "code") ? json_text(&message->json, "code") : "";

  if (strcmp(verdict, "valid") == 0) {
    EXPECT(strcmp(message->type, "ACK") == 0, "a right message is taken", "vector %u: %s %s", (unsigned)vector->id,
           message->type, code);
  } else {
    EXPECT(strcmp(code, verdict) == 0, "a wrong message is answered with the ERROR for it",
           "vector %u: %s %s in place of ERROR %s", (unsigned)vector->id, message->type, code, verdict);
  }
}

static void send_part(const struct vector *vector, struct conn *conn, bh_node message, size_t *offset) {
  const uint8_t *line_feed = memchr(vector->octets + *offset, '\n', vector->size - *offset);
  size_t size = (size_t)bh_node_number(bh_node_member(message, "length"));
  char type[WORD], verdict[WORD];

  EXPECT(line_feed != NULL && size < vector->size, "the vectors can be read", "vector %u cannot", (unsigned)vector->id);
  bh_node_text(bh_node_member(message, "type"), type, sizeof type);
  bh_node_text(bh_node_member(message, "verdict"), verdict, sizeof verdict);
  *offset = (size_t)(line_feed + 1 - vector->octets) + size;
  uint32_t id = send_body(conn, type, line_feed + 1, size);
  if (strcmp(type, "ACK") == 0 || strcmp(type, "ERROR") == 0) {
    expect_taken(conn, send_heartbeat(conn)); /* it answers nothing, and the connection goes on */
  } else if (strcmp(type, "IMPORT_DATA") == 0 && strcmp(verdict, "valid") == 0) {
    char *body = allocate(size + 1);
    memcpy(body, line_feed + 1, size);
    expect_handed_up(vector, conn, id, json_read(body, size));
  } else {
    check_answer(vector, conn, id, verdict);
  }
}

static void play_messages(const struct vector *vector, struct conn *conn) {
  bh_node messages = bh_node_member(vector->test, "messages");
  size_t offset = 0;

  for (bh_node node = bh_node_first(messages); bh_node_given(node); node = bh_node_next(messages, node)) {
    send_part(vector, conn, node, &offset);
  }
}

void play_to_client(const char *file, const char *requirement) {
  play_chosen(file, requirement, is_right_framing, welcome(client_start()), play_messages);
}

/* ---- breaks of the framing */

static bool is_break(bh_node test) {
  return bh_node_is(bh_node_member(test, "end"), "break");
}

static bool is_break_that_names(bh_node test, const char *requirement) {
  return is_break(test) && bh_node_has(bh_node_member(test, "requirements"), requirement);
}

static void expect_found(const struct vector *vector, struct conn *conn, uint32_t moved) {
  bh_node found = bh_node_member(vector->test, "break");
  char code[WORD];

  bh_node_text(bh_node_member(found, "code"), code, sizeof code);
  expect_break_found(conn, code, (uint32_t)bh_node_number(bh_node_member(found, "for")) + moved);
}

/* As the first that the hub says, up to and with the octet at which it is found; the client still waits for its ACK. */
static void play_break(const struct vector *vector, struct conn *unused) {
  uint64_t offset = bh_node_number(bh_node_member(bh_node_member(vector->test, "break"), "offset"));
  struct client *client = client_start();
  struct conn *conn = arrival(client);

  (void)unused;
  expect_register(conn);
  client_may_end(client);
  send_octets(conn, vector->octets, offset < vector->size ? offset + 1 : vector->size);
  expect_found(vector, conn, 0);
  client_dismiss(client);
}

void play_breaks_to_client(const char *file, const char *requirement) {
  play_chosen(file, requirement, is_break_that_names, NULL, play_break);
}

static bool is_wrong_answer(bh_node test, const char *requirement) {
  return is_break_that_names(test, requirement) && !has_requests(test);
}

/* Behind what a client is welcomed with; it comes back for the next. */
static void play_wrong_answer(const struct vector *vector, struct conn *first) {
  const uint8_t *body = memchr(vector->octets, '\n', vector->size);
  struct conn *conn = first->ended ? welcome(first->client) : first;
  bool ack = vector->size > 8 && memcmp(vector->octets, "BH1 ACK ", 8) == 0;

  EXPECT(body != NULL, "the vectors can be read", "vector %u cannot", (unsigned)vector->id);
  uint32_t id = send_body(conn, ack ? "ACK" : "ERROR", body + 1, vector->size - (size_t)(body + 1 - vector->octets));
  expect_found(vector, conn, id - 1);
}

void play_wrong_answers(const char *file) {
  play_chosen(file, "BH-MSG-007", is_wrong_answer, welcome(client_start()), play_wrong_answer);
}

static bool is_wrong_welcome(bh_node test, const char *requirement) {
  return is_break_that_names(test, requirement) && bh_node_count(bh_node_member(test, "requests")) == 1 &&
         bh_node_has(bh_node_member(test, "requests"), "REGISTER");
}

void play_wrong_welcomes(const char *file) {
  play_chosen(file, "BH-MSG-007", is_wrong_welcome, NULL, play_break);
}
