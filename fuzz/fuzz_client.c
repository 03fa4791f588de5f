/* SPDX-License-Identifier: MIT */
/*
 * The client's core. The input is a list of events, and every input is one: an octet says what happens, the next ones
 * how. The hub is played: it answers as a hub does, or says what no hub says, as the events have it.
 *
 * A second client is told the same (common/obvious_client.h), and says which events and messages come of it. On one
 * input in sixteen memory runs out too, and then only what is never allowed is a finding.
 */

#include "bridgehub.h"
#include "input.h"
#include "memory.h"
#include "obvious_client.h"
#include "target.h"

#include <string.h>

enum { EVENTS_MAX = 300, OCTETS_MAX = 4096, HEARTBEAT_MS = 100, TIMEOUT_MS = 250 };

typedef struct {
  input in;
  size_t draw;
  bh_client *client;
  uint64_t now;
  uint32_t id; /* of the last message from the hub */
  bh_reader sent;
  size_t run; /* octets that the client has lent, and that are not sent */
  bool polls_not;
  bool finished_many;
  bool hungry;
} world;

static obvious_client obvious;

/* The client takes nothing while events wait; and an answer to what was not polled would answer what nobody has seen.
 */
static bool has_unseen(void) {
  return obvious.event_first != obvious.event_end;
}

static void begin_call(const world *w) {
  if (w->hungry) {
    memory_fail(7, (uint32_t)(w->draw + w->in.at));
  }
}

static void end_call(void) {
  memory_fail(0, 0);
}

/* ------------------------------------------------------------------------------------------- what comes of events */

static void poll_all(world *w) {
  bh_event event;

  for (int i = 0; !w->polls_not && bh_client_poll(w->client, &event); i++) {
    REQUIRE(i < 1000, "events without an end");
    if (fuzz_tells) {
      fprintf(stderr, "            event %d %s %s\n", (int)event.kind, event.import, event.message);
    }
    obvious_client_event(&obvious, &event);
  }
  REQUIRE(w->polls_not || obvious.lenient || obvious.event_first == obvious.event_end, "event %d does not come",
          (int)obvious.events[obvious.event_first % EXPECTED_MAX].kind);
}

static void take_run(world *w, const uint8_t *octets, size_t size) {
  while (size > 0) {
    size_t consumed;
    bh_read_status status = bh_reader_next(&w->sent, octets, size, &consumed);
    REQUIRE(status == BH_READ_MESSAGE, "the client breaks the framing: %s",
            status == BH_READ_BROKEN ? w->sent.what : "short");
    octets += consumed;
    size -= consumed;
    if (fuzz_tells) {
      fprintf(stderr, "            %s %u %.*s\n", bh_type_name(w->sent.type), (unsigned)w->sent.id,
              (int)w->sent.body_size, (const char *)w->sent.body);
    }
    obvious_client_message(&obvious, &w->sent);
  }
}

static void send_some(world *w, size_t most) {
  const uint8_t *octets;
  size_t size;

  while (most > 0 && (size = bh_client_send(w->client, &octets)) > 0) {
    size_t taken = size < most ? size : most;
    REQUIRE(w->run == 0 || w->run == size, "%zu octets are left, and %zu are lent", w->run, size);
    if (w->run == 0) {
      take_run(w, octets, size);
    }
    w->run = size - taken;
    most -= taken;
    bh_client_sent(w->client, taken);
  }
  REQUIRE(most == 0 || obvious.lenient || obvious.message_first == obvious.message_end, "%s does not come",
          bh_type_name(obvious.messages[obvious.message_first % EXPECTED_MAX].type));
}

static void settle(world *w) {
  bh_client_view view;

  poll_all(w);
  obvious.assets_ended = has_unseen(); /* they were borrowed until the next call */
  bh_client_status(w->client, &view);
  obvious_client_check_view(&obvious, &view);
  REQUIRE(obvious.lenient || bh_client_expiry(w->client) == obvious_client_expiry(&obvious),
          "it wants to be woken at another time");
}

/* ------------------------------------------------------------------------------------------------- the played hub */

static void give(world *w, const uint8_t *octets, size_t size) {
  size_t cut = w->draw % (size + 1);

  for (size_t at = 0; at < size;) {
    size_t piece = at < cut ? cut - at : size - at;
    size_t consumed = 0;
    bool listens = !has_unseen() && (obvious.state == REGISTERING || obvious.state == REGISTERED);
    begin_call(w);
    int result = bh_client_recv(w->client, octets + at, piece, &consumed, w->now);
    end_call();
    if (listens) {
      /* The octet that breaks the framing is not consumed: it is seen all the same. */
      obvious_client_recv(&obvious, octets + at, consumed < piece && result == BH_E_CLOSED ? consumed + 1 : consumed,
                          w->now);
    }
    REQUIRE(obvious.lenient || (result == BH_E_CLOSED) == (obvious.state == CLOSED || obvious.state == SUPERSEDED),
            "recv says %d", result);
    settle(w);
    at += consumed;
    if (result != BH_OK || consumed == 0) {
      return;
    }
  }
}

