/* SPDX-License-Identifier: MIT */
#include "buffer.h"
#include "escape.h"
#include "uv_instance_events.h"
#include "uv_link.h"
#include "uv_thread.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* An instance: a link on a loop in a thread of its own, and what the caller's threads share with it. */

enum {
  PATIENCE_MS = 40, /* with the answer to UNREGISTER, when it is to stop */
  ASKED_MAX = 32,   /* as many as the core lets wait */
};

typedef struct {
  bh_command command;
  bool itself; /* CLAIM without an id */
  char id[BH_INSTANCE_ID_MAX + 1];
  char *message; /* REFUSE: why; RENAME: the name */
} command;

typedef struct {
  uint32_t request; /* 0: free */
  bh_command command;
} asked;

typedef struct {
  bh_paths paths;
  char endpoints[BH_ENDPOINTS_MAX][BH_PATH_MAX];
  size_t endpoint_count;
  uint16_t port;
  uint32_t heartbeat_ms;
  uint32_t timeout_ms;
} settings;

struct bh_instance {
  uv_thread_t thread;
  void (*notify)(void *ctx);
  void *notify_ctx;
  bh_instance_node *polled; /* the caller's, until its next poll */
  char *endpoint;           /* these three are never changed */
  char *state;
  char *spool;

  /* The thread's own. */
  uv_loop_t loop;
  bh_link *link;
  uv_timer_t patience;
  asked asked[ASKED_MAX];
  uint32_t unregister; /* the request */
  bool superseded;
  bool ending;
  bool ended;

  uv_async_t wake;
  uv_mutex_t mutex; /* over all that follows */
  bool stop;
  command commands[BH_COMMANDS_MAX];
  size_t command_count;
  bh_instance_events events;
  bh_instance_view view;
};

/* ---- events out */

static void post(bh_instance *instance, const bh_instance_event *event) {
  bool added;

  uv_mutex_lock(&instance->mutex);
  added = bh_instance_events_add(&instance->events, event);
  uv_mutex_unlock(&instance->mutex);
  if (added && instance->notify != NULL) {
    instance->notify(instance->notify_ctx);
  }
}

static void post_kind(bh_instance *instance, bh_instance_event_kind kind, const char *message) {
  bh_instance_event event = {.kind = kind};

  bh_copy_text(event.message, sizeof event.message, message);
  post(instance, &event);
}

static void post_failed(bh_instance *instance, bh_command command, const char *import, const char *message) {
  bh_instance_event event = {.kind = BH_INSTANCE_FAILED, .command = command};

  bh_copy_text(event.import, sizeof event.import, import);
  bh_copy_text(event.message, sizeof event.message, message);
  post(instance, &event);
}

static bool is_problem(bh_mode mode) {
  return mode != BH_MODE_CONNECTING && mode != BH_MODE_HUB && mode != BH_MODE_CLIENT;
}

static void show_port_holder(bh_instance *instance, const bh_port_holder *holder) {
  instance->view.port_holder_pid = holder->pid;
  memcpy(instance->view.port_holder, holder->name, sizeof holder->name);
}

static void set_mode(bh_instance *instance, bh_mode mode, const char *text) {
  static const bh_port_holder nobody;
  bh_instance_event event = {.kind = BH_INSTANCE_MODE, .mode = mode};

  bh_copy_text(event.message, sizeof event.message, text);
  uv_mutex_lock(&instance->mutex);
  instance->view.mode = mode;
  memcpy(instance->view.mode_text, event.message, sizeof event.message);
  snprintf(instance->view.problem, sizeof instance->view.problem, "%s", is_problem(mode) ? event.message : "");
  show_port_holder(instance, mode == BH_MODE_PORT_TAKEN ? bh_link_port_holder(instance->link) : &nobody);
  uv_mutex_unlock(&instance->mutex);
  post(instance, &event);
}

static void update_view(bh_instance *instance) {
  bh_client_view view;

  bh_client_status(bh_link_client(instance->link), &view);
  uv_mutex_lock(&instance->mutex);
  instance->view.registered = view.registered;
  instance->view.hub_pid = view.hub_pid;
  instance->view.epoch = view.epoch;
  instance->view.waiting = view.waiting;
  instance->view.parked = view.parked;
  memcpy(instance->view.active_instance, view.active, sizeof view.active);
  if (view.registered) {
    bh_copy_text(instance->view.problem, sizeof instance->view.problem, view.problem);
  }
  instance->view.active =
      view.registered && view.active[0] != '\0' && strcmp(view.active, instance->view.instance) == 0;
  instance->view.instance_count = view.instance_count < BH_INSTANCES_MAX ? view.instance_count : BH_INSTANCES_MAX;
  if (instance->view.instance_count > 0) {
    memcpy(instance->view.instances, view.instances, instance->view.instance_count * sizeof view.instances[0]);
  }
  uv_mutex_unlock(&instance->mutex);
}

