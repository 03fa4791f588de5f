/* SPDX-License-Identifier: MIT */
#include "vector_player.h"

#include "steps.h"
#include "vectors.h"

#include <stdlib.h>
#include <string.h>

enum { WORD = 128, SHORT_ENOUGH = 2048, LONG_PIECE = 4093 };

/* A break that is wrong in more than one way is for the case about that. */
#define FIRST_OF_SEVERAL "BH-MSG-010"

struct vector {
  struct hub *hub;
  struct conn *watcher; /* by its fence, what was sent before on other connections is handled */
  uint64_t id;          /* tcId */
  bh_node test;
  const uint8_t *octets;
  size_t size;
};

typedef void player(const struct vector *vector);

struct selection {
  const char *end;   /* "boundary", "break" */
  const char *first; /* the first requirement, or NULL */
  const char *named; /* one of the requirements, or NULL */
  const char *flag;  /* or NULL */
};

static bool is_selected(bh_node group, bh_node test, const struct selection *selection) {
  bh_node requirements = bh_node_member(test, "requirements");

  bool about_order = bh_node_has(requirements, FIRST_OF_SEVERAL);
  bool order_wanted = selection->named != NULL && strcmp(selection->named, FIRST_OF_SEVERAL) == 0;

  return bh_node_is(bh_node_member(group, "receiver"), "hub") &&
         bh_node_is(bh_node_member(test, "end"), selection->end) &&
         (strcmp(selection->end, "break") != 0 || about_order == order_wanted) &&
         (selection->first == NULL || bh_node_is(bh_node_first(requirements), selection->first)) &&
         (selection->named == NULL || bh_node_has(requirements, selection->named)) &&
         (selection->flag == NULL || bh_node_has(bh_node_member(test, "flags"), selection->flag));
}

static void play_one(struct conn *watcher, bh_node test, player *play) {
  struct vector vector = {
      .hub = watcher->hub, .watcher = watcher, .id = bh_node_number(bh_node_member(test, "tcId")), .test = test};
  char comment[WORD];
  bh_expanded octets;

  EXPECT(bh_node_octets(bh_node_member(test, "octets"), &octets), "the vectors can be read", "vector %u cannot",
         (unsigned)vector.id);
  vector.octets = octets.octets;
  vector.size = octets.size;
  bh_node_text(bh_node_member(test, "comment"), comment, sizeof comment);
  note("vector %u: %s", (unsigned)vector.id, comment);
  play(&vector);
  bh_expanded_free(&octets);
}

static void play_selected(const char *name, struct selection selection, player *play) {
  bh_vectors *file = bh_vectors_open(name);
  bh_vector vector = {0};
  size_t played = 0;

  if (file == NULL) {
    skip("the vectors cannot be read: name their directory in BH_VECTORS");
  }
  /* None of them is closed for being silent: that would hide what it waits for. */
  struct conn *watcher = join(hub_start_with((struct hub_options){.timeout_ms = 60000}), "watcher");
  while (bh_vectors_next(file, &vector)) {
    if (is_selected(vector.group, vector.test, &selection)) {
      play_one(watcher, vector.test, play);
      played++;
    }
  }
  EXPECT(played > 0, "the vectors have what this case is about", "none in %s", name);
  bh_vectors_close(file);
}

/* ---- right framing */

/* What the judging of a message alone can answer; everything else is the word of registration and roles. */
static bool is_verdict(const char *code) {
  static const char *const codes[] = {"malformed", "too-large", "unknown-type", "bad-body", "unexpected"};

  for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++) {
    if (strcmp(codes[i], code) == 0) {
      return true;
    }
  }
  return false;
}

static void check_verdict(const struct vector *vector, const struct message *answer, const char *verdict) {
  bool ack = strcmp(answer->type, "ACK") == 0;

  if (strcmp(verdict, "valid") == 0) {
    EXPECT(ack || !is_verdict(code_of(answer)), "a right message is taken", "vector %u: ERROR %s", (unsigned)vector->id,
           code_of(answer));
  } else {
    EXPECT(!ack && strcmp(code_of(answer), verdict) == 0, "a wrong message is answered with the ERROR for it",
           "vector %u: %s %s in place of ERROR %s", (unsigned)vector->id, answer->type, ack ? "" : code_of(answer),
           verdict);
  }
}

/* A message of a vector. */
struct part {
  char type[WORD];
  char verdict[WORD];
  const uint8_t *body;
  size_t size;
};

/* The messages begin at `*offset` one behind the other; it is moved on. */
static struct part read_part(const struct vector *vector, bh_node message, size_t *offset) {
  struct part part = {.size = (size_t)bh_node_number(bh_node_member(message, "length"))};
  const uint8_t *header = vector->octets + *offset;
  const uint8_t *line_feed = memchr(header, '\n', vector->size - *offset);

