/* SPDX-License-Identifier: MIT */
/* The hub that the suite plays for a client under test. */

#include <arpa/inet.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "played_hub.h"

#define BACKLOG 16
#define START_MS 10000
#define HOPELESS_START_MS 500
#define LANE "hub"

static uint64_t start_ms(void) {
  bool hopeless = has_learned(NOT_READY) && !has_learned(READY);
  return (uint64_t)((hopeless ? HOPELESS_START_MS : START_MS) * time_scale());
}

/* ------------------------------------------------------------------------------------------------- the endpoint */

static void on_arrival(uv_stream_t *endpoint, int status) {
  struct client_process *process = endpoint->data;
  if (status != 0) {
    return;
  }
  struct conn *conn = conn_take(process->client, endpoint);
  process->arrivals =
      grow(process->arrivals, process->arrival_count, &process->arrival_capacity, sizeof(struct conn *));
  process->arrivals[process->arrival_count++] = conn;
}

/* ---------------------------------------------------------------------------------------- by a program of --listen */

static uint16_t port_of(const uv_tcp_t *tcp) {
  struct sockaddr_in address = {0};
  int size = sizeof address;
  uv_tcp_getsockname(tcp, (struct sockaddr *)&address, &size);
  return ntohs(address.sin_port);
}

static uv_tcp_t *listen_on_tcp(struct client_process *process) {
  uv_tcp_t *relay = allocate(sizeof *relay);
  struct sockaddr_in address;
  relay->data = process;
  uv_tcp_init(loop(), relay);
  uv_ip4_addr("127.0.0.1", 0, &address);
  if (uv_tcp_bind(relay, (const struct sockaddr *)&address, 0) != 0 ||
      uv_listen((uv_stream_t *)relay, BACKLOG, on_arrival) != 0) {
    suite_broke("cannot listen on 127.0.0.1");
  }
  return relay;
}

static void on_listener_changed(struct program *listener) {
  (void)listener; /* who waits for it looks at it */
}

static bool listens_or_is_over(void *arg) {
  const struct program *listener = arg;
  return listener->is_ready || program_is_over(listener);
}

static bool is_over(void *arg) {
  return program_is_over(arg);
}

static void start_listener(struct client *client) {
  struct client_process *process = client->process;
  process->relay = process->relay ? process->relay : listen_on_tcp(process);
  const struct placeholder values[] = {{"endpoint", client->endpoint},
                                       {"relay", format("%u", (unsigned)port_of(process->relay))}};
  struct program *listener = allocate(sizeof *listener);
  uv_pipe_t *input = allocate(sizeof *input);
  uv_pipe_init(loop(), input, 0);
  listener->ready = "listening";
  listener->changed = on_listener_changed;
  listener->owner = input;
  process->listener = listener;
  program_start(
      listener, fill_in(environment(ENV_LISTEN), values, 2), client->dir,
      (const uv_stdio_container_t[]){{.flags = UV_CREATE_PIPE | UV_READABLE_PIPE, .data.stream = (uv_stream_t *)input},
                                     {.flags = UV_IGNORE}});
  wait_until(listens_or_is_over, listener, start_ms());
  if (!listener->is_ready || program_is_over(listener)) {
    suite_broke("the program of --listen does not listen: %s",
                listener->last_line ? listener->last_line : "it says nothing");
  }
}

/* Its connections go on. */
static void stop_listener(struct client *client) {
  struct program *listener = client->process->listener;
  client->process->listener = NULL;
  uv_close((uv_handle_t *)listener->owner, NULL);
  if (!wait_until(is_over, listener, start_ms())) {
    suite_broke("the program of --listen does not stop when its standard input ends");
  }
}

/* ------------------------------------------------------------------------------------------------- come and gone */

static void listen_at_endpoint(struct client *client) {
  struct client_process *process = client->process;
  process->listening = allocate(sizeof *process->listening);
  process->listening->data = process;
  uv_pipe_init(loop(), process->listening, 0);
  unlink(client->endpoint);
  if (uv_pipe_bind(process->listening, client->endpoint) != 0 ||
      uv_listen((uv_stream_t *)process->listening, BACKLOG, on_arrival) != 0) {
    suite_broke("cannot listen at %s", client->endpoint);
  }
}

void hub_play(struct client *client) {
  if (*environment(ENV_LISTEN)) {
    unlink(client->endpoint);
    start_listener(client);
  } else {
    listen_at_endpoint(client);
  }
  client->epoch++;
  record_event(LANE, "listens, as the hub of epoch %llu", (unsigned long long)client->epoch);
}

