/* SPDX-License-Identifier: MIT */
#include "cmd_input.h"

#include <string.h>

enum { STANDARD_INPUT = 0 };

/* ---- lines */

static void end_line(cmd_input *input) {
  if (input->overlong) {
    input->line(input->ctx, NULL);
  } else {
    if (input->size > 0 && input->text[input->size - 1] == '\r') {
      input->size--;
    }
    input->text[input->size] = '\0';
    input->line(input->ctx, input->text);
  }
  input->size = 0;
  input->overlong = false;
}

static void take(cmd_input *input, const char *octets, size_t size) {
  for (size_t i = 0; i < size && !input->stopped && input->line != NULL; i++) {
    if (octets[i] == '\n') {
      end_line(input);
    } else if (input->size + 1 < sizeof input->text) {
      input->text[input->size++] = octets[i];
    } else {
      input->overlong = true;
    }
  }
}

static void end(cmd_input *input) {
  if (input->stopped) {
    return;
  }
  if (input->line != NULL && (input->size > 0 || input->overlong)) {
    end_line(input);
  }
  if (!input->stopped) {
    cmd_input_stop(input);
    input->end(input->ctx);
  }
}

/* ---- streams */

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buffer) {
  cmd_input *input = handle->data;

  (void)suggested;
  *buffer = uv_buf_init(input->buffer, sizeof input->buffer);
}

static void on_read(uv_stream_t *stream, ssize_t got, const uv_buf_t *buffer) {
  cmd_input *input = stream->data;

  if (got > 0) {
    take(input, buffer->base, (size_t)got);
  } else if (got == UV_EIO && stream->type == UV_TTY) {
    uv_read_stop(stream); /* in the background of its terminal (SIGTTIN is ignored): without commands, it goes on */
  } else if (got < 0) {
    end(input);
  }
}

/* False: it is none of these, and is read as a file. */
static bool open_stream(cmd_input *input) {
  int error = 0;

  switch (uv_guess_handle(STANDARD_INPUT)) {
  case UV_TTY:
    if (uv_tty_init(input->loop, &input->source.tty, STANDARD_INPUT, 0) != 0) {
      return false;
    }
    break;
  case UV_NAMED_PIPE:
    uv_pipe_init(input->loop, &input->source.pipe, 0);
    error = uv_pipe_open(&input->source.pipe, STANDARD_INPUT);
    break;
  case UV_TCP:
    uv_tcp_init(input->loop, &input->source.tcp);
    error = uv_tcp_open(&input->source.tcp, STANDARD_INPUT);
    break;
  default:
    return false;
  }
  input->source.handle.data = input;
  if (error == 0) {
    error = uv_read_start(&input->source.stream, on_alloc, on_read);
  }
  if (error != 0) {
    uv_close(&input->source.handle, NULL);
  }
  return error == 0;
}

/* ---- files */

static void on_file_read(void *ctx, const char *octets, ssize_t got) {
  cmd_input *input = ctx;

  if (got > 0) {
    take(input, octets, (size_t)got);
  } else {
    end(input);
  }
}

static void read_file(cmd_input *input) {
  input->reader = cmd_reader_start(input->loop, STANDARD_INPUT, on_file_read, input);
  if (input->reader == NULL) {
    end(input);
  }
}

void cmd_input_start(cmd_input *input, uv_loop_t *loop, void (*line)(void *ctx, char *line),
                     void (*end_of_input)(void *ctx), void *ctx) {
  memset(input, 0, sizeof *input);
  input->loop = loop;
  input->line = line;
  input->end = end_of_input;
  input->ctx = ctx;
  input->is_stream = open_stream(input);
  if (!input->is_stream) {
    read_file(input);
  }
}

void cmd_input_stop(cmd_input *input) {
  if (input->stopped) {
    return;
  }
  input->stopped = true;
  if (input->is_stream) {
    uv_close(&input->source.handle, NULL);
  } else if (input->reader != NULL) {
    cmd_reader_stop(input->reader);
  }
}