  EXPECT(line_feed != NULL && part.size < vector->size, "the vectors can be read", "vector %u cannot",
         (unsigned)vector->id);
  bh_node_text(bh_node_member(message, "type"), part.type, sizeof part.type);
  bh_node_text(bh_node_member(message, "verdict"), part.verdict, sizeof part.verdict);
  part.body = line_feed + 1;
  *offset = (size_t)(part.body - vector->octets) + part.size;
  return part;
}

static bool is_about(const struct vector *vector, const char *requirement) {
  return bh_node_is(bh_node_first(bh_node_member(vector->test, "requirements")), requirement);
}

static bool is_never_answered(const char *type) {
  return strcmp(type, "ACK") == 0 || strcmp(type, "ERROR") == 0;
}

/* An answer is not answered: that it was taken for a right one is seen by what comes of the next message. */
static void expect_taken(const struct vector *vector, struct conn *conn) {
  uint32_t id = send_message(conn, "HEARTBEAT", "{}");
  const struct message *message;

  do {
    message = next_message_in(conn, deadline_ms());
    EXPECT(message == NULL || !is_error(message, "malformed"), "a right answer is taken", "vector %u: ERROR malformed",
           (unsigned)vector->id);
  } while (message != NULL && !is_answer_to(message, id));
  if (message == NULL) {
    fail_as("BH-MSG-006", "an answer that fits nothing is ignored", "vector %u: %s", (unsigned)vector->id,
            conn->ended ? "the connection was closed" : "the connection does not go on");
  }
}

static void play_renumbered(const struct vector *vector) {
  bh_node messages = bh_node_member(vector->test, "messages");
  struct conn *conn = conn_open(vector->hub);
  size_t offset = 0;

  if (!bh_node_is(bh_node_member(bh_node_first(messages), "type"), "REGISTER")) {
    conn_mute(conn); /* nothing else of ours is to go out */
    register_instance(conn, "vectors");
  }
  for (bh_node node = bh_node_first(messages); bh_node_given(node); node = bh_node_next(messages, node)) {
    struct part part = read_part(vector, node, &offset);
    uint32_t id = send_body(conn, part.type, part.body, part.size);
    if (is_never_answered(part.type)) {
      expect_taken(vector, conn);
    } else {
      check_verdict(vector, find_answer(conn, id), part.verdict);
    }
    if (!is_about(vector, "BH-BODY-009")) {
      break; /* what stands behind it is for when it goes on, which is what that one is about */
    }
  }
  conn_close(conn);
}

void play_messages(const char *file, const char *requirement) {
  play_selected(file, (struct selection){.end = "boundary", .first = requirement}, play_renumbered);
}

/* What the frame alone says of a message: a hub that is wrong about its body breaks another section. */
static void check_frame(const struct vector *vector, const struct message *answer, const char *verdict) {
  bool error = strcmp(answer->type, "ERROR") == 0;
  const char *code = error ? code_of(answer) : "";

  if (strcmp(verdict, "unknown-type") == 0) {
    EXPECT(strcmp(code, verdict) == 0, "an unknown type is answered with ERROR unknown-type", "vector %u: %s %s",
           (unsigned)vector->id, answer->type, code);
  } else {
    EXPECT(strcmp(code, "malformed") != 0 && strcmp(code, "too-large") != 0 && strcmp(code, "unknown-type") != 0,
           "a right frame is taken", "vector %u: ERROR %s", (unsigned)vector->id, code);
  }
}

static void play_as_they_are(const struct vector *vector) {
  bh_node messages = bh_node_member(vector->test, "messages");
  struct conn *conn = conn_open(vector->hub);
  char verdict[WORD];

  send_octets(conn, vector->octets, vector->size);
  for (bh_node node = bh_node_first(messages); bh_node_given(node); node = bh_node_next(messages, node)) {
    bh_node_text(bh_node_member(node, "verdict"), verdict, sizeof verdict);
    check_frame(vector, find_answer(conn, (uint32_t)bh_node_number(bh_node_member(node, "id"))), verdict);
  }
  expect_goes_on(conn);
  conn_close(conn);
}

void play_octets(const char *file, const char *requirement) {
  play_selected(file, (struct selection){.end = "boundary", .first = requirement}, play_as_they_are);
}

/* ---- breaks of the framing */

static bool is_break(const struct message *message) {
  return is_error(message, "malformed") || is_error(message, "too-large");
}

/* Whether this answers one of the messages before the break. A break can have the `for` of one too, and its own code.
 */
static bool is_before_break(const struct vector *vector, const struct message *message) {
  bh_node messages = bh_node_member(vector->test, "messages");

  for (bh_node node = bh_node_first(messages); bh_node_given(node); node = bh_node_next(messages, node)) {
    if (is_answer_to(message, (uint32_t)bh_node_number(bh_node_member(node, "id")))) {
      return strcmp(message->type, "ACK") == 0 || !is_break(message);
    }
  }
  return false;
}

/* The ERROR for the break, or NULL. */
static const struct message *find_error(const struct vector *vector, struct conn *conn) {
  const struct message *message;

  do {
    message = next_message_in(conn, deadline_ms());
  } while (message != NULL && (strcmp(message->type, "ERROR") != 0 || is_before_break(vector, message)));
  return message;
}

