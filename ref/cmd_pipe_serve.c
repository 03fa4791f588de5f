/* SPDX-License-Identifier: MIT */
#include "cmd_pipe.h"

#include "cmd_pump.h"
#include "uv_endpoint.h"
#include "uv_port.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

/* An endpoint for a program that can only listen on TCP. */

enum { BACKLOG = 128, STANDARD_INPUT = 0, PATIENCE_MS = 2000, RETRY_MS = 100 };

typedef struct relay relay;

typedef struct {
  const pipe_options *options;
  const char *endpoint;
  uv_loop_t loop;
  uv_pipe_t listener;
  uv_signal_t interrupt, terminate;
  uv_fs_t input;
  char ignored[256];
  size_t relays;
  bool listening;
  bool told_to_end; /* by a signal: the connections end with the process */
} serving;

/* One who has come, and the connection to the port. */
struct relay {
  serving *serving;
  uv_pipe_t pipe;
  uv_tcp_t tcp;
  uv_connect_t connect;
  cmd_pump in, out;
  size_t done; /* of the two directions */
  size_t handles;
};

static void end_when_all_is_over(serving *s) {
  if (!s->listening && (s->relays == 0 || s->told_to_end)) {
    uv_stop(&s->loop);
  }
}

/* ---- a connection */

static void on_closed(uv_handle_t *handle) {
  relay *r = handle->data;
  serving *s = r->serving;

  r->handles--;
  if (r->handles == 0) {
    free(r);
    s->relays--;
    end_when_all_is_over(s);
  }
}

static void close_relay(relay *r) {
  cmd_pump_stop(&r->in);
  cmd_pump_stop(&r->out);
  r->pipe.data = r->tcp.data = r;
  if (!uv_is_closing((uv_handle_t *)&r->pipe)) {
    uv_close((uv_handle_t *)&r->pipe, on_closed);
    uv_close((uv_handle_t *)&r->tcp, on_closed);
  }
}

static void on_pump_ended(cmd_pump *pump, cmd_pump_result result, int error) {
  relay *r = pump->ctx;

  (void)error; /* who broke off, and how, the other side is told by the close alone */
  r->done++;
  if (result != CMD_PUMP_DONE || r->done == 2) {
    close_relay(r);
  }
}

static void on_connected(uv_connect_t *request, int status) {
  relay *r = request->data;
  uv_stream_t *pipe = (uv_stream_t *)&r->pipe;
  uv_stream_t *tcp = (uv_stream_t *)&r->tcp;

  if (status == UV_ECANCELED) {
    return;
  }
  if (status != 0) {
    cmd_failed(&cmd_pipe, "no connection to port %lu of %s: %s", (unsigned long)r->serving->options->serve,
               bh_port_ipv4, uv_strerror(status));
    close_relay(r);
    return;
  }
  r->in =
      (cmd_pump){.loop = &r->serving->loop, .from.stream = pipe, .to.stream = tcp, .ended = on_pump_ended, .ctx = r};
  r->out =
      (cmd_pump){.loop = &r->serving->loop, .from.stream = tcp, .to.stream = pipe, .ended = on_pump_ended, .ctx = r};
  cmd_pump_start(&r->in);
  cmd_pump_start(&r->out);
}

static void connect_to_port(relay *r) {
  struct sockaddr_in address;
  int error;

  uv_tcp_nodelay(&r->tcp, 1);
  r->connect.data = r;
  error = uv_ip4_addr(bh_port_ipv4, (int)r->serving->options->serve, &address);
  if (error == 0) {
    error = uv_tcp_connect(&r->connect, &r->tcp, (const struct sockaddr *)&address, on_connected);
  }
  if (error != 0) {
    on_connected(&r->connect, error);
  }
}

static void on_arrival(uv_stream_t *listener, int status) {
  serving *s = listener->data;
  relay *r = status == 0 ? calloc(1, sizeof *r) : NULL;

  if (r == NULL) {
    cmd_failed(&cmd_pipe, "a connection is not taken: %s", uv_strerror(status == 0 ? UV_ENOMEM : status));
    return;
  }
  r->serving = s;
  r->handles = 2;
  s->relays++;
  uv_pipe_init(&s->loop, &r->pipe, 0);
  uv_tcp_init(&s->loop, &r->tcp);
  if (uv_accept(listener, (uv_stream_t *)&r->pipe) != 0) {
    close_relay(r);
    return;
  }
  connect_to_port(r);
}

/* ---- the end */

static void on_listener_closed(uv_handle_t *handle) {
  serving *s = handle->data;

  s->listening = false;
  pipe_say(s->options, "listening at %s has ended", s->endpoint);
  end_when_all_is_over(s);
}

static void stop_listening(serving *s) {
  if (!uv_is_closing((uv_handle_t *)&s->listener)) {
    uv_close((uv_handle_t *)&s->listener, on_listener_closed);
  }
}

static void on_signal(uv_signal_t *handle, int number) {
  serving *s = handle->data;

  (void)number;
  s->told_to_end = true;
  stop_listening(s);
  end_when_all_is_over(s);
}

static void on_input(uv_fs_t *request);

static void watch_input(serving *s) {
  uv_buf_t buffer = uv_buf_init(s->ignored, sizeof s->ignored);

  s->input.data = s;
  if (uv_fs_read(&s->loop, &s->input, STANDARD_INPUT, &buffer, 1, -1, on_input) != 0) {
    stop_listening(s);
  }
}

static void on_input(uv_fs_t *request) {
  serving *s = request->data;
  ssize_t got = request->result;

  uv_fs_req_cleanup(request);
  if (got > 0) {
    watch_input(s);
  } else {
    stop_listening(s);
  }
}

/* ---- the beginning */

static void watch_signal(serving *s, uv_signal_t *handle, int number) {
  uv_signal_init(&s->loop, handle);
  handle->data = s;
  uv_signal_start(handle, on_signal, number);
  uv_unref((uv_handle_t *)handle);
}

/* Of one that was just killed Windows keeps the name until all its handles are closed. */
static int clear_endpoint(const serving *s, bh_why *why) {
  int error = bh_endpoint_clear(s->endpoint, why);

  if (error == UV_EBUSY) {
    pipe_say(s->options, "waiting for %s, which is another's still", s->endpoint);
  }
  for (int waited_ms = 0; error == UV_EBUSY && waited_ms < PATIENCE_MS; waited_ms += RETRY_MS) {
    uv_sleep(RETRY_MS);
    error = bh_endpoint_clear(s->endpoint, why);
  }
  return error;
}

int pipe_serve(const pipe_options *options, const char *endpoint) {
  static serving s;
  bh_why why = {""};
  int error;

  s.options = options;
  s.endpoint = endpoint;
  error = clear_endpoint(&s, &why);
  uv_loop_init(&s.loop);
  if (error == 0) {
    error = bh_endpoint_listen(&s.loop, &s.listener, endpoint, BACKLOG, on_arrival, &why);
  }
  if (error != 0) {
    return cmd_failed(&cmd_pipe, "%s", why.text);
  }
  s.listener.data = &s;
  s.listening = true;
  watch_signal(&s, &s.interrupt, SIGINT);
  watch_signal(&s, &s.terminate, SIGTERM);
  pipe_say(options, "listening at %s", endpoint);
  watch_input(&s);
  uv_run(&s.loop, UV_RUN_DEFAULT);
  fflush(NULL);
  _Exit(CMD_OK); /* a read of standard input may still be under way, and exit() would wait for it */
}
