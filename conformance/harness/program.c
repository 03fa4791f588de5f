/* SPDX-License-Identifier: MIT */
#include "program.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define END_MS 5000
/* What a shell ends with for a command that it cannot run. */
#define CANNOT_RUN 126
#define NOT_FOUND 127

static struct program *programs;
static uint64_t slowest_start;

/* ------------------------------------------------------------------------------------------------ what it says */

static void take_line(void *owner, const char *line, size_t size) {
  struct program *program = owner;
  program->last_line = format("%.*s", (int)size, size ? line : "");
  if (!program->is_ready && strstr(program->last_line, program->ready)) {
    uint64_t took = now_ms() - program->started;
    slowest_start = took > slowest_start ? took : slowest_start;
    program->is_ready = true;
  }
  program->has_ended = program->has_ended || strstr(program->last_line, "ended");
}

static void give_space(uv_handle_t *handle, size_t suggested, uv_buf_t *buffer) {
  static char space[4096];
  (void)handle;
  (void)suggested;
  *buffer = uv_buf_init(space, sizeof space);
}

static void on_error_output(uv_stream_t *stream, ssize_t size, const uv_buf_t *buffer) {
  struct program *program = stream->data;
  if (size > 0) {
    bool was_ready = program->is_ready, had_ended = program->has_ended;
    take_lines(&program->said, buffer->base, (size_t)size, take_line, program);
    if (program->is_ready != was_ready || program->has_ended != had_ended) {
      program->changed(program);
    }
  } else if (size < 0) {
    uv_close((uv_handle_t *)stream, NULL);
  }
}

/* Its end may be told before what it said last. */
static void take_what_is_left(struct program *program) {
  char octets[4096];
  uv_os_fd_t errors;
  if (uv_fileno((const uv_handle_t *)&program->errors, &errors) != 0) {
    return;
  }
  for (ssize_t got; (got = read(errors, octets, sizeof octets)) > 0;) {
    take_lines(&program->said, octets, (size_t)got, take_line, program);
  }
}

/* --------------------------------------------------------------------------------------------- start and end */

static void on_exit_of(uv_process_t *handle, int64_t status, int signal) {
  struct program *program = handle->data;
  (void)signal;
  program->running = false;
  program->exit_status = (int)status;
  remove(program->pid_file);
  take_what_is_left(program);
  uv_close((uv_handle_t *)handle, NULL);
  program->changed(program);
}

void program_start(struct program *program, char *command, const char *dir, const uv_stdio_container_t standard[2]) {
  uv_pipe_init(loop(), &program->errors, 0);
  program->errors.data = program;
  bh_buffer_init(&program->said, case_allocator());
  uv_stdio_container_t stdio[] = {
      standard[0],
      standard[1],
      {.flags = UV_CREATE_PIPE | UV_WRITABLE_PIPE, .data.stream = (uv_stream_t *)&program->errors},
  };
  program->handle = shell_spawn(command, dir, stdio, on_exit_of, program);
  program->pid_file = format("%s/" PIDS "/%d", environment(ENV_RUN), (int)program->handle->pid);
  program->running = true;
  program->started = now_ms();
  program->next = programs;
  programs = program;
  uv_read_start((uv_stream_t *)&program->errors, give_space, on_error_output);
}

uint64_t programs_slowest_start(void) {
  return slowest_start;
}

bool program_is_over(const struct program *program) {
  return program->has_ended || !program->running;
}

void program_check(const struct program *program, const char *option) {
  if (!program->running && (program->exit_status == CANNOT_RUN || program->exit_status == NOT_FOUND)) {
    suite_broke("the command of %s cannot be run: %s", option,
                program->last_line ? program->last_line : "it says nothing");
  }
}

void program_kill(struct program *program) {
  if (program->running) {
    kill(-program->handle->pid, SIGKILL);
  }
}

void programs_kill(void) {
  for (struct program *program = programs; program; program = program->next) {
    program_kill(program);
  }
}

static bool none_runs(void *arg) {
  (void)arg;
  for (struct program *program = programs; program; program = program->next) {
    if (program->running) {
      return false;
    }
  }
  return true;
}

void programs_end(void) {
  programs_kill();
  wait_quietly(none_runs, NULL, (uint64_t)(END_MS * time_scale()));
  for (struct program *program = programs; program; program = program->next) {
    bh_buffer_free(&program->said);
  }
  programs = NULL;
}