/* ---- requests */

static void remember(bh_instance *instance, uint32_t request, bh_command command) {
  for (size_t i = 0; i < ASKED_MAX; i++) {
    if (instance->asked[i].request == 0) {
      instance->asked[i] = (asked){request, command};
      return;
    }
  }
}

static bh_command forget(bh_instance *instance, uint32_t request) {
  for (size_t i = 0; request != 0 && i < ASKED_MAX; i++) {
    if (instance->asked[i].request == request) {
      instance->asked[i].request = 0;
      return instance->asked[i].command;
    }
  }
  return BH_COMMAND_NONE;
}

static int ask(bh_instance *instance, const command *c) {
  bh_client *client = bh_link_client(instance->link);
  uint32_t request = 0;
  int error = c->command == BH_COMMAND_RELEASE ? bh_client_release(client, &request)
                                               : bh_client_claim(client, c->itself ? NULL : c->id, &request);

  if (error == BH_OK) {
    remember(instance, request, c->command);
  }
  return error;
}

static bool is_asking(const bh_instance *instance) {
  for (size_t i = 0; i < ASKED_MAX; i++) {
    if (instance->asked[i].request != 0) {
      return true;
    }
  }
  return false;
}

/* Not while an answer is due, which would go down with the connection. */
static int rename_client(bh_instance *instance, const char *name) {
  bh_client_view view;

  bh_client_status(bh_link_client(instance->link), &view);
  if (view.registered && is_asking(instance)) {
    return BH_E_STATE;
  }
  bh_client_rename(bh_link_client(instance->link), name);
  bh_link_reconnect(instance->link);
  return BH_OK;
}

static int perform(bh_instance *instance, const command *c) {
  bh_client *client = bh_link_client(instance->link);

  switch (c->command) {
  case BH_COMMAND_ACK:
    return bh_client_ack(client, c->id);
  case BH_COMMAND_REFUSE:
    return bh_client_refuse(client, c->id, c->message);
  case BH_COMMAND_RENAME:
    return rename_client(instance, c->message);
  default:
    return ask(instance, c);
  }
}

static bool answers_import(const command *c) {
  return c->command == BH_COMMAND_ACK || c->command == BH_COMMAND_REFUSE;
}

/* True: it waits for a registration, or for answers to those before it. */
static bool must_wait(bh_instance *instance, const command *c) {
  int error = perform(instance, c);
  char message[BH_TEXT_MAX];

  if (!answers_import(c) && instance->superseded) {
    post_failed(instance, c->command, "", "superseded: a newer connection has this instance");
    return false;
  }
  if (!answers_import(c) && (error == BH_E_STATE || error == BH_E_FULL || error == BH_E_CLOSED)) {
    return true;
  }
  if (error == BH_E_INVALID && answers_import(c)) {
    snprintf(message, sizeof message, "no import '%s' is in hand", c->id);
    post_failed(instance, c->command, c->id, message);
  } else if (error != BH_OK) {
    post_failed(instance, c->command, answers_import(c) ? c->id : "", bh_error_string((bh_error)error));
  }
  return false;
}

/* One at a time, because what is told of them takes the mutex too. Those that wait stay in their order. */
static void perform_commands(bh_instance *instance) {
  size_t at = 0;
  bool asks = true;

  uv_mutex_lock(&instance->mutex);
  while (at < instance->command_count) {
    command c = instance->commands[at];
    bool waits;

    uv_mutex_unlock(&instance->mutex);
    waits = (!answers_import(&c) && !asks) || must_wait(instance, &c);
    uv_mutex_lock(&instance->mutex);
    if (waits) {
      asks = false;
      at++;
      continue;
    }
    free(c.message);
    instance->command_count--;
    memmove(&instance->commands[at], &instance->commands[at + 1],
            (instance->command_count - at) * sizeof instance->commands[0]);
  }
  uv_mutex_unlock(&instance->mutex);
}

