/* SPDX-License-Identifier: MIT */
/*
 * The hub's core. The input is a list of events, and every input is one: an octet says what happens and to whom, the
 * next ones how. The spool is in memory, and does what the hub asks of it, or fails, as the events say.
 *
 * A second hub is told the same (common/obvious_hub.h), and says after each event whether all that the hub has sent,
 * and has asked of the spool, is right and is all. On one input in sixteen memory runs out too, and then only what is
 * never allowed is a finding.
 */

#include "bridgehub.h"
#include "input.h"
#include "memory.h"
#include "obvious_hub.h"
#include "target.h"

#include <string.h>

enum { PEERS = 8, FILES_MAX = 32, EVENTS_MAX = 100, COMPANY = 8, HEARTBEAT_MS = 100, TIMEOUT_MS = 250, BODY_MAX = 512 };

typedef enum { NOWHERE, IN_QUEUE, IN_PARKED, IN_RETRY } place;

typedef struct {
  place where;
  bh_import record;
} spool_file;

/* One of the connections that events are about. */
typedef struct {
  bh_peer handle;
  uint32_t id; /* of the last message it sent */
  bool told_send;
  size_t run;     /* octets that the hub has lent, and that are not sent */
  bh_peer before; /* the handle of its last connection */
} peer;

typedef struct {
  input in;
  size_t draw;
  bh_hub *hub;
  uint64_t now, lives;
  char former[BH_INSTANCE_ID_MAX + 1]; /* who was active when the last hub ended */
  uint64_t imports;                    /* that this hub has made */
  peer peers[PEERS];
  peer crowd[OBVIOUS_PEERS_MAX];
  size_t crowd_end;
  spool_file files[FILES_MAX];
  unsigned disk_says_yes; /* to so many of the next actions, */
  unsigned disk_says_no;  /* and then not to so many */
  unsigned disk_loses;    /* what the n-th action from now on is about */
  bool hungry;            /* memory runs out */
} world;

static obvious_hub obvious;

static const struct {
  const char *told, *escaped;
} problems[] = {
    {NULL, ""},
    {"the disk is full", "the disk is full"},
    {"a \"problem\"\xff", "a \\\"problem\\\"\\xff"},
    {"\n\x7f\xc2\x80\xc2\x9f\xc2\xa0\xf0\x9f\x98\x80", "\\u000a\\u007f\\u0080\\u009f\xc2\xa0\xf0\x9f\x98\x80"}};

/* ---------------------------------------------------------------------------------------------------- the spool */

/* One that was put there by hand can have the sequence of another. */
static spool_file *find_file(world *w, const bh_import *import) {
  for (size_t i = 0; i < FILES_MAX; i++) {
    spool_file *file = &w->files[i];
    if (file->where != NOWHERE && file->record.sequence == import->sequence &&
        strcmp(file->record.import, import->import) == 0) {
      return file;
    }
  }
  return NULL;
}

static spool_file *free_file(world *w) {
  for (size_t i = 0; i < FILES_MAX; i++) {
    if (w->files[i].where == NOWHERE) {
      return &w->files[i];
    }
  }
  return NULL;
}

/* Each import has assets of its own, of several sizes. */
static size_t assets_of(const bh_import *import, char out[64]) {
  unsigned n = (unsigned)import->sequence;

  switch (import->sequence % 4) {
  case 0:
    return (size_t)snprintf(out, 64, "[{}]");
  case 1:
    return (size_t)snprintf(out, 64, "[{\"id\":\"%u\\u0000\"}]", n);
  case 2:
    return (size_t)snprintf(out, 64, "[ {\"n\":%u}, {} ]", n);
  default:
    return (size_t)snprintf(out, 64, "[{\"n\":%u,\"n\":1e3}]", n);
  }
}

/* -------------------------------------------------------------------------------------------- calls on the hub */

/* Memory runs out under the hub alone. */
static void begin_call(const world *w) {
  if (w->hungry) {
    memory_fail(7, (uint32_t)(w->draw + w->in.at));
  }
}

static void end_call(void) {
  memory_fail(0, 0);
}

static peer *find_peer(world *w, bh_peer handle) {
  for (size_t i = 0; i < PEERS; i++) {
    if (w->peers[i].handle == handle) {
      return &w->peers[i];
    }
  }
  for (size_t i = 0; i < w->crowd_end; i++) {
    if (w->crowd[i].handle == handle) {
      return &w->crowd[i];
    }
  }
  return NULL;
}

