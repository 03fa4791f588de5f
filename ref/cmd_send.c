/* SPDX-License-Identifier: MIT */
#include "cmd.h"

#include "cmd_system.h"
#include "uv_port.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* Plays Bridge: a connection for each file, its octets, and then the wait for the hub's word that all is safe. */

enum { CHUNK = 65536 };

typedef struct {
  uint32_t port;
  uint32_t timeout_ms;
} send_options;

typedef struct {
  const send_options *options;
  const char *name; /* of the file */
  FILE *file;
  uv_loop_t loop;
  uv_tcp_t tcp;
  uv_timer_t patience;
  uv_connect_t connect;
  uv_write_t write;
  uv_shutdown_t half_close;
  uint64_t sent;
  bool half_closed;
  bool ended;
  int status;
  char chunk[CHUNK];
  char answer[1024];
} sending;

static void end(sending *s, int status) {
  if (s->ended) {
    return;
  }
  s->ended = true;
  s->status = status;
  uv_close((uv_handle_t *)&s->tcp, NULL);
  uv_close((uv_handle_t *)&s->patience, NULL);
}

static void on_patience_ends(uv_timer_t *timer) {
  sending *s = timer->data;

  end(s, cmd_failed(&cmd_send, "%s: nothing happened for %lu ms; what listens on port %lu is no hub, or is held up",
                    s->name, (unsigned long)s->options->timeout_ms, (unsigned long)s->options->port));
}

static void be_patient(sending *s) {
  uv_timer_start(&s->patience, on_patience_ends, s->options->timeout_ms, 0);
}

/* The hub resets what it cannot keep. Whether the values before were kept, only the hub's log tells. */
static void fail(sending *s, int error) {
  if (error == UV_ECONNRESET || error == UV_EPIPE || error == UV_ENOTCONN || error == UV_ECANCELED) {
    end(s, cmd_failed(&cmd_send, "%s: not taken: the hub dropped it or died (connection reset); its log says why",
                      s->name));
  } else {
    end(s, cmd_failed(&cmd_send, "%s: %s", s->name, uv_strerror(error)));
  }
}

/* ---- the answer */

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buffer) {
  sending *s = handle->data;

  (void)suggested;
  *buffer = uv_buf_init(s->answer, sizeof s->answer);
}

static void on_read(uv_stream_t *stream, ssize_t got, const uv_buf_t *buffer) {
  sending *s = stream->data;

  (void)buffer;
  if (got >= 0 || s->ended) {
    return;
  }
  if (got != UV_EOF) {
    fail(s, (int)got);
  } else if (!s->half_closed) {
    end(s, cmd_failed(&cmd_send, "%s: the hub ended the connection before all was sent", s->name));
  } else {
    printf("%s: %llu octets sent, and safe with the hub\n", s->name, (unsigned long long)s->sent);
    end(s, CMD_OK);
  }
}

/* ---- the octets */

static void send_chunk(sending *s);

static void on_half_closed(uv_shutdown_t *request, int status) {
  sending *s = request->data;

  if (status != 0 && !s->ended) {
    fail(s, status);
  }
}

static void half_close(sending *s) {
  int error;

  s->half_closed = true;
  s->half_close.data = s;
  error = uv_shutdown(&s->half_close, (uv_stream_t *)&s->tcp, on_half_closed);
  if (error != 0) {
    fail(s, error);
  }
}

static void on_written(uv_write_t *request, int status) {
  sending *s = request->data;

  if (s->ended) {
    return;
  }
  if (status != 0) {
    fail(s, status);
    return;
  }
  be_patient(s);
  send_chunk(s);
}

static void send_chunk(sending *s) {
  size_t size = fread(s->chunk, 1, sizeof s->chunk, s->file);
  uv_buf_t buffer = uv_buf_init(s->chunk, (unsigned)size);
  int error;

  if (ferror(s->file) != 0) {
    end(s, cmd_failed(&cmd_send, "%s: it cannot be read; nothing of it is to be relied on", s->name));
    return;
  }
  if (size == 0) {
    half_close(s);
    return;
  }
  s->sent += size;
  s->write.data = s;
  error = uv_write(&s->write, (uv_stream_t *)&s->tcp, &buffer, 1, on_written);
  if (error != 0) {
    fail(s, error);
  }
}

static void on_connected(uv_connect_t *request, int status) {
  sending *s = request->data;

  if (s->ended) {
    return;
  }
  if (status != 0) {
    end(s, cmd_failed(&cmd_send, "nobody listens on port %lu of %s (%s); 'bridgehub serve' starts a hub",
                      (unsigned long)s->options->port, bh_port_ipv4, uv_strerror(status)));
    return;
  }
  uv_read_start((uv_stream_t *)&s->tcp, on_alloc, on_read);
  be_patient(s);
  send_chunk(s);
}

static int send_file(const send_options *options, const char *name) {
  bool standard_input = strcmp(name, "-") == 0;
  sending s = {.options = options, .name = standard_input ? "standard input" : name};
  struct sockaddr_in address;
  int error;

  s.file = standard_input ? stdin : cmd_open_file(name);
  if (s.file == NULL) {
    return cmd_failed(&cmd_send, "%s: it cannot be opened: %s", name, strerror(errno));
  }
  uv_loop_init(&s.loop);
  uv_tcp_init(&s.loop, &s.tcp);
  uv_timer_init(&s.loop, &s.patience);
  s.tcp.data = &s;
  s.patience.data = &s;
  s.connect.data = &s;
  uv_ip4_addr(bh_port_ipv4, (int)options->port, &address);
  error = uv_tcp_connect(&s.connect, &s.tcp, (const struct sockaddr *)&address, on_connected);
  if (error != 0) {
    fail(&s, error);
  }
  uv_run(&s.loop, UV_RUN_DEFAULT);
  uv_loop_close(&s.loop);
  if (!standard_input) {
    fclose(s.file);
  }
  return s.status;
}

static const cmd_option send_option_table[] = {
    CMD_OPTION_PORT(send_options),
    {.name = "timeout-ms",
     .value = "N",
     .help = "give up when nothing happens for so long (30000)",
     .kind = CMD_NUMBER,
     .at = offsetof(send_options, timeout_ms),
     .least = 20,
     .most = 3600000},
    {0},
};

static int run(int argc, char **argv) {
  send_options options = {.port = BH_PORT, .timeout_ms = 30000};
  int worst = CMD_OK;
  int status;
  int operand = cmd_parse(&cmd_send, argc, argv, &options, &status);

  if (operand == 0) {
    return status;
  }
  for (; operand < argc; operand++) {
    status = send_file(&options, argv[operand]);
    worst = status > worst ? status : worst;
  }
  return worst;
}

const cmd_command cmd_send = {
    .name = "send",
    .summary = "play Bridge: send files to the port, and say whether they are safe",
    .operands = "FILE...",
    .operands_least = 1,
    .operands_most = INT32_MAX,
    .description =
        "Sends each file on a connection of its own, as Quixel Bridge does; '-' is standard input. Then it half-\n"
        "closes and waits for the end of the connection: an orderly one says that every value in the file is in\n"
        "the hub's spool, a reset that one is not. Exit status 1 if any file is not safe.\n",
    .example = "  $ bridgehub send surface.json\n"
               "  surface.json: 5608 octets sent, and safe with the hub\n",
    .options = send_option_table,
    .run = run,
};
