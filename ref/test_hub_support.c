/* SPDX-License-Identifier: MIT */
#include "test_hub_support.h"

#include "hub_internal.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
  ACTORS_MAX = 512,
  FILES_MAX = 256,
  MESSAGES_MAX = 256,
  REQUESTS_MAX = 256,
  WORK_MAX = 100000,
  START = 7777,
};

typedef struct {
  bh_type type;
  uint32_t id;
  bh_octets body;
  char state_named[BH_INSTANCE_ID_MAX + 1];
} heard;

typedef struct {
  actor shown; /* first: an actor * is a stage_actor * */
  bh_reader reader;
  heard inbox[MESSAGES_MAX];
  size_t inbox_size;
  uint32_t requests[REQUESTS_MAX]; /* that wait for an answer, oldest first */
  size_t request_count;
  uint32_t beats_to_answer[MESSAGES_MAX];
  size_t beats_to_answer_count;
  void (*take)(void *ctx, const uint8_t *octets, size_t size);
  void *ctx;
  bool may_break; /* it said octets of the test's own: what they ask for is not known here */
  const uint8_t *lent;
  size_t lent_size;
  bh_buffer written;
  char active[BH_INSTANCE_ID_MAX + 1];
  uint32_t waiting;
  uint32_t parked;
  char *instances;
} stage_actor;

typedef struct {
  const char *place; /* NULL: a free slot */
  bh_import record;
  char *assets;
  char *why;
} spool_file;

static struct {
  bh_hub *hub;
  uint64_t now;
  test_memory memory;
  size_t chunk;
  stage_actor *actors[ACTORS_MAX];
  size_t actor_count;
  spool_file files[FILES_MAX];
  struct {
    bh_action_kind kind;
    bh_spool_result result;
    uint32_t times;
  } failure;
  char state_named[BH_INSTANCE_ID_MAX + 1];
  char state_when_heard[BH_INSTANCE_ID_MAX + 1];
  size_t state_writes;
} stage;

/* ---- the spool */

static spool_file *free_file(void) {
  for (size_t i = 0; i < FILES_MAX; i++) {
    if (stage.files[i].place == NULL) {
      return &stage.files[i];
    }
  }
  test_fail("too many files on the stage");
}

static spool_file *add_file(const char *place, const bh_import *record, const char *assets) {
  spool_file *file = free_file();

  file->place = place;
  file->record = *record;
  file->assets = strdup(assets);
  file->why = NULL;
  return file;
}

static void remove_file(spool_file *file) {
  free(file->assets);
  free(file->why);
  *file = (spool_file){0};
}

static spool_file *find_file(const char *place, const bh_import *record) {
  char wanted[BH_SPOOL_NAME_MAX];
  char name[BH_SPOOL_NAME_MAX];

  bh_spool_name(record, wanted);
  for (size_t i = 0; i < FILES_MAX; i++) {
    spool_file *file = &stage.files[i];
    if (file->place != NULL && strcmp(file->place, place) == 0) {
      bh_spool_name(&file->record, name);
      if (strcmp(name, wanted) == 0) {
        return file;
      }
    }
  }
  return NULL;
}

static spool_file *find_import(const char *import) {
  for (size_t i = 0; i < FILES_MAX; i++) {
    if (stage.files[i].place != NULL && strcmp(stage.files[i].record.import, import) == 0) {
      return &stage.files[i];
    }
  }
  return NULL;
}

static bool fails_now(bh_action_kind kind, bh_spool_result *result) {
  if (stage.failure.times == 0 || stage.failure.kind != kind) {
    return false;
  }
  stage.failure.times--;
  *result = stage.failure.result;
  return true;
}

static bh_spool_result move(const bh_action *action, const char *place) {
  spool_file *file = find_file("queue", &action->before);
  bh_spool_result result;

  if (fails_now(action->kind, &result)) {
    return result;
  }
  if (file == NULL) {
    return BH_SPOOL_GONE;
  }
  file->record = action->import;
  file->place = place;
  if (action->reason != NULL && action->kind == BH_DO_PARK) {
    free(file->why);
    file->why = strdup(action->reason);
  }
  return BH_SPOOL_OK;
}