/* ---- the end */

static void close_link(bh_instance *instance) {
  if (uv_is_closing((uv_handle_t *)&instance->patience)) {
    return;
  }
  instance->ended = true;
  bh_link_stop(instance->link, NULL, NULL);
  uv_close((uv_handle_t *)&instance->patience, NULL);
  uv_close((uv_handle_t *)&instance->wake, NULL);
}

static void on_patience_ends(uv_timer_t *timer) {
  close_link(timer->data);
}

static void end(bh_instance *instance) {
  if (instance->ending) {
    return;
  }
  instance->ending = true;
  if (bh_client_unregister(bh_link_client(instance->link), &instance->unregister) != BH_OK) {
    close_link(instance);
    return;
  }
  bh_link_flush(instance->link);
  uv_timer_start(&instance->patience, on_patience_ends, PATIENCE_MS, 0);
}

/* ---- what happens */

static void tell_registered(bh_instance *instance, const bh_event *event) {
  char text[BH_TEXT_MAX];

  uv_mutex_lock(&instance->mutex);
  memcpy(instance->view.instance, event->instance, sizeof event->instance);
  uv_mutex_unlock(&instance->mutex);
  update_view(instance);
  if (bh_link_serves(instance->link)) {
    set_mode(instance, BH_MODE_HUB, "this process is the hub");
    return;
  }
  snprintf(text, sizeof text, "process %lu is the hub", (unsigned long)event->hub_pid);
  set_mode(instance, BH_MODE_CLIENT, text);
}

static void tell_superseded(bh_instance *instance) {
  set_mode(instance, BH_MODE_SUPERSEDED, "superseded: a newer connection has this instance");
  post_kind(instance, BH_INSTANCE_SUPERSEDED, "a newer connection has this instance");
  instance->superseded = true;
}

/* The members that both kinds of event have. */
static void post_event(bh_instance *instance, bh_instance_event_kind kind, const bh_event *from) {
  bh_instance_event event = {.kind = kind,
                             .hub_pid = from->hub_pid,
                             .epoch = from->epoch,
                             .attempt = from->attempt,
                             .assets = (const char *)from->assets,
                             .assets_size = from->assets_size};

  memcpy(event.instance, from->instance, sizeof event.instance);
  memcpy(event.active, from->active, sizeof event.active);
  memcpy(event.import, from->import, sizeof event.import);
  memcpy(event.code, from->code, sizeof event.code);
  if (kind == BH_INSTANCE_DONE || kind == BH_INSTANCE_FAILED) {
    event.command = forget(instance, from->request);
    bh_copy_text(event.message, sizeof event.message, from->message == NULL ? "" : from->message);
  }
  post(instance, &event);
}

static void tell_event(bh_instance *instance, const bh_event *event) {
  switch (event->kind) {
  case BH_EV_REGISTERED:
    tell_registered(instance, event);
    post_event(instance, BH_INSTANCE_REGISTERED, event);
    break;
  case BH_EV_ACTIVE:
    post_event(instance, BH_INSTANCE_ACTIVE, event);
    break;
  case BH_EV_INACTIVE:
    post_event(instance, BH_INSTANCE_INACTIVE, event);
    break;
  case BH_EV_STATUS:
    post_event(instance, BH_INSTANCE_STATUS, event);
    break;
  case BH_EV_IMPORT:
    post_event(instance, BH_INSTANCE_IMPORT, event);
    break;
  case BH_EV_DONE:
    post_event(instance, BH_INSTANCE_DONE, event);
    break;
  case BH_EV_FAILED:
    post_event(instance, BH_INSTANCE_FAILED, event);
    break;
  case BH_EV_SUPERSEDED:
    tell_superseded(instance);
    break;
  case BH_EV_CLOSE:
    break;
  }
}

static void on_event(void *ctx, const bh_event *event) {
  bh_instance *instance = ctx;
  bh_event_kind kind = event->kind;

  if (instance->ending) {
    if (event->request == instance->unregister && (kind == BH_EV_DONE || kind == BH_EV_FAILED)) {
      close_link(instance);
    }
    return;
  }
  update_view(instance); /* first: who polls the event may ask at once */
  tell_event(instance, event);
  if (kind == BH_EV_REGISTERED || kind == BH_EV_DONE || kind == BH_EV_FAILED || kind == BH_EV_SUPERSEDED) {
    perform_commands(instance);
  }
}