/* libuv removes the socket. */
static void stop_listening(struct client *client) {
  struct client_process *process = client->process;
  if (process->listener) {
    stop_listener(client);
  }
  if (process->listening) {
    uv_close((uv_handle_t *)process->listening, NULL);
  }
  process->listening = NULL;
}

void needs_socket_file(struct client *client) {
  if (*environment(ENV_LISTEN)) {
    start_listener(client);
    bool is_file = access(client->endpoint, F_OK) == 0;
    stop_listener(client);
    if (!is_file) {
      unimplemented("the endpoint is no file: this case is about a system with unix sockets");
    }
  }
}

void hub_vanish(struct client *client) {
  stop_listening(client);
  record_event(LANE, "is gone from the endpoint");
}

void hub_leave_socket(struct client *client) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  bool is_file = client->process->listener ? access(client->endpoint, F_OK) == 0 : true;
  stop_listening(client);
  if (!is_file) {
    record_event(LANE, "is gone, and nothing of it is left");
    return;
  }
  memcpy(address.sun_path, client->endpoint, strlen(client->endpoint) + 1);
  int fd = socket(AF_UNIX, SOCK_STREAM, 0);
  if (fd < 0 || bind(fd, (const struct sockaddr *)&address, sizeof address) != 0) {
    suite_broke("cannot leave a socket at %s", client->endpoint);
  }
  close(fd);
  record_event(LANE, "is gone, and its socket is left");
}

static void on_caller(uv_stream_t *port, int status) {
  (void)port; /* who calls waits for ever */
  (void)status;
}

void take_port(struct client *client) {
  uv_tcp_t *port = allocate(sizeof *port);
  struct sockaddr_in address;
  uv_tcp_init(loop(), port);
  uv_ip4_addr("127.0.0.1", client->port, &address);
  if (uv_tcp_bind(port, (const struct sockaddr *)&address, 0) != 0 ||
      uv_listen((uv_stream_t *)port, BACKLOG, on_caller) != 0) {
    suite_broke("cannot listen on port %u", client->port);
  }
  record_event(LANE, "is none, but something listens on port %u", client->port);
}

/* ----------------------------------------------------------------------------------------------------- arrivals */

static bool has_arrived_or_ended(void *arg) {
  struct client_process *process = arg;
  return process->greeted < process->arrival_count || !process->client->running;
}

struct conn *arrival_in(struct client *client, uint64_t ms) {
  struct client_process *process = client->process;
  wait_until(has_arrived_or_ended, process, ms);
  return process->greeted < process->arrival_count ? process->arrivals[process->greeted++] : NULL;
}

void check_came(struct client *client) {
  if (client->running || client->process->arrival_count > 0) {
    return;
  }
  if (client->exit_status == UNIMPLEMENTED_STATUS) {
    unimplemented("the client ended with exit status %d before it connected", UNIMPLEMENTED_STATUS);
  }
  if (client->exit_status != 0 || client->exit_signal != 0) {
    crashed("the client %s before it connected", process_ending(&client->process->process));
  }
}

static struct conn *first_arrival(struct client *client) {
  uint64_t ms = start_ms();
  struct conn *conn = arrival_in(client, ms);
  if (conn) {
    learn(READY);
    client->process->process.may_end = false;
    return conn;
  }
  check_came(client);
  if (!client->running) {
    crashed("the client %s before it connected", process_ending(&client->process->process));
  }
  learn(NOT_READY);
  fail_as(judges("BH-ELECT-007") ? "BH-ELECT-007" : "BH-IUT-016", "the client connects to the endpoint",
          "it did not in %g s", (double)ms / 1000);
}

struct conn *arrival(struct client *client) {
  if (client->process->greeted == 0) {
    return first_arrival(client);
  }
  struct conn *conn = arrival_in(client, deadline_ms());
  if (!conn) {
    fail_as("BH-ELECT-007", "the client connects again", "it did not in %llu ms", (unsigned long long)deadline_ms());
  }
  return conn;
}

/* ------------------------------------------------------------------------------------------------- registration */

const struct message *expect_register(struct conn *conn) {
  const struct message *message = next_message_in(conn, deadline_ms());
  const char *expected = format("REGISTER on %s", conn->name);
  if (!message) {
    fail_as("BH-REG-014", expected, "nothing");
  }
  if (strcmp(message->type, "REGISTER") != 0) {
    fail_as("BH-REG-014", expected, "%s %u", message->type, message->id);
  }
  return message;
}

static char *null_or_text(const char *text) {
  return text ? format("\"%s\"", text) : format("null");
}

static void remember_instance(struct conn *conn, const struct message *registration, const char *otherwise) {
  struct client *client = conn->client;
  const char *instance = otherwise;
  bool first = client->process->named == 0;
  if (json_is_text(&registration->json, "instance")) {
    instance = json_text(&registration->json, "instance");
  } else if (!instance) {
    instance = format("suite-%u", client->process->named + 1);
  }
  client->process->named++;
  snprintf(conn->instance, sizeof conn->instance, "%s", instance);
  if (first) {
    client->active = conn->instance;
  }
}

