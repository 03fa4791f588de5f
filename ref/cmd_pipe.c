/* SPDX-License-Identifier: MIT */
#include "cmd_pipe.h"

#include "cmd_pump.h"
#include "cmd_session.h"
#include "uv_endpoint.h"
#include "uv_process.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Standard input and output to a hub's endpoint, octet for octet. */

enum { STANDARD_INPUT = 0, STANDARD_OUTPUT = 1, NAP_MS = 60000 };

typedef struct {
  const pipe_options *options;
  const char *endpoint;
  uv_loop_t loop;
  uv_pipe_t pipe;
  uv_connect_t connect;
  int connected; /* 0, or why not */
  bool ended;
  bool input_ended;
  int status;
  cmd_pump to_hub, from_hub;
} piping;

void pipe_say(const pipe_options *options, const char *format, ...) {
  va_list arguments;

  if (options->quiet) {
    return;
  }
  va_start(arguments, format);
  fputs("bridgehub pipe: ", stderr);
  vfprintf(stderr, format, arguments);
  fputc('\n', stderr);
  fflush(stderr); /* not every system writes it at once */
  va_end(arguments);
}

/* ---- the end of the connection */

static void end(piping *p, int status) {
  p->ended = true;
  p->status = status;
  uv_stop(&p->loop);
}

static void broke_off(piping *p, int error) {
  end(p, PIPE_BROKE_OFF);
  cmd_failed(&cmd_pipe, "the connection has ended before its time: %s", uv_strerror(error));
}

/* What the hub does is told by the other direction, unless reading cannot tell. */
static void on_input_ended(cmd_pump *pump, cmd_pump_result result, int error) {
  piping *p = pump->ctx;

  p->input_ended = result != CMD_PUMP_WRITING;
  if (result == CMD_PUMP_READING && !p->ended) {
    end(p, cmd_failed(&cmd_pipe, "standard input cannot be read, and the connection is ended: %s", uv_strerror(error)));
  }
}

static void on_output_ended(cmd_pump *pump, cmd_pump_result result, int error) {
  piping *p = pump->ctx;

  if (result == CMD_PUMP_DONE) {
    end(p, p->input_ended ? CMD_OK : PIPE_HUB_ENDED);
    pipe_say(p->options, "the hub has ended the connection");
  } else if (result == CMD_PUMP_READING) {
    broke_off(p, error);
  } else {
    end(p, cmd_failed(&cmd_pipe, "standard output cannot be written, and the connection is ended: %s",
                      uv_strerror(error)));
  }
}

/* ---- the connection */

static void begin(piping *p) {
  pipe_say(p->options, "connected to %s", p->endpoint);
  p->to_hub = (cmd_pump){.loop = &p->loop,
                         .from = {.file = STANDARD_INPUT},
                         .to = {.stream = (uv_stream_t *)&p->pipe},
                         .ended = on_input_ended,
                         .ctx = p};
  p->from_hub = (cmd_pump){.loop = &p->loop,
                           .from = {.stream = (uv_stream_t *)&p->pipe},
                           .to = {.file = STANDARD_OUTPUT},
                           .ended = on_output_ended,
                           .ctx = p};
  cmd_pump_start(&p->from_hub);
  cmd_pump_start(&p->to_hub);
}

static void on_connected(uv_connect_t *request, int status) {
  piping *p = request->data;
  bh_process hub;

  p->connected = status;
  /* Whoever else could open the endpoint first would be told all that standard input has. */
  if (status == 0 && bh_process_of_peer(&p->pipe, &hub) == UV_EACCES) {
    p->connected = UV_EPERM;
  }
}

static int try_endpoint(piping *p, const char *endpoint) {
  p->endpoint = endpoint;
  p->connect.data = p;
  uv_pipe_init(&p->loop, &p->pipe, 0);
  bh_endpoint_connect(&p->connect, &p->pipe, endpoint, on_connected);
  uv_run(&p->loop, UV_RUN_DEFAULT);
  if (p->connected != 0) {
    uv_close((uv_handle_t *)&p->pipe, NULL);
    uv_run(&p->loop, UV_RUN_DEFAULT);
  }
  return p->connected;
}

/*
 * Standard input may never end, and a read of it cannot be called off: exit() would wait for it. A hub asks after the
 * process of a client that it has lost; --stay answers.
 */