static void load(const bh_action *action) {
  const spool_file *file = find_file("queue", &action->before);
  bh_spool_result result = BH_SPOOL_GONE;

  if (fails_now(BH_DO_LOAD, &result) || file == NULL) {
    bh_hub_spool_done(stage.hub, action->before.sequence, result, stage.now);
    return;
  }
  /* A copy of just its size, gone at once: the hub must not keep a pointer into it. */
  size_t size = strlen(file->assets);
  uint8_t *octets = malloc(size);
  memcpy(octets, file->assets, size);
  bh_hub_loaded(stage.hub, action->before.sequence, octets, size, stage.now);
  free(octets);
}

static void retry(void) {
  uint32_t parked = 0;
  uint64_t last = 0;

  for (size_t i = 0; i < FILES_MAX; i++) {
    spool_file *file = &stage.files[i];
    if (file->place == NULL) {
      continue;
    }
    if (strcmp(file->place, "retry") == 0) {
      bh_import record = file->record;
      record.deaths = 0;
      record.holder[0] = '\0';
      if (bh_hub_import(stage.hub, &record, stage.now) == BH_OK) {
        file->place = "queue";
        file->record = record;
      }
    } else if (strcmp(file->place, "parked") == 0) {
      parked++;
      last = file->record.sequence > last ? file->record.sequence : last;
    }
  }
  bh_hub_parked(stage.hub, parked, last, stage.now);
}

static void remove_import(const bh_action *action) {
  spool_file *file = find_file("queue", &action->before);
  bh_spool_result result;

  if (!fails_now(BH_DO_REMOVE, &result)) {
    result = file == NULL ? BH_SPOOL_GONE : BH_SPOOL_OK;
    if (file != NULL) {
      remove_file(file);
    }
  }
  bh_hub_spool_done(stage.hub, action->before.sequence, result, stage.now);
}

bh_import left_in_spool(const char *place, uint64_t sequence, const char *import, uint32_t attempt, uint32_t deaths,
                        const char *holder, const char *assets) {
  bh_import record = {.sequence = sequence, .attempt = attempt, .deaths = deaths};

  snprintf(record.import, sizeof record.import, "%s", import);
  snprintf(record.holder, sizeof record.holder, "%s", holder);
  add_file(place, &record, assets);
  return record;
}

int found_in_queue(const bh_import *import) {
  int error = bh_hub_import(stage.hub, import, stage.now);

  hub_works();
  return error;
}

void bridge_sends(const char *assets) {
  bh_import record;

  bh_hub_next_import(stage.hub, &record);
  add_file("queue", &record, assets);
  while (found_in_queue(&record) == BH_E_NO_MEMORY) {
    /* The only failure there is on a stage without memory, and it comes once. */
  }
}

void removed_by_hand(const char *import) {
  spool_file *file = find_import(import);

  cr_assert_not_null(file);
  remove_file(file);
}

void retried_by_hand(const char *import) {
  spool_file *file = find_import(import);

  cr_assert(file != NULL && strcmp(file->place, "parked") == 0);
  file->place = "retry";
}

size_t files_in(const char *place) {
  size_t count = 0;

  for (size_t i = 0; i < FILES_MAX; i++) {
    count += stage.files[i].place != NULL && strcmp(stage.files[i].place, place) == 0;
  }
  return count;
}

bool spool_says(const char *import, uint32_t attempt, const char *holder) {
  const spool_file *file = find_import(import);

  return file != NULL && strcmp(file->place, "queue") == 0 && file->record.attempt == attempt &&
         strcmp(file->record.holder, holder) == 0;
}

void spool_has_name(const char *place, const char *name) {
  char names[BH_SPOOL_NAME_MAX * 8] = "";
  char own[BH_SPOOL_NAME_MAX];

  for (size_t i = 0; i < FILES_MAX; i++) {
    if (stage.files[i].place != NULL) {
      bh_spool_name(&stage.files[i].record, own);
      if (strcmp(stage.files[i].place, place) == 0 && strcmp(own, name) == 0) {
        return;
      }
      if (strlen(names) + BH_SPOOL_NAME_MAX + 16 < sizeof names) {
        snprintf(names + strlen(names), sizeof names - strlen(names), "\n  %s/%s", stage.files[i].place, own);
      }
    }
  }
  test_fail("the spool lacks %s/%s and has%s", place, name, names);
}