void confirm(struct conn *conn, const struct message *registration, const char *otherwise) {
  struct client *client = conn->client;
  remember_instance(conn, registration, otherwise);
  const char *active = null_or_text(client->active);
  send_message(conn, "ACK",
               "{'for':%u,'instance':'%s','hub_pid':%d,'epoch':%llu,'heartbeat_ms':%u,'timeout_ms':%u,'active':%s}",
               registration->id, conn->instance, (int)getpid(), (unsigned long long)client->epoch, client->heartbeat_ms,
               client->timeout_ms, active);
  send_message(conn, "HEARTBEAT",
               "{'active':%s,'waiting':%u,'parked':%u,'instances':[{'instance':'%s','pid':4242,'name':'%s'}]}", active,
               client->waiting, client->parked, conn->instance, client->name);
}

static struct conn *welcome_registered(struct client *client, uint32_t window) {
  struct conn *conn = arrival(client);
  const struct message *registration = expect_register(conn);
  if (window > window_of(registration)) {
    unimplemented("the client has a `window` of %u, and the case needs %u", window_of(registration), window);
  }
  confirm(conn, registration, NULL);
  const struct client_event *event = next_event_in(client, deadline_ms());
  while (event && strcmp(event->kind, "registered") != 0) {
    event = next_event_in(client, deadline_ms());
  }
  if (!event) {
    fail_as("BH-IUT-008", "the event registered", "%s", no_event(client, deadline_ms()));
  }
  return conn;
}

struct conn *welcome(struct client *client) {
  return welcome_registered(client, 1);
}

struct conn *welcome_window(struct client *client, uint32_t window) {
  return welcome_registered(client, window);
}

uint32_t window_of(const struct message *registration) {
  return json_is_integer(&registration->json, "window") ? (uint32_t)json_integer(&registration->json, "window") : 1;
}

/* ------------------------------------------------------------------------------------------------- what is sent */

uint32_t send_heartbeat(struct conn *conn) {
  const struct client *client = conn->client;
  return send_message(conn, "HEARTBEAT", "{'active':%s,'waiting':%u,'parked':%u}", null_or_text(client->active),
                      client->waiting, client->parked);
}

uint32_t tell_active(struct conn *conn, const char *instance) {
  conn->client->active = instance;
  return send_heartbeat(conn);
}

uint32_t send_import(struct conn *conn, const char *import, uint32_t attempt, const char *assets) {
  const char *body = format("{\"import\":\"%s\",\"attempt\":%u,\"assets\":%s}", import, attempt, assets);
  return send_body(conn, "IMPORT_DATA", body, strlen(body));
}

char *import_id(unsigned n) {
  return format("5eed5eed5eed5eed-%u", n);
}

uint32_t hand_over(struct conn *conn, const char *import) {
  uint32_t id = send_import(conn, import, 1, "[{\"id\":1}]");
  expect_import(conn->client, import);
  return id;
}

/* The answer, whatever else is answered before it. */
static void expect_finished(struct conn *conn, uint32_t id) {
  const struct message *message;
  do {
    message = next_message(conn);
  } while (!json_is_integer(&message->json, "for") || json_integer(&message->json, "for") != id);
  if (strcmp(message->type, "ACK") != 0) {
    fail_as("BH-IUT-010", format("ACK for message %u of %s", id, conn->name), "%s", message->type);
  }
}

void let_finish(struct conn *conn, const char *import) {
  uint32_t id = hand_over(conn, import);
  command(conn->client, "ack %s", import);
  expect_finished(conn, id);
}

const struct message *expect_request(struct conn *conn, const char *type) {
  const struct message *message;
  do {
    message = next_message(conn);
  } while (strcmp(message->type, "HEARTBEAT") == 0 || strcmp(message->type, "ACK") == 0);
  EXPECT(strcmp(message->type, type) == 0, format("%s on %s", type, conn->name), "%s %u %s", message->type, message->id,
         printable(message->json.text, message->json.size, 300));
  return message;
}

void answer(struct conn *conn, const struct message *request, const char *pattern, ...) {
  va_list args;
  va_start(args, pattern);
  const char *more = format_body(pattern, args);
  va_end(args);
  send_message(conn, "ACK", "{'for':%u%s}", request->id, more);
}

void answer_error(struct conn *conn, const struct message *request, const char *code, const char *text) {
  send_message(conn, "ERROR", "{'for':%u,'code':'%s','message':'%s'}", request->id, code, text);
}