static obvious_peer *other(peer *p) {
  return obvious_hub_peer(&obvious, p->handle);
}

/* ----------------------------------------------------------------------------------------------- what is sent */

/* All of a run is looked at when it is lent: its last message was written just now. */
static void take_run(obvious_peer *o, const uint8_t *octets, size_t size) {
  while (size > 0) {
    size_t consumed;
    char assets[64] = "";
    bh_read_status status = bh_reader_next(&o->gets, octets, size, &consumed);
    REQUIRE(status == BH_READ_MESSAGE, "the hub breaks the framing: %s",
            status == BH_READ_BROKEN ? o->gets.what : "short");
    octets += consumed;
    size -= consumed;
    size_t assets_size = 0;
    if (o->gets.type == BH_IMPORT_DATA) {
      for (size_t i = 0; i < obvious.entry_end; i++) {
        const obvious_entry *e = &obvious.entries[i];
        if (e->state == OBVIOUS_IN_HAND && e->peer == o->handle && e->message == 0) {
          assets_size = assets_of(&e->record, assets);
        }
      }
    }
    obvious_hub_takes_message(&obvious, o, size == 0, assets, assets_size);
  }
}

static void send_some(world *w, peer *p, size_t most) {
  const uint8_t *octets;
  size_t size;

  while (most > 0 && (size = bh_hub_send(w->hub, p->handle, &octets)) > 0) {
    size_t taken = size < most ? size : most;
    REQUIRE(p->run == 0 || p->run == size, "%zu octets are left, and %zu are lent", p->run, size);
    if (p->run == 0) {
      take_run(other(p), octets, size);
    }
    p->run = size - taken;
    most -= taken;
    if (p->run == 0) {
      obvious_hub_run_sent(&obvious, other(p));
    }
    p->told_send = false;
    begin_call(w);
    bh_hub_sent(w->hub, p->handle, taken, w->now);
    end_call();
  }
  if (most > 0) {
    p->told_send = false;
  }
}

/* --------------------------------------------------------------------------------------------- what is to be done */

static void load(world *w, const bh_action *action) {
  char assets[64];
  size_t size = assets_of(&action->before, assets);

  begin_call(w);
  int result = bh_hub_loaded(w->hub, action->before.sequence, (const uint8_t *)assets, size, w->now);
  end_call();
  REQUIRE(result == BH_OK, "what was asked for is not taken");
  obvious_hub_loaded(&obvious, action->before.sequence);
}

static bh_spool_result perform(world *w, const bh_action *action, spool_file *file) {
  if (w->disk_loses > 0 && --w->disk_loses == 0) {
    file->where = NOWHERE;
    return BH_SPOOL_GONE;
  }
  if (w->disk_says_yes > 0) {
    w->disk_says_yes--;
  } else if (w->disk_says_no > 0) {
    w->disk_says_no--;
    return BH_SPOOL_FAILED;
  }
  if (action->kind == BH_DO_REMOVE) {
    file->where = NOWHERE;
  } else if (action->kind != BH_DO_LOAD) {
    REQUIRE(action->import.sequence == file->record.sequence && strcmp(action->import.import, file->record.import) == 0,
            "a record of another import");
    file->record = action->import;
    file->where = action->kind == BH_DO_PARK ? IN_PARKED : IN_QUEUE;
  }
  return BH_SPOOL_OK;
}

/* RECORD, LOAD, REMOVE, PARK: they are about a file that lies in queue/ under that name. */
static void act_on_spool(world *w, const bh_action *action) {
  spool_file *file = find_file(w, &action->before);
  char name[BH_SPOOL_NAME_MAX], asked[BH_SPOOL_NAME_MAX];

  REQUIRE(file && file->where == IN_QUEUE, "the hub speaks of a file that is not there");
  bh_spool_name(&file->record, name);
  bh_spool_name(&action->before, asked);
  REQUIRE(strcmp(name, asked) == 0, "the hub speaks of %s, and %s is there", asked, name);
  bh_spool_result result = perform(w, action, file);
  if (result == BH_SPOOL_OK && action->kind == BH_DO_LOAD) {
    load(w, action);
    return;
  }
  obvious_hub_spool_done(&obvious, action->before.sequence, result, w->now);
  bh_hub_spool_done(w->hub, action->before.sequence, result, w->now);
}