const char *why_parked(const char *import) {
  const spool_file *file = find_import(import);

  return file == NULL || file->why == NULL ? "" : file->why;
}

void spool_will(bh_action_kind kind, bh_spool_result result, uint32_t times) {
  stage.failure.kind = kind;
  stage.failure.result = result;
  stage.failure.times = times;
}

/* ---- what actors hear */

static stage_actor *find_actor(bh_peer id) {
  for (size_t i = 0; i < stage.actor_count; i++) {
    if (stage.actors[i]->shown.id == id) {
      return stage.actors[i];
    }
  }
  return NULL;
}

static char *copy(const uint8_t *octets, size_t size) {
  char *text = malloc(size + 1);

  if (size > 0) {
    memcpy(text, octets, size);
  }
  text[size] = '\0';
  return text;
}

static void hear_beat(stage_actor *a, uint32_t id, const bh_body *body) {
  a->shown.beats++;
  snprintf(a->active, sizeof a->active, "%s", body->active);
  a->waiting = body->waiting;
  a->parked = body->parked;
  if ((body->given & BH_M_INSTANCES) != 0) {
    a->shown.beats_with_list++;
    free(a->instances);
    a->instances = copy(body->instances.octets, body->instances.size);
  }
  a->beats_to_answer[a->beats_to_answer_count++] = id;
}

static void hear_import(stage_actor *a, const bh_body *body) {
  const spool_file *file = find_import(body->import);

  if (a->shown.instance == NULL) {
    test_fail("IMPORT_DATA for a connection that has not registered");
  }
  if (!spool_says(body->import, body->attempt, a->shown.instance)) {
    test_fail("import %s, attempt %u, was sent to %s and the spool does not say so (BH-SPOOL-004)", body->import,
              (unsigned)body->attempt, a->shown.instance);
  }
  if (body->assets.size != strlen(file->assets) || memcmp(body->assets.octets, file->assets, body->assets.size) != 0) {
    test_fail("import %s does not have the octets that the spool has", body->import);
  }
  if (++a->shown.in_hand > a->shown.window) {
    test_fail("%s is sent more than its window (BH-ROUTE-003)", a->shown.instance);
  }
}

static void hear_answer(stage_actor *a, const bh_body *body) {
  if (body->answers == 0 || a->may_break) {
    return;
  }
  if (a->request_count == 0 || a->requests[0] != body->answers) {
    test_fail("an answer to message %u, when %u waits for one (BH-MSG-001, 002)", (unsigned)body->answers,
              a->request_count == 0 ? 0 : (unsigned)a->requests[0]);
  }
  a->request_count--;
  memmove(a->requests, a->requests + 1, a->request_count * sizeof a->requests[0]);
}

static void learn_instance(stage_actor *a, const bh_body *body) {
  if ((body->given & BH_M_INSTANCE) != 0) {
    free(a->shown.instance);
    a->shown.instance = strdup(body->instance);
  }
}

static void hear(stage_actor *a) {
  const bh_reader *reader = &a->reader;
  bh_body_fault fault;
  bh_body body;
  heard *message;

  if (!bh_body_read(BH_FROM_HUB, reader->type, reader->body, reader->body_size, &body, &fault)) {
    test_fail("the hub's %s has a wrong body: %s: %.*s", bh_type_name(reader->type), fault.what, (int)reader->body_size,
              (const char *)reader->body);
  }
  switch (reader->type) {
  case BH_HEARTBEAT:
    hear_beat(a, reader->id, &body);
    break;
  case BH_IMPORT_DATA:
    hear_import(a, &body);
    break;
  case BH_ACK:
    learn_instance(a, &body);
    hear_answer(a, &body);
    break;
  case BH_ERROR:
    hear_answer(a, &body);
    break;
  default:
    test_fail("the hub sends a message of type %d", (int)reader->type);
  }
  if (a->inbox_size == MESSAGES_MAX) {
    forgets(&a->shown);
  }
  message = &a->inbox[a->inbox_size++];
  message->type = reader->type;
  message->id = reader->id;
  message->body.octets = (uint8_t *)copy(reader->body, reader->body_size);
  message->body.size = reader->body_size;
  snprintf(message->state_named, sizeof message->state_named, "%s", stage.state_named);
}