static _Noreturn void leave(piping *p) {
  uv_close((uv_handle_t *)&p->pipe, NULL);
  uv_run(&p->loop, UV_RUN_NOWAIT);
  fflush(NULL);
  while (p->options->stay) {
    uv_sleep(NAP_MS);
  }
  _Exit(p->status);
}

static int pipe_connect(const pipe_options *options, char endpoints[BH_ENDPOINTS_MAX][BH_PATH_MAX], size_t count) {
  static piping p; /* too large for some stacks */
  int error = UV_ENOENT;

  p.options = options;
  uv_loop_init(&p.loop);
  for (size_t i = 0; i < count && error != 0; i++) {
    error = try_endpoint(&p, endpoints[i]);
  }
  if (error != 0) {
    uv_loop_close(&p.loop);
    return cmd_failed(&cmd_pipe, "no connection to %s: %s", p.endpoint,
                      error == UV_EPERM ? "who listens there is another user's" : uv_strerror(error));
  }
  begin(&p);
  uv_run(&p.loop, UV_RUN_DEFAULT);
  leave(&p);
}

/* ---- the command */

static const cmd_option pipe_option_table[] = {
    CMD_OPTION_GROUP(pipe_options),
    {.name = "serve",
     .value = "PORT",
     .help = "listen at ENDPOINT, and connect whoever comes to this port of 127.0.0.1",
     .kind = CMD_NUMBER,
     .at = offsetof(pipe_options, serve),
     .least = 1,
     .most = UINT16_MAX},
    {.name = "stay",
     .help = "when the connection has ended, say so, and stay until killed",
     .kind = CMD_FLAG,
     .at = offsetof(pipe_options, stay)},
    {.name = "quiet", .help = "say only what goes wrong", .kind = CMD_FLAG, .at = offsetof(pipe_options, quiet)},
    {0},
};

static int run(int argc, char **argv) {
  pipe_options options = {.group = ""};
  char endpoints[BH_ENDPOINTS_MAX][BH_PATH_MAX];
  size_t count = 0;
  int status;
  int operand = cmd_parse(&cmd_pipe, argc, argv, &options, &status);

  if (operand == 0) {
    return status;
  }
  if (options.serve != 0 && operand == argc) {
    return cmd_usage(&cmd_pipe, "--serve needs an ENDPOINT: the group's own is its hub's");
  }
  status = cmd_endpoints(&cmd_pipe, options.group, operand < argc ? argv[operand] : NULL, endpoints, &count);
  if (status != CMD_OK) {
    return status;
  }
  return options.serve != 0 ? pipe_serve(&options, endpoints[0]) : pipe_connect(&options, endpoints, count);
}

const cmd_command cmd_pipe = {
    .name = "pipe",
    .summary = "connect standard input and output to a hub's endpoint",
    .operands = "[ENDPOINT]",
    .operands_most = 1,
    .description =
        "Connects to ENDPOINT, the default group's unless given, and says so on standard error. Then it carries\n"
        "octets, in both directions, as they are. The end of standard input half-closes the connection (a Windows\n"
        "pipe, which cannot be half-closed, is closed when the hub has read all). It ends when the hub ends the\n"
        "connection, and says how on standard error. Exit status: 0 the hub ended it after standard input had\n"
        "ended; 3 the hub ended it before; 4 it broke off (a reset); 1 there was no connection, or standard input or\n"
        "output failed.\n\n"
        "With --serve it goes the other way: it listens at ENDPOINT, says so, and carries the octets of each\n"
        "connection to a connection of its own to PORT. An endpoint that is another's it awaits for two seconds. When\n"
        "standard input ends it stops listening, says so, and ends once all connections have.\n",
    .example = "  $ printf 'BH1 HEARTBEAT 1 0\\n' | bridgehub pipe\n"
               "  bridgehub pipe: connected to /run/user/1000/QuixelBridge_IPC.sock\n"
               "  BH1 ERROR 1 66\n"
               "  {\"for\":1,\"code\":\"not-registered\",\"message\":\"REGISTER comes first\"}\n"
               "  bridgehub pipe: the hub has ended the connection\n",
    .options = pipe_option_table,
    .run = run,
};