static void on_news(void *ctx, bh_election_news news, const char *text) {
  static const bh_mode modes[] = {[BH_NEWS_NO_HUB] = BH_MODE_CONNECTING,
                                  [BH_NEWS_PORT_TAKEN] = BH_MODE_PORT_TAKEN,
                                  [BH_NEWS_NOT_RESPONDING] = BH_MODE_NOT_RESPONDING,
                                  [BH_NEWS_UNUSABLE] = BH_MODE_UNUSABLE,
                                  [BH_NEWS_LOST] = BH_MODE_CONNECTING};
  bh_instance *instance = ctx;

  if (instance->ending) {
    if (news == BH_NEWS_LOST) {
      close_link(instance);
    }
    return;
  }
  update_view(instance);
  if (news == BH_NEWS_LOST) {
    post_kind(instance, BH_INSTANCE_HUB_LOST, text);
  }
  set_mode(instance, modes[news], text);
}

static void on_wake(uv_async_t *wake) {
  bh_instance *instance = wake->data;
  bool stop;

  uv_mutex_lock(&instance->mutex);
  stop = instance->stop;
  uv_mutex_unlock(&instance->mutex);
  if (instance->ended) {
    return;
  }
  perform_commands(instance);
  bh_link_flush(instance->link);
  if (stop) {
    end(instance);
  }
}

/* ---- the thread */

static void run(void *arg) {
  bh_instance *instance = arg;

  uv_run(&instance->loop, UV_RUN_DEFAULT);
}

/* ---- the beginning */

static int check(const bh_instance_config *config, bh_why *why) {
  const char *group = config->group == NULL ? "" : config->group;

  if (!bh_group_is_valid(group)) {
    return bh_why_set(why, UV_EINVAL, "a group is 1-%d of A-Z, a-z, 0-9 and '-', and '%s' is none of that",
                      BH_GROUP_MAX, group);
  }
  if (config->role != BH_ROLE_INSTANCE && config->role != BH_ROLE_OBSERVER) {
    return bh_why_set(why, UV_EINVAL, "%d is no role", (int)config->role);
  }
  if (config->also_port_count > BH_ALSO_PORTS_MAX || (config->also_port_count > 0 && config->also_ports == NULL)) {
    return bh_why_set(why, UV_EINVAL, "at most %d further ports can be listened on, and %zu are given",
                      BH_ALSO_PORTS_MAX, config->also_port_count);
  }
  if (config->may_serve && config->port == 0 && group[0] != '\0') {
    return bh_why_set(why, UV_EINVAL, "group %s needs a port of its own", group);
  }
  return 0;
}

static int check_timings(const settings *s, bh_why *why) {
  if (s->timeout_ms / 2 < s->heartbeat_ms) {
    return bh_why_set(why, UV_EINVAL, "timeout_ms (%lu) must be at least twice heartbeat_ms (%lu)",
                      (unsigned long)s->timeout_ms, (unsigned long)s->heartbeat_ms);
  }
  return 0;
}

static int set_path(char path[BH_PATH_MAX], const char *given, const char *what, bh_why *why) {
  if (given == NULL) {
    return 0;
  }
  if (given[0] == '\0' || bh_path_join(path, given, "", "") != 0) {
    return bh_why_set(why, UV_EINVAL, "the path of the %s is empty or too long", what);
  }
  return 0;
}

static int find_paths(const bh_instance_config *config, settings *s, bh_why *why) {
  const char *group = config->group == NULL ? "" : config->group;
  int error = set_path(s->paths.endpoint, config->endpoint, "endpoint", why);

  if (error == 0) {
    error = set_path(s->paths.state, config->state, "state file", why);
  }
  if (error == 0) {
    error = set_path(s->paths.spool, config->spool, "spool", why);
  }
  if (error == 0) {
    error = bh_endpoints_find(group, config->endpoint, s->endpoints, &s->endpoint_count, why);
  }
  if (error == 0 && config->may_serve) {
    error = bh_paths_complete(&s->paths, group, why);
  }
  return error;
}

static int settle(const bh_instance_config *config, settings *s, bh_why *why) {
  bool default_group = config->group == NULL || config->group[0] == '\0';
  int error = check(config, why);

  s->port =
      config->port == 0 && default_group && (config->may_serve || config->endpoint == NULL) ? BH_PORT : config->port;
  s->heartbeat_ms = config->heartbeat_ms == 0 ? BH_HEARTBEAT_MS : config->heartbeat_ms;
  s->timeout_ms = config->timeout_ms == 0 ? BH_TIMEOUT_MS : config->timeout_ms;
  if (error == 0) {
    error = check_timings(s, why);
  }
  return error != 0 ? error : find_paths(config, s, why);
}