static void tell_parked(world *w) {
  uint64_t last = 0;
  uint32_t parked = 0;

  for (size_t i = 0; i < FILES_MAX; i++) {
    const spool_file *file = &w->files[i];
    if (file->where == IN_PARKED || file->where == IN_RETRY) {
      parked += file->where == IN_PARKED;
      last = file->record.sequence > last ? file->record.sequence : last;
    }
  }
  bh_hub_parked(w->hub, parked, last, w->now);
  obvious_hub_parked(&obvious, parked, last);
}

static int tell_import(world *w, const bh_import *import) {
  begin_call(w);
  int result = bh_hub_import(w->hub, import, w->now);
  end_call();
  obvious_hub_import(&obvious, import, result, w->now);
  return result;
}

/* Those in one directory, by sequence, as a driver lists them. */
static size_t list(world *w, place where, spool_file *files[FILES_MAX]) {
  size_t count = 0;

  for (size_t i = 0; i < FILES_MAX; i++) {
    size_t at = count;
    if (w->files[i].where != where) {
      continue;
    }
    for (; at > 0 && files[at - 1]->record.sequence > w->files[i].record.sequence; at--) {
      files[at] = files[at - 1];
    }
    files[at] = &w->files[i];
    count++;
  }
  return count;
}

/* BH-SPOOL-010 */
static void retry(world *w) {
  spool_file *files[FILES_MAX];
  size_t count = list(w, IN_RETRY, files);

  for (size_t i = 0; i < count; i++) {
    bh_import back = files[i]->record;
    back.deaths = 0;
    back.holder[0] = '\0';
    if (tell_import(w, &back) == BH_OK) {
      files[i]->record = back;
      files[i]->where = IN_QUEUE;
    }
  }
  tell_parked(w);
}

/* BH-SPOOL-007. Of what it cannot take, this hub knows nothing. */
static void take_over(world *w) {
  spool_file *files[FILES_MAX];
  size_t count = list(w, IN_QUEUE, files);

  for (size_t i = 0; i < count; i++) {
    if (tell_import(w, &files[i]->record) != BH_OK) {
      files[i]->where = NOWHERE;
    }
  }
}

static void act(world *w, const bh_action *action) {
  peer *p = find_peer(w, action->peer);

  if (fuzz_tells) {
    fprintf(stderr, "            action %d: %u %s '%s' -> '%s'\n", (int)action->kind, (unsigned)action->peer,
            action->before.import, action->before.holder, action->import.holder);
  }
  obvious_hub_acts(&obvious, action);
  switch (action->kind) {
  case BH_DO_WRITE_STATE:
    break;
  case BH_DO_RECORD:
  case BH_DO_LOAD:
  case BH_DO_REMOVE:
  case BH_DO_PARK:
    act_on_spool(w, action);
    break;
  case BH_DO_RETRY:
    retry(w);
    break;
  case BH_DO_SEND:
    REQUIRE(p && action->peer && !p->told_send, "octets for nobody, or told twice");
    p->told_send = true;
    if (!other(p)->reads_not) {
      send_some(w, p, SIZE_MAX);
    }
    break;
  case BH_DO_CLOSE:
    REQUIRE(p && action->peer, "the end of nobody");
    *p = (peer){.before = action->peer};
    break;
  }
}

static void settle(world *w) {
  bh_action action;

  for (int i = 0;; i++) {
    begin_call(w);
    bool more = bh_hub_poll(w->hub, &action);
    end_call();
    if (!more) {
      break;
    }
    REQUIRE(i < 100000, "the hub does not come to rest");
    act(w, &action);
  }
  obvious_hub_rests(&obvious);
}

/* --------------------------------------------------------------------------------------------- a life of the hub */

static void write_line(void *ctx, bh_log_level level, const char *line) {
  (void)ctx;
  (void)level;
  if (fuzz_tells) {
    fprintf(stderr, "            %s\n", line);
  }
  for (const char *c = line; *c; c++) {
    REQUIRE((unsigned char)*c >= ' ' && *c != 0x7f, "the log has an octet that is not escaped: %s", line);
  }
}