static void feed(stage_actor *a, const uint8_t *octets, size_t size) {
  if (a->take != NULL) {
    a->take(a->ctx, octets, size);
    return;
  }
  for (size_t taken = 0; taken < size;) {
    size_t consumed = 0;
    bh_read_status status = bh_reader_next(&a->reader, octets + taken, size - taken, &consumed);
    taken += consumed;
    if (status == BH_READ_MESSAGE) {
      hear(a);
    } else if (status != BH_READ_MORE) {
      test_fail("the hub breaks the framing: %s", a->reader.what);
    }
  }
}

/* ---- the driver */

static void send_to(stage_actor *a) {
  const uint8_t *octets;
  size_t size;

  if (a->shown.takes_nothing) {
    a->lent_size = bh_hub_send(stage.hub, a->shown.id, &a->lent);
    return;
  }
  while ((size = bh_hub_send(stage.hub, a->shown.id, &octets)) > 0) {
    feed(a, octets, size);
    bh_hub_sent(stage.hub, a->shown.id, size, stage.now);
  }
}

static void write_state(void) {
  bh_hub_view view;

  bh_hub_state(stage.hub, &view);
  snprintf(stage.state_named, sizeof stage.state_named, "%s", view.active == NULL ? "" : view.active->instance);
  stage.state_writes++;
}

static void perform(const bh_action *action) {
  stage_actor *a = action->kind == BH_DO_SEND || action->kind == BH_DO_CLOSE ? find_actor(action->peer) : NULL;

  switch (action->kind) {
  case BH_DO_WRITE_STATE:
    write_state();
    break;
  case BH_DO_RECORD:
    bh_hub_spool_done(stage.hub, action->before.sequence, move(action, "queue"), stage.now);
    break;
  case BH_DO_LOAD:
    load(action);
    break;
  case BH_DO_REMOVE:
    remove_import(action);
    break;
  case BH_DO_PARK:
    bh_hub_spool_done(stage.hub, action->before.sequence, move(action, "parked"), stage.now);
    break;
  case BH_DO_RETRY:
    retry();
    break;
  case BH_DO_SEND:
    cr_assert_not_null(a, "octets for a connection that is none");
    send_to(a);
    break;
  case BH_DO_CLOSE:
    cr_assert_not_null(a, "a connection is closed that is none");
    a->shown.id = 0;
    a->lent_size = 0;
    break;
  }
}

static bool answer_beats(void) {
  bool said = false;

  for (size_t i = 0; i < stage.actor_count; i++) {
    stage_actor *a = stage.actors[i];
    size_t count = a->beats_to_answer_count;
    uint32_t ids[MESSAGES_MAX];
    memcpy(ids, a->beats_to_answer, count * sizeof ids[0]);
    a->beats_to_answer_count = 0;
    for (size_t k = 0; k < count && !a->shown.silent && a->shown.id != 0; k++) {
      says_begin(&a->shown, "ACK", quoted("{'for':%u}", (unsigned)ids[k]));
      says_it_all(&a->shown);
      said = true;
    }
  }
  return said;
}

void hub_works(void) {
  bh_action action;
  size_t work = 0;

  do {
    while (bh_hub_poll(stage.hub, &action)) {
      perform(&action);
      if (++work > WORK_MAX) {
        test_fail("the hub finds no end of things to do");
      }
    }
  } while (answer_beats());
}

bh_hub *the_hub(void) {
  return stage.hub;
}

test_memory *the_memory(void) {
  return &stage.memory;
}

uint64_t the_time(void) {
  return stage.now;
}

void in_chunks_of(size_t size) {
  stage.chunk = size;
}

bh_hub_config usual_hub(void) {
  return (bh_hub_config){.hub_pid = HUB_PID,
                         .heartbeat_ms = HEARTBEAT_MS,
                         .timeout_ms = TIMEOUT_MS,
                         .epoch = 7,
                         .random = 0x1122334455667788u,
                         .allocator = test_allocator(&stage.memory),
                         .logger = test_logger()};
}