static void say(world *w, const char *type, const void *body, size_t size) {
  uint8_t octets[OCTETS_MAX];
  int head = snprintf((char *)octets, sizeof octets, "BH1 %s %u %zu\n", type, (unsigned)++w->id, size);

  memcpy(octets + head, body, size);
  give(w, octets, (size_t)head + size);
}

static void say_text(world *w, const char *type, const char *body) {
  say(w, type, body, strlen(body));
}

/* The n-th of its requests that wait. */
static const obvious_request *waiting_request(uint8_t n) {
  const obvious_request *found = NULL;

  for (size_t i = 0; i < REQUESTS_SLOTS; i++) {
    if (obvious.requests[i].message && (!found || n-- > 0)) {
      found = &obvious.requests[i];
    }
  }
  return found;
}

static const char *who(uint8_t how) {
  static const char *const instances[] = {"a", "b", "c-1", "X"};
  return instances[how & 3];
}

static void answer_request(world *w, uint8_t how) {
  const obvious_request *r = waiting_request(how >> 4);
  char body[512];
  uint32_t message = r ? r->message : how;

  if (!r || r->type == BH_HEARTBEAT || r->type == BH_UNREGISTER) {
    snprintf(body, sizeof body, "{\"for\":%u}", (unsigned)message);
  } else if (r->type == BH_REGISTER) {
    snprintf(body, sizeof body,
             "{\"for\":%u,\"instance\":\"%s\",\"hub_pid\":%u,\"epoch\":%u,\"heartbeat_ms\":%d,\"timeout_ms\":%d,"
             "\"active\":%s}",
             (unsigned)message, who(how), how, how, how & 8 ? 0 : HEARTBEAT_MS, how & 8 ? 0 : TIMEOUT_MS,
             how & 4 ? "\"a\"" : "null");
  } else if (how & 4 || (r->type == BH_RELEASE_ACTIVE && !(how & 8))) {
    snprintf(body, sizeof body, "{\"for\":%u,\"active\":null}", (unsigned)message);
  } else {
    snprintf(body, sizeof body, "{\"for\":%u,\"active\":\"%s\"}", (unsigned)message, who(how));
  }
  say_text(w, "ACK", body);
}

static void refuse_request(world *w, uint8_t how) {
  static const char *const codes[] = {"superseded", "refused", "not-active", "a-new-code"};
  const obvious_request *r = waiting_request(how >> 4);
  char body[256], answers[16] = "null";

  if (!(how & 8)) {
    snprintf(answers, sizeof answers, "%u", r ? (unsigned)r->message : 1u + how);
  }
  snprintf(body, sizeof body, "{\"for\":%s,\"code\":\"%s\",\"message\":\"because \\ud83d\\ude00 %u\"}", answers,
           codes[how & 3], how);
  say_text(w, "ERROR", body);
}

static void beat(world *w, uint8_t how) {
  static const char two[] = ",\"instances\":[{\"instance\":\"a\",\"pid\":1,\"name\":\"n\"},"
                            "{\"name\":\"\\u00e4\",\"instance\":\"b\",\"pid\":2}]";
  static const char *const instances[] = {"", ",\"instances\":[]",
                                          ",\"instances\":[{\"instance\":\"a\",\"pid\":1,\"name\":\"n\"}]", two};
  char body[512], active[80] = "null";

  if (how & 4) {
    snprintf(active, sizeof active, "\"%s\"", who(how));
  }
  snprintf(body, sizeof body, "{\"active\":%s,\"waiting\":%u,\"parked\":%u%s%s}", active, (unsigned)how >> 7,
           (unsigned)how >> 6 & 1, instances[how >> 3 & 3], how & 32 ? ",\"problem\":\"the disk\"" : "");
  say_text(w, "HEARTBEAT", body);
}

static void send_import(world *w, unsigned import, unsigned attempt) {
  static const char *const assets[] = {"[{}]", "[{\"a\":\"\\u0000\"}, {}]", "[[1e5]]", "[]"};
  char body[256];

  snprintf(body, sizeof body, "{\"import\":\"0123456789abcdef-%u\",\"attempt\":%u,\"assets\":%s}", import, attempt,
           assets[import % 4]);
  say_text(w, "IMPORT_DATA", body);
}

static void import(world *w, unsigned number) {
  send_import(w, number % 200 + 1, 1 + number / 64);
}