static void start_hub(world *w) {
  static const char *const former[] = {"a", "b", "", NULL};
  bool logs = fuzz_every_cut || w->draw % 16 == 1;

  w->lives++;
  bh_hub_config config = {.hub_pid = 1,
                          .heartbeat_ms = HEARTBEAT_MS,
                          .timeout_ms = TIMEOUT_MS,
                          .epoch = w->lives,
                          .random = w->lives * 0x9e3779b97f4a7c15u,
                          .former_active = w->lives == 1 ? former[w->draw % 4] : w->former,
                          .allocator = memory_allocator(),
                          .logger = {logs ? write_line : NULL, NULL}};

  w->imports = 0;
  w->hub = bh_hub_new(&config, w->now);
  REQUIRE(w->hub, "no memory");
  if (config.former_active && config.former_active[0] == '\0') {
    config.former_active = NULL;
  }
  obvious.lenient = w->hungry;
  obvious.thorough = fuzz_every_cut || w->draw % 32 == 2;
  obvious_hub_start(&obvious, w->hub, &config, w->now);
  tell_parked(w);
  take_over(w);
}

static void end_hub(world *w) {
  strcpy(w->former, obvious.active);
  obvious_hub_end(&obvious);
  memset(w->peers, 0, sizeof w->peers);
  w->crowd_end = 0;
  bh_hub_free(w->hub);
}

/* -------------------------------------------------------------------------------------------------- connections */

static void open_peer(world *w, peer *p) {
  bh_peer handle;
  int result = bh_hub_open(w->hub, w->now, &handle);

  REQUIRE((result == BH_OK) == (handle != 0), "open says %d", result);
  if (result == BH_OK) {
    *p = (peer){.handle = handle};
    obvious_hub_open(&obvious, handle, w->now);
  }
}

/* In two pieces, which a draw from the input decides. */
static void give(world *w, peer *p, const void *octets, size_t size) {
  const uint8_t *all = octets;
  size_t cut = w->draw % (size + 1);
  obvious_peer *o = other(p);

  begin_call(w);
  int result = bh_hub_recv(w->hub, p->handle, all, cut, w->now);
  if (result == BH_OK) {
    result = bh_hub_recv(w->hub, p->handle, all + cut, size - cut, w->now);
  }
  end_call();
  obvious_hub_recv(&obvious, o, all, size, w->now);
  REQUIRE(obvious.lenient || (result == BH_E_CLOSED) == (o->state == OBVIOUS_CLOSING), "recv says %d", result);
}

static void ask(world *w, peer *p, const char *type, const void *body, size_t size) {
  char octets[BODY_MAX + 64];
  int head = snprintf(octets, sizeof octets, "BH1 %s %u %zu\n", type, (unsigned)++p->id, size);

  memcpy(octets + head, body, size);
  give(w, p, octets, (size_t)head + size);
}

static void ask_text(world *w, peer *p, const char *type, const char *body) {
  ask(w, p, type, body, strlen(body));
}

/* Some that are easily taken for one another. */
static const char *who(uint8_t how) {
  static const char *const ids[] = {"a",
                                    "b",
                                    "A",
                                    "ab",
                                    "b-",
                                    "0123456789-0123456789-0123456789-0123456789-a",
                                    "0123456789-0123456789-0123456789-0123456789-b",
                                    "9e3779b9-1"};
  return ids[how % 8];
}

/* The lower bits: who; then how. */
static void register_peer(world *w, peer *p, uint8_t how) {
  static const char *const windows[] = {"", ",\"window\":2", ",\"window\":3", ",\"window\":64"};
  char body[256], instance[80] = "";

  if (!(how & 32)) {
    snprintf(instance, sizeof instance, ",\"instance\":\"%s\"", who(how));
  }
  snprintf(body, sizeof body, "{\"protocol\":%s,\"pid\":%u,\"name\":\"%s\"%s%s%s}", how == 0x9f ? "2" : "1", how,
           how & 32 ? "\\u0007\\\"\xc3\xa4" : "n", windows[how >> 6],
           how & 16 && how & 8 ? ",\"role\":\"observer\"" : "", instance);
  ask_text(w, p, "REGISTER", body);
}

static void claim(world *w, peer *p, uint8_t how) {
  char body[80] = "";

  if (how & 8) {
    snprintf(body, sizeof body, "{\"instance\":\"%s\"}", who(how));
  }
  ask_text(w, p, "CLAIM_ACTIVE", body);
}