static void actors_leave(void) {
  for (size_t i = 0; i < stage.actor_count; i++) {
    stage_actor *a = stage.actors[i];
    forgets(&a->shown);
    bh_reader_free(&a->reader);
    bh_buffer_free(&a->written);
    free(a->instances);
    free(a->shown.instance);
    free(a);
  }
  stage.actor_count = 0;
}

void hub_starts_as(const bh_hub_config *config) {
  if (stage.hub != NULL) {
    bh_hub_free(stage.hub);
    actors_leave();
    cr_assert_eq(stage.memory.blocks, 0, "the hub leaves memory behind");
  }
  if (stage.now == 0) {
    stage.now = START;
  }
  stage.state_named[0] = '\0';
  stage.state_writes = 0;
  stage.hub = bh_hub_new(config, stage.now);
  if (stage.hub != NULL) {
    hub_works();
  }
}

bool hub_is_there(void) {
  return stage.hub != NULL;
}

void hub_starts(void) {
  bh_hub_config config = usual_hub();

  hub_starts_as(&config);
  cr_assert(hub_is_there());
}

void hub_ends(void) {
  for (size_t i = 0; i < stage.actor_count; i++) {
    const stage_actor *a = stage.actors[i];
    cr_expect(a->shown.id == 0 || a->shown.takes_nothing || a->may_break || a->request_count == 0,
              "message %u was never answered", (unsigned)a->requests[0]);
  }
  bh_hub_free(stage.hub);
  stage.hub = NULL;
  actors_leave();
  for (size_t i = 0; i < FILES_MAX; i++) {
    remove_file(&stage.files[i]);
  }
  cr_expect_eq(stage.memory.blocks, 0, "the hub leaves memory behind");
}

/* ---- time */

void time_passes(uint64_t ms) {
  uint64_t end = stage.now + ms;
  size_t at_once = 0;

  for (uint64_t expiry; (expiry = bh_hub_expiry(stage.hub)) <= end;) {
    if (expiry > stage.now) {
      stage.now = expiry;
      at_once = 0;
    } else if (++at_once > 16) {
      test_fail("the hub's expiry stays in the past");
    }
    bh_hub_expire(stage.hub, stage.now);
    hub_works();
  }
  stage.now = end;
}

void process_is_stopped_for(uint64_t ms) {
  stage.now += ms;
  bh_hub_expire(stage.hub, stage.now);
  hub_works();
}

/* ---- what actors say */

static stage_actor *new_actor(void) {
  stage_actor *a = calloc(1, sizeof *a);

  cr_assert(a != NULL && stage.actor_count < ACTORS_MAX);
  bh_reader_init(&a->reader, BH_BODY_MAX, bh_system_allocator());
  bh_buffer_init(&a->written, bh_system_allocator());
  a->shown.window = 1;
  stage.actors[stage.actor_count++] = a;
  return a;
}

actor *connects(void) {
  stage_actor *a = new_actor();

  cr_assert_eq(bh_hub_open(stage.hub, stage.now, &a->shown.id), BH_OK);
  hub_works();
  return &a->shown;
}

actor *connects_for(void (*take)(void *ctx, const uint8_t *octets, size_t size), void *ctx) {
  stage_actor *a = new_actor();

  a->take = take;
  a->ctx = ctx;
  a->may_break = true;
  cr_assert_eq(bh_hub_open(stage.hub, stage.now, &a->shown.id), BH_OK);
  hub_works();
  return &a->shown;
}

static void give(actor *who, const void *octets, size_t size) {
  size_t chunk = stage.chunk == 0 ? size : stage.chunk;

  for (size_t taken = 0; taken < size && who->id != 0; taken += chunk) {
    size_t part = size - taken < chunk ? size - taken : chunk;
    /* A copy of just its size, gone at once: the hub must not keep a pointer into it. */
    uint8_t *given = malloc(part);
    memcpy(given, (const uint8_t *)octets + taken, part);
    bh_hub_recv(stage.hub, who->id, given, part, stage.now);
    free(given);
    hub_works();
  }
}

void says_octets(actor *who, const void *octets, size_t size) {
  ((stage_actor *)who)->may_break = true;
  give(who, octets, size);
}