static int start_link(bh_instance *instance, const bh_instance_config *config, const settings *s, bh_why *why) {
  bh_server_config serve = {.endpoint = s->paths.endpoint,
                            .state = s->paths.state,
                            .spool = s->paths.spool,
                            .port = s->port,
                            .also_ports = config->also_ports,
                            .also_port_count = config->also_port_count,
                            .heartbeat_ms = s->heartbeat_ms,
                            .timeout_ms = s->timeout_ms,
                            .logger = config->logger};
  bh_link_config link = {.endpoint_count = s->endpoint_count,
                         .port = s->port,
                         .serve = config->may_serve ? &serve : NULL,
                         .client = {.pid = (uint32_t)uv_os_getpid(),
                                    .name = config->name,
                                    .instance = config->instance,
                                    .window = config->window == 0 ? 1 : config->window,
                                    .role = config->role,
                                    .timeout_ms = s->timeout_ms,
                                    .allocator = bh_system_allocator(),
                                    .logger = config->logger},
                         .event = on_event,
                         .news = on_news,
                         .ctx = instance};
  int error = bh_link_check(&link.client, why);

  for (size_t i = 0; i < s->endpoint_count; i++) {
    link.endpoints[i] = s->endpoints[i];
  }
  return error != 0 ? error : bh_link_start(&instance->loop, &link, &instance->link, why);
}

static void free_instance(bh_instance *instance) {
  for (size_t i = 0; i < instance->command_count; i++) {
    free(instance->commands[i].message);
  }
  bh_instance_events_free(&instance->events);
  free(instance->polled);
  free(instance->endpoint);
  free(instance->state);
  free(instance->spool);
  uv_mutex_destroy(&instance->mutex);
  free(instance);
}

/* Its thread does not run: what is open is closed here. */
static void give_up(bh_instance *instance) {
  uv_close((uv_handle_t *)&instance->wake, NULL);
  uv_close((uv_handle_t *)&instance->patience, NULL);
  if (instance->link != NULL) {
    bh_link_stop(instance->link, NULL, NULL);
  }
  uv_run(&instance->loop, UV_RUN_DEFAULT);
  uv_loop_close(&instance->loop);
  free_instance(instance);
}

static int open_loop(bh_instance *instance, bh_why *why) {
  int error = uv_loop_init(&instance->loop);

  if (error == 0) {
    error = uv_async_init(&instance->loop, &instance->wake, on_wake);
    if (error != 0) {
      uv_loop_close(&instance->loop);
    }
  }
  if (error != 0) {
    return bh_why_set(why, error, "the instance's loop cannot begin: %s", uv_strerror(error));
  }
  uv_timer_init(&instance->loop, &instance->patience);
  instance->wake.data = instance;
  instance->patience.data = instance;
  return 0;
}

static bool keep_paths(bh_instance *instance, const settings *s) {
  instance->endpoint = strdup(s->endpoint_count > 0 ? s->endpoints[0] : s->paths.endpoint);
  instance->state = strdup(s->paths.state);
  instance->spool = strdup(s->paths.spool);
  return instance->endpoint != NULL && instance->state != NULL && instance->spool != NULL;
}

static bh_instance *new_instance(const bh_instance_config *config) {
  bh_instance *instance = calloc(1, sizeof *instance);

  if (instance == NULL) {
    return NULL;
  }
  if (uv_mutex_init(&instance->mutex) != 0) {
    free(instance);
    return NULL;
  }
  bh_instance_events_init(&instance->events);
  instance->notify = config->notify;
  instance->notify_ctx = config->notify_ctx;
  snprintf(instance->view.mode_text, sizeof instance->view.mode_text, "looking for a hub");
  return instance;
}

static int begin(bh_instance *instance, const bh_instance_config *config, const settings *s, bh_why *why) {
  int error = open_loop(instance, why);

  if (error != 0) {
    free_instance(instance);
    return error;
  }
  error = keep_paths(instance, s) ? start_link(instance, config, s, why) : UV_ENOMEM;
  if (error == 0) {
    error = bh_thread_start(&instance->thread, "bridgehub", run, instance);
    if (error != 0) {
      bh_why_set(why, error, "the instance's thread cannot begin: %s", uv_strerror(error));
    }
  }
  if (error != 0) {
    give_up(instance);
  }
  return error;
}