static void raw(world *w) {
  size_t size = input_next(&w->in);
  const uint8_t *octets = input_take(&w->in, &size);

  give(w, octets, size);
}

static void any_body(world *w) {
  static const char *const types[] = {"REGISTER", "UNREGISTER",  "CLAIM_ACTIVE", "RELEASE_ACTIVE", "HEARTBEAT",
                                      "ACK",      "IMPORT_DATA", "ERROR",        "_NEW_TYPE"};
  const char *type = types[input_next(&w->in) % 9];
  size_t size = input_next(&w->in);
  const uint8_t *octets = input_take(&w->in, &size);

  say(w, type, octets, size);
}

/* ---------------------------------------------------------------------------------------------------- its user */

static void open_connection(world *w) {
  begin_call(w);
  int result = bh_client_open(w->client, w->now);
  end_call();
  REQUIRE(obvious.lenient || (result == BH_OK) == (obvious.state == CLOSED), "open says %d", result);
  if (result == BH_OK) {
    obvious_client_open(&obvious, w->now);
    w->id = 0;
    w->run = 0;
    bh_reader_free(&w->sent);
    bh_reader_init(&w->sent, BH_CLIENT_BODY_MAX, memory_allocator());
  }
}

static void ask(world *w, bh_type type, const char *instance) {
  uint32_t number = 0, expected = 0;
  int result;

  begin_call(w);
  switch (type) {
  case BH_CLAIM_ACTIVE:
    result = bh_client_claim(w->client, instance, &number);
    break;
  case BH_RELEASE_ACTIVE:
    result = bh_client_release(w->client, &number);
    break;
  case BH_UNREGISTER:
    result = bh_client_unregister(w->client, &number);
    break;
  default:
    result = bh_client_heartbeat(w->client, &number);
  }
  end_call();
  if (obvious.lenient) {
    return;
  }
  REQUIRE(result == obvious_client_ask(&obvious, type, instance, &expected), "a request returns %d", result);
  REQUIRE(number == expected, "request %u, and %u is next", (unsigned)number, (unsigned)expected);
}

static void answer_import(world *w, uint8_t which, bool takes) {
  static char longer[2 * REASON_MAX]; /* than it may be: cut at a whole character */
  char name[BH_IMPORT_ID_MAX + 1] = "none";
  const char *why = "no\x01\"";

  if (which >= 128) {
    for (size_t i = 0; i + 2 < sizeof longer; i += 2) {
      memcpy(longer + i, "\xc3\xa4", 2);
    }
    why = longer;
  }
  if (obvious.hand_count > 0) {
    strcpy(name, obvious.hand[which % obvious.hand_count].import);
  }
  begin_call(w);
  int result = takes ? bh_client_ack(w->client, name) : bh_client_refuse(w->client, name, why);
  end_call();
  int expected = obvious_client_answer(&obvious, name, takes ? NULL : why);
  REQUIRE(obvious.lenient || result == expected, "an answer returns %d", result);
}

/* From its next connection on. What was written already may still say the former name. */
static void rename_client(world *w, unsigned which) {
  char longest[BH_NAME_MAX + 2];
  const char *const names[4] = {"n", "\xc3\xa4\"\x01", longest, longest + 1};

  memset(longest, 'l', sizeof longest - 1);
  longest[sizeof longest - 1] = '\0';
  if (obvious.message_first != obvious.message_end) {
    return;
  }
  REQUIRE(bh_client_rename(w->client, "") == BH_E_INVALID, "it has no name");
  int result = bh_client_rename(w->client, names[which]);
  REQUIRE(result == obvious_client_rename(&obvious, names[which]), "a change of name returns %d", result);
}

/* One more than it remembers. That takes long, and is done once. */
static void finish_many(world *w) {
  bool may = !w->finished_many && !w->polls_not && obvious.hand_count == 0;

  w->finished_many = true;
  for (unsigned i = 0; may && i <= FINISHED_MAX; i++) {
    send_import(w, i + 1, 1);
    may = obvious.hand_count == 1;
    if (may) {
      answer_import(w, 0, true);
      send_some(w, SIZE_MAX);
    }
  }
}

static void pass(world *w, uint64_t ms) {
  w->now += ms;
  bh_client_expire(w->client, w->now);
  obvious_client_expire(&obvious, w->now);
}

/* Until a silent hub is given up, and until the client takes itself for held up: so long, and a moment less. */
static uint64_t to_limit(const world *w, unsigned which) {
  uint64_t expiry = obvious_client_expiry(&obvious);
  uint64_t limit = expiry + (which & 2 ? obvious.heartbeat_ms : 0) - (which & 1);

  return expiry == BH_NEVER || limit < w->now ? 0 : limit - w->now;
}