/* An answer to the import that it was sent: to the n-th of them. */
static void answer(world *w, peer *p, bool takes, uint8_t which) {
  const obvious_entry *chosen = NULL;
  char body[128];

  for (size_t i = 0; i < obvious.entry_end; i++) {
    const obvious_entry *e = &obvious.entries[i];
    if (e->state == OBVIOUS_IN_HAND && e->peer == p->handle && e->message != 0 && (!chosen || which-- > 0)) {
      chosen = e;
    }
  }
  snprintf(body, sizeof body,
           takes ? "{\"for\":%u}" : "{\"for\":%u,\"code\":\"refused\\n\",\"message\":\"no \\u001b\"}",
           chosen ? (unsigned)chosen->message : 1u + which);
  ask_text(w, p, takes ? "ACK" : "ERROR", body);
}

static void raw(world *w, peer *p) {
  size_t size = input_next(&w->in);
  const uint8_t *octets = input_take(&w->in, &size);

  give(w, p, octets, size);
}

static void any_body(world *w, peer *p) {
  static const char *const types[] = {"REGISTER", "UNREGISTER",  "CLAIM_ACTIVE", "RELEASE_ACTIVE", "HEARTBEAT",
                                      "ACK",      "IMPORT_DATA", "ERROR",        "_NEW_TYPE"};
  const char *type = types[input_next(&w->in) % 9];
  size_t size = input_next(&w->in);
  const uint8_t *octets = input_take(&w->in, &size);

  ask(w, p, type, octets, size);
}

/* Several requests in one piece: the hub is at none of them at rest. */
static void several(world *w, peer *p) {
  char octets[1024];
  size_t size = 0;

  for (size_t count = 2 + input_next(&w->in) % 4; count > 0; count--) {
    static const char *const types[] = {"CLAIM_ACTIVE", "RELEASE_ACTIVE", "HEARTBEAT", "UNREGISTER", "ACK", "REGISTER"};
    static const char *const bodies[] = {"",
                                         "{\"instance\":\"a\"}",
                                         "{\"for\":2}",
                                         "{\"for\":3}",
                                         "{\"protocol\":1,\"pid\":1,\"name\":\"n\",\"instance\":\"a\"}",
                                         "{\"protocol\":1,\"pid\":1,\"name\":\"n\",\"window\":2}"};
    uint8_t how = input_next(&w->in);
    const char *body = bodies[how / 8 % 6];
    size += (size_t)snprintf(octets + size, sizeof octets - size, "BH1 %s %u %zu\n%s", types[how % 8 % 6],
                             (unsigned)++p->id, strlen(body), body);
  }
  give(w, p, octets, size);
}

static void close_peer(world *w, peer *p, bool gone) {
  bh_peer handle = p->handle;

  bh_hub_close(w->hub, handle, gone, w->now);
  obvious_hub_close(&obvious, other(p), gone, w->now);
  *p = (peer){.before = handle};
}

/* The process of a connection that has ended is found to be gone; the connection itself is of no interest any more. */
static void find_gone(world *w, peer *p) {
  const uint8_t *octets;
  bh_peer lost = p->handle ? p->handle : p->before;

  REQUIRE(obvious.lenient || bh_hub_reserves(w->hub, lost) == obvious_hub_reserves(&obvious, lost),
          "whether imports are reserved");
  if (!p->handle && lost) {
    REQUIRE(bh_hub_recv(w->hub, lost, (const uint8_t *)"B", 1, w->now) == BH_E_CLOSED, "octets of a closed connection");
    REQUIRE(bh_hub_send(w->hub, lost, &octets) == 0, "octets for a closed connection");
    bh_hub_sent(w->hub, lost, 1, w->now);
    bh_hub_close(w->hub, lost, true, w->now);
    bh_hub_gone(w->hub, lost, w->now);
    obvious_hub_gone(&obvious, lost);
  }
}

static void read_or_not(world *w, peer *p) {
  obvious_peer *o = other(p);

  o->reads_not = !o->reads_not;
  if (!o->reads_not) {
    send_some(w, p, SIZE_MAX);
  }
}

/*
 * As many as a limit, and some more, or a few. Whoever is in a crowd costs each later event time: the largest of
 * instances comes at the very beginning alone, the others seldom, and where there is company it grows one by one.
 */