static bool is_request(const char *type) {
  return strcmp(type, "ACK") != 0 && strcmp(type, "ERROR") != 0;
}

static uint32_t write_down(stage_actor *a, const char *type, const char *body) {
  uint32_t id = ++a->shown.last_id;
  const char *header = quoted("BH1 %s %u %zu\n", type, (unsigned)id, strlen(body));

  bh_buffer_append(&a->written, header, strlen(header));
  bh_buffer_append(&a->written, body, strlen(body));
  if (is_request(type)) {
    cr_assert(a->request_count < REQUESTS_MAX);
    a->requests[a->request_count++] = id;
    a->shown.asked = id;
  }
  return id;
}

uint32_t says_begin(actor *who, const char *type, const char *body) {
  return write_down((stage_actor *)who, type, quoted("%s", body));
}

void says_it_all(actor *who) {
  stage_actor *a = (stage_actor *)who;
  bh_buffer said = a->written;

  bh_buffer_init(&a->written, bh_system_allocator());
  give(who, said.octets, said.size);
  bh_buffer_free(&said);
}

uint32_t says_quoted(actor *who, const char *type, const char *body) {
  uint32_t id = write_down((stage_actor *)who, type, body);

  says_it_all(who);
  return id;
}

actor *registers_with(const char *name, const char *members) {
  actor *who = connects();
  const char *window = strstr(members, "'window':");

  if (window != NULL) {
    who->window = (uint32_t)strtoul(window + strlen("'window':"), NULL, 10);
  }
  says_quoted(who, "REGISTER",
              quoted("{'protocol':1,'pid':31,'name':'%s'%s%s}", name, members[0] == '\0' ? "" : ",", members));
  if (who->instance == NULL) {
    test_fail("%s could not register", name);
  }
  forgets(who);
  return who;
}

actor *registers(const char *name) {
  return registers_with(name, "");
}

void hangs_up(actor *who) {
  bh_hub_close(stage.hub, who->id, false, stage.now);
  who->id = 0;
  hub_works();
}

void dies(actor *who) {
  bh_hub_close(stage.hub, who->id, true, stage.now);
  who->id = 0;
  hub_works();
}

void takes(actor *who, size_t size) {
  stage_actor *a = (stage_actor *)who;

  cr_assert(size <= a->lent_size && who->id != 0);
  a->lent_size = 0;
  feed(a, a->lent, size);
  bh_hub_sent(stage.hub, who->id, size, stage.now);
  hub_works();
}

void takes_all(actor *who) {
  who->takes_nothing = false;
  takes(who, ((stage_actor *)who)->lent_size);
}

void acks(actor *who, uint32_t message) {
  who->in_hand--;
  says_quoted(who, "ACK", quoted("{'for':%u}", (unsigned)message));
}

void refuses(actor *who, uint32_t message, const char *why) {
  who->in_hand--;
  says_quoted(who, "ERROR", quoted("{'for':%u,'code':'refused','message':'%s'}", (unsigned)message, why));
}

/* ---- what actors have heard */

static void drop_first(stage_actor *a) {
  free((void *)a->inbox[0].body.octets);
  a->inbox_size--;
  memmove(a->inbox, a->inbox + 1, a->inbox_size * sizeof a->inbox[0]);
}

void forgets(actor *who) {
  stage_actor *a = (stage_actor *)who;

  while (a->inbox_size > 0) {
    drop_first(a);
  }
}

void hub_has_sent(actor *who, uint32_t last_id) {
  bh_peer_find(stage.hub, who->id)->out.last_id = last_id;
  ((stage_actor *)who)->reader.last_id = last_id;
}

void hub_has_queued(actor *who, size_t size) {
  bh_outbox *out = &bh_peer_find(stage.hub, who->id)->out;

  cr_assert(bh_buffer_reserve(&out->queued, size - bh_outbox_size(out)));
  out->queued.size += size - bh_outbox_size(out);
}

static heard *first_heard(stage_actor *a, bool beats_too) {
  while (!beats_too && a->inbox_size > 0 && a->inbox[0].type == BH_HEARTBEAT) {
    drop_first(a);
  }
  return a->inbox_size == 0 ? NULL : &a->inbox[0];
}

