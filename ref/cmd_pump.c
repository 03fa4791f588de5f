/* SPDX-License-Identifier: MIT */
#include "cmd_pump.h"

static void take_next(cmd_pump *pump);
static void write_to_file(cmd_pump *pump);

static void end(cmd_pump *pump, cmd_pump_result result, int error) {
  if (!pump->stopped) {
    pump->stopped = true;
    pump->ended(pump, result, error);
  }
}

/* ---- the end of what is read */

static void on_shut_down(uv_shutdown_t *request, int status) {
  cmd_pump *pump = request->data;

  end(pump, status == 0 ? CMD_PUMP_DONE : CMD_PUMP_WRITING, status);
}

static void pass_end(cmd_pump *pump) {
  int error;

  if (pump->to.stream == NULL) {
    end(pump, CMD_PUMP_DONE, 0);
    return;
  }
  pump->request.shutdown.data = pump;
  error = uv_shutdown(&pump->request.shutdown, pump->to.stream, on_shut_down);
  if (error != 0) {
    end(pump, CMD_PUMP_WRITING, error);
  }
}

/* ---- to */

static void on_written(uv_write_t *request, int status) {
  cmd_pump *pump = request->data;

  if (status != 0) {
    end(pump, CMD_PUMP_WRITING, status);
  } else if (!pump->stopped) {
    take_next(pump);
  }
}

static void write_to_stream(cmd_pump *pump) {
  uv_buf_t buffer = uv_buf_init(pump->octets, (unsigned)pump->size);
  int error;

  pump->request.write.data = pump;
  error = uv_write(&pump->request.write, pump->to.stream, &buffer, 1, on_written);
  if (error != 0) {
    end(pump, CMD_PUMP_WRITING, error);
  }
}

static void on_file_written(uv_fs_t *request) {
  cmd_pump *pump = request->data;
  ssize_t taken = request->result;

  uv_fs_req_cleanup(request);
  if (taken < 0) {
    end(pump, CMD_PUMP_WRITING, (int)taken);
    return;
  }
  pump->written += (size_t)taken;
  if (pump->stopped) {
    return;
  }
  if (pump->written < pump->size) {
    write_to_file(pump);
  } else {
    take_next(pump);
  }
}

static void write_to_file(cmd_pump *pump) {
  uv_buf_t buffer = uv_buf_init(pump->octets + pump->written, (unsigned)(pump->size - pump->written));
  int error;

  pump->request.file.data = pump;
  error = uv_fs_write(pump->loop, &pump->request.file, pump->to.file, &buffer, 1, -1, on_file_written);
  if (error != 0) {
    end(pump, CMD_PUMP_WRITING, error);
  }
}

static void pass_on(cmd_pump *pump, size_t size) {
  pump->size = size;
  pump->written = 0;
  if (pump->to.stream == NULL) {
    write_to_file(pump);
  } else {
    write_to_stream(pump);
  }
}

/* ---- from */

static void came(cmd_pump *pump, ssize_t got) {
  if (pump->stopped) {
    return;
  }
  if (got > 0) {
    pass_on(pump, (size_t)got);
  } else if (got == 0 || got == UV_EOF) {
    pass_end(pump);
  } else {
    end(pump, CMD_PUMP_READING, (int)got);
  }
}

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buffer) {
  cmd_pump *pump = handle->data;

  (void)suggested;
  *buffer = uv_buf_init(pump->octets, sizeof pump->octets);
}

static void on_read(uv_stream_t *stream, ssize_t got, const uv_buf_t *buffer) {
  cmd_pump *pump = stream->data;

  (void)buffer;
  if (got != 0) { /* 0: not yet */
    uv_read_stop(stream);
    came(pump, got);
  }
}

static void on_file_read(uv_fs_t *request) {
  cmd_pump *pump = request->data;
  ssize_t got = request->result;

  uv_fs_req_cleanup(request);
  came(pump, got);
}

/* A stream's `data` is the pump that reads from it. */
static void take_next(cmd_pump *pump) {
  uv_buf_t buffer = uv_buf_init(pump->octets, sizeof pump->octets);
  int error;

  if (pump->from.stream != NULL) {
    pump->from.stream->data = pump;
    error = uv_read_start(pump->from.stream, on_alloc, on_read);
  } else {
    pump->request.file.data = pump;
    error = uv_fs_read(pump->loop, &pump->request.file, pump->from.file, &buffer, 1, -1, on_file_read);
  }
  if (error != 0) {
    end(pump, CMD_PUMP_READING, error);
  }
}

void cmd_pump_start(cmd_pump *pump) {
  take_next(pump);
}

void cmd_pump_stop(cmd_pump *pump) {
  pump->stopped = true;
}