static size_t crowd_size(const world *w, uint8_t how, bool registers, bool observers) {
  if (how == 0x4f && w->in.at == 2) {
    return 260;
  }
  if ((how & 0xe7) == 0xe7 && (observers || !registers)) {
    return 70;
  }
  return w->crowd_end < COMPANY ? how & 7 : 1;
}

/* Many connections, or many that register. */
static void crowd(world *w, uint8_t how) {
  bool registers = how & 8, observers = how & 16;
  size_t count = crowd_size(w, how, registers, observers);

  for (size_t i = 0; i < count && w->crowd_end < 400; i++) {
    peer *p = &w->crowd[w->crowd_end];
    open_peer(w, p);
    if (!p->handle) {
      break;
    }
    w->crowd_end++;
    if (registers && other(p)->state == OBVIOUS_UNREGISTERED) {
      ask_text(w, p, "REGISTER",
               observers ? "{\"protocol\":1,\"pid\":0,\"name\":\"o\",\"role\":\"observer\"}"
                         : "{\"protocol\":1,\"pid\":0,\"name\":\"i\"}");
    }
  }
}

/* ------------------------------------------------------------------------------------------------------- imports */

static void new_import(world *w) {
  spool_file *file = free_file(w);
  char expected[BH_IMPORT_ID_MAX + 1];

  if (!file) {
    return;
  }
  bh_hub_next_import(w->hub, &file->record);
  obvious_hub_next_import(&obvious, &file->record);
  snprintf(expected, sizeof expected, "%016llx-%llu", (unsigned long long)(w->lives * 0x9e3779b97f4a7c15u),
           (unsigned long long)++w->imports);
  REQUIRE(strcmp(file->record.import, expected) == 0, "%s is the id of a new import", file->record.import);
  if (file->record.sequence == UINT64_MAX) {
    return;
  }
  file->where = IN_QUEUE;
  if (tell_import(w, &file->record) != BH_OK) {
    file->where = NOWHERE;
  }
}

/* One that another hub has left, which the next one finds; of numbers that no hub comes to by itself, too. */
static void foreign_import(world *w, uint8_t how) {
  static const uint32_t counts[] = {0, 1, 2, UINT32_MAX};
  spool_file *file = free_file(w);
  uint64_t sequence = how & 128 ? UINT64_MAX - (how & 1) : 1u + input_next(&w->in);

  if (!file) {
    return;
  }
  *file =
      (spool_file){.where = how & 64 ? IN_RETRY : IN_QUEUE,
                   .record = {.sequence = sequence, .attempt = counts[how >> 4 & 3], .deaths = counts[how >> 2 & 3]}};
  snprintf(file->record.import, sizeof file->record.import, "0123456789abcdef-%zu", 1 + w->in.at);
  strcpy(file->record.holder, how & 2 ? who(w->in.octets[w->in.at - 1]) : "");
  if (file->where == IN_QUEUE && tell_import(w, &file->record) != BH_OK) {
    file->where = NOWHERE;
  }
}

static void by_hand(world *w, bool retries) {
  for (size_t i = 0; i < FILES_MAX; i++) {
    if (w->files[i].where == IN_PARKED) {
      w->files[i].where = retries ? IN_RETRY : NOWHERE;
    }
  }
}

/* ---------------------------------------------------------------------------------------------------------- time */

static void expire(world *w) {
  uint64_t expiry = bh_hub_expiry(w->hub);

  begin_call(w);
  bh_hub_expire(w->hub, w->now);
  end_call();
  obvious_hub_expire(&obvious, w->now, expiry);
  settle(w);
  REQUIRE(bh_hub_expiry(w->hub) > w->now, "the hub wants to be woken in the past");
}

/* As a driver lets it pass: it wakes whenever the hub wants to be woken. */
static void pass(world *w, uint64_t ms) {
  uint64_t end = w->now + ms;
  uint64_t expiry;

  while ((expiry = bh_hub_expiry(w->hub)) <= end) {
    w->now = expiry > w->now ? expiry : w->now + 1;
    expire(w);
  }
  w->now = end;
}

/* The times that are judged by: so long, a moment less and a moment more. */
static const unsigned limits_ms[PEERS] = {
    2 * TIMEOUT_MS, TIMEOUT_MS - 1, TIMEOUT_MS, TIMEOUT_MS + 1, HEARTBEAT_MS - 1, HEARTBEAT_MS, HEARTBEAT_MS + 1, 1,
};