/* ----------------------------------------------------------------------------------------------------- the events */

static void happen(world *w) {
  uint8_t octet = input_next(&w->in);

  if (fuzz_tells) {
    fprintf(stderr, "%6zu %5llu event %u\n", w->in.at - 1, (unsigned long long)w->now, octet % 32u);
  }
  switch (octet % 32) {
  case 0:
    open_connection(w);
    break;
  case 1: /* the shortest way to go deep */
  case 2:
    open_connection(w);
    answer_request(w, octet & 32 ? 4 : octet / 64);
    break;
  case 3:
    bh_client_close(w->client, w->now);
    obvious_client_close(&obvious);
    break;
  case 4:
  case 5:
    answer_request(w, input_next(&w->in));
    break;
  case 6:
    refuse_request(w, input_next(&w->in));
    break;
  case 7:
  case 8:
    beat(w, input_next(&w->in));
    break;
  case 9:
  case 10:
    import(w, octet / 32);
    break;
  case 11:
    import(w, input_next(&w->in));
    break;
  case 12:
    raw(w);
    break;
  case 13:
    any_body(w);
    break;
  case 14:
    ask(w, BH_CLAIM_ACTIVE, octet & 32 ? who(octet / 64) : NULL);
    break;
  case 15:
    ask(w, BH_RELEASE_ACTIVE, NULL);
    break;
  case 16:
    ask(w, BH_HEARTBEAT, NULL);
    break;
  case 17:
    ask(w, BH_UNREGISTER, NULL);
    break;
  case 18:
  case 19:
    if (!has_unseen()) {
      answer_import(w, input_next(&w->in), true);
    }
    break;
  case 20:
    if (!has_unseen()) {
      answer_import(w, input_next(&w->in), false);
    }
    break;
  case 21:
    pass(w, input_next(&w->in));
    break;
  case 22:
    pass(w, octet & 128 ? to_limit(w, octet / 32 % 4) : TIMEOUT_MS);
    break;
  case 23:
    pass(w, 30u * input_next(&w->in));
    break;
  case 24:
    w->polls_not = !w->polls_not;
    break;
  case 25:
    send_some(w, input_next(&w->in));
    break;
  case 26:
    w->id += input_next(&w->in) % 2; /* a hub that cannot count */
    break;
  case 27: /* as many as it takes, and more */
    for (unsigned i = 0; i < 34; i++) {
      ask(w, BH_HEARTBEAT, NULL);
    }
    break;
  case 28:
    for (unsigned i = 0; i < 34 && !has_unseen(); i++) {
      import(w, (octet / 32) * 34 + i);
    }
    break;
  case 29:
    if (octet / 32 == 7) {
      finish_many(w);
      break;
    }
    send_some(w, SIZE_MAX);
    break;
  case 30:
    rename_client(w, octet / 32 % 4);
    break;
  default:
    send_some(w, SIZE_MAX);
    break;
  }
  settle(w);
  if (octet % 32 != 25 && w->run == 0) {
    send_some(w, SIZE_MAX);
  }
}

static void write_line(void *ctx, bh_log_level level, const char *line) {
  (void)ctx;
  (void)level;
  if (fuzz_tells) {
    fprintf(stderr, "            %s\n", line);
  }
}

int LLVMFuzzerTestOneInput(const uint8_t *octets, size_t size) {
  size_t draw = fuzz_draw(octets, size);
  world w = {.in = {octets, size, 0}, .now = 1000, .draw = draw, .hungry = draw % 16 == 0};
  uint8_t how = input_next(&w.in);
  bh_client_config config = {.pid = 7,
                             .name = how & 4 ? "n\"\\\x1f\xc3\xa4" : "n",
                             .instance = how & 1 ? "a" : NULL,
                             .window = 1 + how % 64,
                             .role = how & 2 ? BH_ROLE_OBSERVER : BH_ROLE_INSTANCE,
                             .timeout_ms = how & 8 ? 0 : TIMEOUT_MS,
                             .allocator = memory_allocator(),
                             .logger = {fuzz_every_cut ? write_line : NULL, NULL}};

  obvious.lenient = w.hungry;
  obvious_client_start(&obvious, &config);
  w.client = bh_client_new(&config);
  REQUIRE(w.client, "no memory");
  bh_reader_init(&w.sent, BH_CLIENT_BODY_MAX, memory_allocator());
  for (size_t i = 0; i < EVENTS_MAX && w.in.at < w.in.size; i++) {
    happen(&w);
  }
  w.polls_not = false;
  settle(&w);
  bh_client_free(w.client);
  bh_reader_free(&w.sent);
  obvious_client_end(&obvious);
  memory_reset();
  return 0;
}