static int failed(int error, const bh_why *why, char *text, size_t size) {
  if (text != NULL && size > 0) {
    bh_copy_text(text, size, why->text);
  }
  return error == UV_ENOMEM ? BH_E_NO_MEMORY : BH_E_INVALID;
}

int bh_instance_start(const bh_instance_config *config, bh_instance **result, char *why_text, size_t why_size) {
  bh_why why = {"no memory"};
  settings *s = calloc(1, sizeof *s);
  bh_instance *instance = NULL;
  int error = s == NULL ? UV_ENOMEM : settle(config, s, &why);

  *result = NULL;
  if (error == 0) {
    instance = new_instance(config);
    error = instance == NULL ? UV_ENOMEM : begin(instance, config, s, &why);
  }
  free(s);
  if (error != 0) {
    return failed(error, &why, why_text, why_size);
  }
  *result = instance;
  return BH_OK;
}

void bh_instance_stop(bh_instance *instance) {
  if (instance == NULL) {
    return;
  }
  uv_mutex_lock(&instance->mutex);
  instance->stop = true;
  uv_mutex_unlock(&instance->mutex);
  uv_async_send(&instance->wake);
  uv_thread_join(&instance->thread);
  uv_loop_close(&instance->loop);
  free_instance(instance);
}

/* ---- from the caller's threads */

bool bh_instance_poll(bh_instance *instance, bh_instance_event *event) {
  bh_instance_node *node;
  bh_instance_node *former;

  uv_mutex_lock(&instance->mutex);
  node = bh_instance_events_take(&instance->events);
  former = instance->polled;
  instance->polled = node;
  uv_mutex_unlock(&instance->mutex);
  free(former);
  if (node == NULL) {
    memset(event, 0, sizeof *event);
    return false;
  }
  *event = node->event;
  return true;
}

static int give(bh_instance *instance, command c, const char *id, const char *message) {
  int error = BH_OK;

  if (id != NULL && (id[0] == '\0' || strlen(id) > BH_INSTANCE_ID_MAX)) {
    return BH_E_INVALID;
  }
  snprintf(c.id, sizeof c.id, "%s", id == NULL ? "" : id);
  if (message != NULL && (c.message = strdup(message)) == NULL) {
    return BH_E_NO_MEMORY;
  }
  uv_mutex_lock(&instance->mutex);
  if (instance->command_count < BH_COMMANDS_MAX) {
    instance->commands[instance->command_count++] = c;
  } else {
    error = BH_E_FULL;
  }
  uv_mutex_unlock(&instance->mutex);
  if (error != BH_OK) {
    free(c.message);
    return error;
  }
  uv_async_send(&instance->wake);
  return BH_OK;
}

int bh_instance_claim(bh_instance *instance, const char *id) {
  return give(instance, (command){.command = BH_COMMAND_CLAIM, .itself = id == NULL}, id, NULL);
}

int bh_instance_release(bh_instance *instance) {
  return give(instance, (command){.command = BH_COMMAND_RELEASE}, NULL, NULL);
}

int bh_instance_ack(bh_instance *instance, const char *import) {
  return import == NULL ? BH_E_INVALID : give(instance, (command){.command = BH_COMMAND_ACK}, import, NULL);
}

int bh_instance_refuse(bh_instance *instance, const char *import, const char *message) {
  return import == NULL ? BH_E_INVALID
                        : give(instance, (command){.command = BH_COMMAND_REFUSE}, import,
                               message == NULL ? "refused by the user" : message);
}

int bh_instance_rename(bh_instance *instance, const char *name) {
  return name == NULL || !bh_link_name_is_valid(name)
             ? BH_E_INVALID
             : give(instance, (command){.command = BH_COMMAND_RENAME}, NULL, name);
}

void bh_instance_locate(const bh_instance *instance, bh_instance_paths *paths) {
  *paths = (bh_instance_paths){.endpoint = instance->endpoint, .state = instance->state, .spool = instance->spool};
}

void bh_instance_status(bh_instance *instance, bh_instance_view *view) {
  uv_mutex_lock(&instance->mutex);
  *view = instance->view;
  uv_mutex_unlock(&instance->mutex);
}