/* What has come so far answers the messages before the break. */
static void expect_not_found_yet(const struct vector *vector, struct conn *conn, uint64_t offset) {
  fence(vector->watcher);
  while (pending(conn, "ERROR") > 0) {
    EXPECT(!is_break(next_message(conn)), "a break of the framing is not found before the octet with which it begins",
           "vector %u: it was found before octet %u", (unsigned)vector->id, (unsigned)offset);
  }
}

static const struct message *find_break(const struct vector *vector) {
  uint64_t offset = bh_node_number(bh_node_member(bh_node_member(vector->test, "break"), "offset"));
  struct conn *conn = conn_open(vector->hub);

  send_octets(conn, vector->octets, offset);
  expect_not_found_yet(vector, conn, offset);
  send_octets(conn, vector->octets + offset, 1);
  const struct message *error = find_error(vector, conn);
  if (error == NULL && conn->ended) {
    fail_as("BH-FRAME-004", "a break of the framing is answered with ERROR", "vector %u: the connection was closed",
            (unsigned)vector->id);
  }
  EXPECT(error != NULL, "a break of the framing is found at its octet, without waiting for more",
         "vector %u: nothing came after octet %u", (unsigned)vector->id, (unsigned)offset);
  conn_close(conn);
  return error;
}

static void play_break(const struct vector *vector) {
  find_break(vector);
}

void play_breaks(const char *file, const char *requirement, const char *flag) {
  play_selected(file, (struct selection){.end = "break", .named = requirement, .flag = flag}, play_break);
}

static void play_code_of_break(const struct vector *vector) {
  const struct message *error = find_break(vector);
  bh_node code = bh_node_member(bh_node_member(vector->test, "break"), "code");

  EXPECT(bh_node_is(code, code_of(error)), "the ERROR for a break of the framing has the code for it",
         "vector %u: ERROR %s", (unsigned)vector->id, code_of(error));
}

void play_codes_of_breaks(const char *file, const char *requirement) {
  play_selected(file, (struct selection){.end = "break", .named = requirement}, play_code_of_break);
}

static void play_for_of_break(const struct vector *vector) {
  bh_node answers = bh_node_member(bh_node_member(vector->test, "break"), "for");
  uint64_t offset = bh_node_number(bh_node_member(bh_node_member(vector->test, "break"), "offset"));
  struct conn *conn = conn_open(vector->hub);

  send_octets(conn, vector->octets, vector->size);
  if (memchr(vector->octets + offset, '\n', vector->size - offset) == NULL) {
    send_text(conn, "\n"); /* for a hub that waits for the end of the header */
  }
  const struct message *error = find_error(vector, conn);
  if (error == NULL || !is_break(error)) {
    fail_as("BH-FRAME-004", "a break of the framing is answered with ERROR", "vector %u: %s", (unsigned)vector->id,
            error == NULL ? "there was none" : code_of(error));
  }
  if (bh_node_is_null(answers)) {
    EXPECT(json_is_null(&error->json, "for"), "`for` is null where the space behind the id was not reached",
           "vector %u: `for` is not null", (unsigned)vector->id);
  } else {
    EXPECT(is_answer_to(error, (uint32_t)bh_node_number(answers)),
           "`for` is the id of the broken header where the space behind it was reached",
           "vector %u: `for` is another, or null", (unsigned)vector->id);
  }
  conn_close(conn);
}

void play_for_of_breaks(const char *file) {
  play_selected(file, (struct selection){.end = "break"}, play_for_of_break);
}

/* ---- pieces */

/* The answers to the vector's messages and to one behind them, as one line. */
static const char *answers_to(const struct vector *vector, size_t piece) {
  struct conn *conn = conn_open(vector->hub);
  const char *answers = "";
  const struct message *message;

  send_pieces(conn, vector->octets, vector->size, piece);
  uint32_t last = send_message(conn, "HEARTBEAT", "{}");
  do {
    message = next_message_in(conn, deadline_ms());
    if (message == NULL && !conn->ended) {
      fail_as("BH-MSG-001", "every message is answered", "vector %u: an answer is missing", (unsigned)vector->id);
    }
    if (message != NULL && is_answer(message)) {
      bool error = strcmp(message->type, "ERROR") == 0;
      answers = format("%s%s %s; ", answers, message->type, error ? code_of(message) : "");
    }
  } while (message != NULL && !is_answer_to(message, last));
  conn_close(conn);
  return answers;
}

static void play_whole_and_in_pieces(const struct vector *vector) {
  const char *whole = answers_to(vector, vector->size);
  const char *pieces = answers_to(vector, vector->size <= SHORT_ENOUGH ? 1 : LONG_PIECE);

  EXPECT(strcmp(whole, pieces) == 0, "messages are taken in any chunking", "vector %u: in one: %s; in pieces: %s",
         (unsigned)vector->id, whole, pieces);
}

void play_in_pieces(const char *file) {
  play_selected(file, (struct selection){.end = "boundary"}, play_whole_and_in_pieces);
}