/* ----------------------------------------------------------------------------------------------------- the events */

static void with_peer(world *w, peer *p, uint8_t what) {
  switch (what) {
  case 0:
  case 1:
    register_peer(w, p, input_next(&w->in));
    break;
  case 2:
    claim(w, p, input_next(&w->in));
    break;
  case 3:
    ask_text(w, p, "RELEASE_ACTIVE", "");
    break;
  case 4:
    ask_text(w, p, "UNREGISTER", "{}");
    break;
  case 5:
    ask_text(w, p, "HEARTBEAT", " {\"unknown\":[1]} ");
    break;
  case 6:
  case 7:
    answer(w, p, true, input_next(&w->in));
    break;
  case 8:
    answer(w, p, false, input_next(&w->in));
    break;
  case 9:
    raw(w, p);
    break;
  case 10:
    any_body(w, p);
    break;
  case 11:
    several(w, p);
    break;
  case 12:
    read_or_not(w, p);
    break;
  case 13:
    send_some(w, p, 1 + input_next(&w->in));
    break;
  default:
    close_peer(w, p, input_next(&w->in) % 2);
  }
}

static void in_the_world(world *w, uint8_t what, peer *p) {
  switch (what) {
  case 16:
  case 17:
    new_import(w);
    break;
  case 18:
    pass(w, input_next(&w->in));
    break;
  case 19:
    pass(w, limits_ms[p - w->peers]);
    break;
  case 20:
    w->now += 10u * input_next(&w->in); /* the process is stopped */
    expire(w);
    break;
  case 21: {
    uint8_t how = input_next(&w->in);
    w->disk_says_no = 1 + how % 8;
    w->disk_says_yes = how / 8 % 4;
    break;
  }
  case 22:
    w->disk_loses = 1 + (unsigned)(p - w->peers) % 4;
    break;
  case 23:
    end_hub(w);
    start_hub(w);
    break;
  case 24:
    by_hand(w, true);
    break;
  case 25:
    by_hand(w, false);
    break;
  case 26: {
    uint8_t which = input_next(&w->in) % 4;
    bh_hub_problem(w->hub, problems[which].told, w->now);
    obvious_hub_problem(&obvious, problems[which].escaped);
    break;
  }
  case 27:
    foreign_import(w, input_next(&w->in));
    break;
  case 28:
    crowd(w, input_next(&w->in));
    break;
  case 29:
    find_gone(w, p);
    break;
  default:
    w->now += 1;
    break;
  }
}

static void happen(world *w) {
  uint8_t octet = input_next(&w->in);
  uint8_t what = octet % 32;
  peer *p = &w->peers[octet / 32];

  if (fuzz_tells) {
    fprintf(stderr, "%6zu %5llu event %u, connection %u (%u)\n", w->in.at - 1, (unsigned long long)w->now, what,
            octet / 32u, (unsigned)p->handle);
  }
  if (what >= 15) {
    in_the_world(w, what, p);
  } else {
    if (!p->handle) {
      open_peer(w, p);
    }
    if (p->handle) {
      with_peer(w, p, what);
    }
  }
  settle(w);
}

/* An input mostly ends before the time does that a lost holder has to come back. */
static void await_holders(world *w) {
  for (size_t i = 0; i < obvious.entry_end; i++) {
    const obvious_entry *e = &obvious.entries[i];
    if (e->state == OBVIOUS_RESERVED && e->until != BH_NEVER) {
      pass(w, TIMEOUT_MS);
      return;
    }
  }
}

int LLVMFuzzerTestOneInput(const uint8_t *octets, size_t size) {
  static world w;
  size_t draw = fuzz_draw(octets, size);

  memset(&w, 0, offsetof(world, crowd)); /* the rest is large, and cleared as it is used */
  memset(&w.crowd_end, 0, sizeof w - offsetof(world, crowd_end));
  w.in = (input){octets, size, 0};
  w.now = 1000;
  w.draw = draw;
  w.hungry = draw % 16 == 0;
  start_hub(&w);
  for (size_t i = 0; i < EVENTS_MAX && w.in.at < w.in.size; i++) {
    happen(&w);
  }
  await_holders(&w);
  end_hub(&w);
  memory_reset();
  return 0;
}