static heard *must_hear(actor *who, const char *type, const char *body, bool beats_too) {
  heard *message = first_heard((stage_actor *)who, beats_too);

  if (message == NULL) {
    test_fail("heard nothing%s, and not %s %s", who->id == 0 ? " more before the end" : "", type, body);
  }
  snprintf(stage.state_when_heard, sizeof stage.state_when_heard, "%s", message->state_named);
  return message;
}

static const char *with_that(const actor *who, const char *body) {
  static const char that[] = "{\"for\":THAT";

  if (strncmp(body, that, sizeof that - 1) != 0) {
    return body;
  }
  return quoted("{'for':%u%s", (unsigned)who->asked, body + sizeof that - 1);
}

void hears_quoted(actor *who, const char *type, const char *expected, bool next) {
  const char *body = with_that(who, expected);
  const heard *message = must_hear(who, type, body, next);

  if (strcmp(bh_type_name(message->type), type) != 0 || strcmp((const char *)message->body.octets, body) != 0) {
    test_fail("heard\n  %s %s, and not\n  %s %s", bh_type_name(message->type), (const char *)message->body.octets, type,
              body);
  }
  drop_first((stage_actor *)who);
}

void hears_code(actor *who, uint32_t request, const char *code) {
  uint32_t answers = request == THAT ? who->asked : request;
  const heard *message = must_hear(who, "ERROR", code, false);
  const char *begin = answers == 0 ? quoted("{'for':null,'code':'%s',", code)
                                   : quoted("{'for':%u,'code':'%s',", (unsigned)answers, code);

  if (message->type != BH_ERROR || strncmp((const char *)message->body.octets, begin, strlen(begin)) != 0) {
    test_fail("heard\n  %s %s, and not\n  ERROR %s", bh_type_name(message->type), (const char *)message->body.octets,
              begin);
  }
  drop_first((stage_actor *)who);
}

void hears_no_more(actor *who, bool ends) {
  const heard *message = first_heard((stage_actor *)who, false);

  if (message != NULL) {
    test_fail("heard %s %s, and not %s", bh_type_name(message->type), (const char *)message->body.octets,
              ends ? "the end" : "nothing");
  }
  if (ends != (who->id == 0)) {
    test_fail(ends ? "the connection was not closed" : "the connection was closed");
  }
}

uint32_t hears_assets(actor *who, const char *import, uint32_t attempt, const char *assets) {
  const char *body = quoted("{'import':'%s','attempt':%u,'assets':", import, (unsigned)attempt);
  const heard *message = must_hear(who, "IMPORT_DATA", body, false);
  const char *said = (const char *)message->body.octets;
  size_t begin = strlen(body);
  size_t size = strlen(assets);
  uint32_t id = message->id;

  if (message->type != BH_IMPORT_DATA || message->body.size != begin + size + 1 || strncmp(said, body, begin) != 0 ||
      strncmp(said + begin, assets, size) != 0 || said[begin + size] != '}') {
    test_fail("heard\n  %s %.200s, and not\n  IMPORT_DATA %s%.200s}", bh_type_name(message->type), said, body, assets);
  }
  drop_first((stage_actor *)who);
  return id;
}

void knows(actor *who, const char *instance, int waiting, int parked) {
  const stage_actor *a = (const stage_actor *)who;

  if (who->beats == 0) {
    test_fail("no HEARTBEAT was heard");
  }
  if (instance != NULL && strcmp(instance, a->active) != 0) {
    test_fail("HEARTBEAT says that '%s' is active, and not '%s'", a->active, instance);
  }
  if (waiting >= 0 && a->waiting != (uint32_t)waiting) {
    test_fail("HEARTBEAT says that %u wait, and not %d", (unsigned)a->waiting, waiting);
  }
  if (parked >= 0 && a->parked != (uint32_t)parked) {
    test_fail("HEARTBEAT says that %u are parked, and not %d", (unsigned)a->parked, parked);
  }
}

const char *known_instances(actor *who) {
  const stage_actor *a = (const stage_actor *)who;

  return a->instances == NULL ? "" : a->instances;
}

const char *state_when_heard(void) {
  return stage.state_when_heard;
}

size_t state_writes(void) {
  return stage.state_writes;
}
