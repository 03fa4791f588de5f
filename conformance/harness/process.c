/* SPDX-License-Identifier: MIT */
/* The process of a program under test, and its log. */

#include "process.h"

#include "program.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#define END_MS 5000

static struct process *processes;

void process_add(struct process *process) {
  bh_buffer_init(&process->log, case_allocator());
  process->next = processes;
  processes = process;
}

char *private_directory(void) {
  char *dir = format("%s/" CASES "/XXXXXX", environment(ENV_RUN));
  if (!mkdtemp(dir)) {
    suite_broke("cannot make %s: %s", dir, strerror(errno));
  }
  return dir;
}

/* ------------------------------------------------------------------------------------------------------- its log */

static void record_lines(struct process *process, bool all) {
  const char *text = (const char *)process->log.octets;
  while (process->recorded < process->log.size) {
    const char *begin = text + process->recorded;
    size_t left = process->log.size - process->recorded;
    const char *end = memchr(begin, '\n', left);
    if (!end && !all) {
      return;
    }
    size_t size = end ? (size_t)(end - begin) : left;
    record_log(process->lane, format("%.*s", (int)size, begin));
    process->recorded += size + (end ? 1 : 0);
  }
}

static void give_space(uv_handle_t *handle, size_t suggested, uv_buf_t *buffer) {
  (void)suggested;
  static char space[65536];
  (void)handle;
  *buffer = uv_buf_init(space, sizeof space);
}

static void on_output(uv_stream_t *stream, ssize_t size, const uv_buf_t *buffer) {
  struct process *process = stream->data;
  if (size > 0 && process->output_taker && stream == (uv_stream_t *)process->output[0]) {
    process->output_taker(process, buffer->base, (size_t)size);
  } else if (size > 0) {
    bh_buffer_append(&process->log, buffer->base, (size_t)size);
    record_lines(process, false);
  } else if (size < 0) {
    process->open_outputs--;
    uv_close((uv_handle_t *)stream, NULL);
  }
}

/* ------------------------------------------------------------------------------------------------ start and end */

const char *process_ending(const struct process *process) {
  int signal = *process->state.exit_signal;
  if (signal) {
    return format("was ended by signal %d (%s)", signal, strsignal(signal));
  }
  return format("ended with exit status %d", *process->state.exit_status);
}

static void close_input(struct process *process) {
  if (process->input) {
    uv_close((uv_handle_t *)process->input, NULL);
  }
  process->input = NULL;
}

static void on_exit_of(uv_process_t *handle, int64_t status, int signal) {
  struct process *process = handle->data;
  *process->state.running = false;
  bool told_by_status = signal == 0 && status > 128 && shell_stays(process->command);
  *process->state.exit_status = told_by_status ? 0 : (int)status;
  *process->state.exit_signal = told_by_status ? (int)status - 128 : signal;
  remove(process->pid_file);
  record_event(process->lane, "%s", process_ending(process));
  if (!process->may_end) {
    case_crashed("the %s %s, by itself", process->what, process_ending(process));
  }
  close_input(process);
  uv_close((uv_handle_t *)handle, NULL);
}

static uv_pipe_t *open_pipe(struct process *process) {
  uv_pipe_t *pipe = allocate(sizeof *pipe);
  uv_pipe_init(loop(), pipe, 0);
  pipe->data = process;
  return pipe;
}

/* One that falls back on a default must not meet the user's own hub. */
static char **environment_of(const char *dir) {
  extern char **environ;
  size_t count = 0;
  while (environ[count]) {
    count++;
  }
  char **variables = allocate((count + 2) * sizeof *variables);
  size_t kept = 0;
  for (size_t i = 0; i < count; i++) {
    if (strncmp(environ[i], "XDG_RUNTIME_DIR=", 16) != 0 && strncmp(environ[i], "BH_SUITE_", 9) != 0) {
      variables[kept++] = environ[i];
    }
  }
  variables[kept] = format("XDG_RUNTIME_DIR=%s", dir);
  return variables;
}

/*
 * The shell says itself that it is there, before it runs the command: a worker that is killed in between leaves nothing
 * that the guard does not know of, and nothing starts once the run is gone.
 */
static char *registered(const char *command) {
  return format(": >'%s/" PIDS "/'$$ || exit\n%s", environment(ENV_RUN), shell_script(command));
}

uv_process_t *shell_spawn(const char *command, const char *dir, uv_stdio_container_t stdio[3], uv_exit_cb ended,
                          void *data) {
  char *argv[] = {"sh", "-c", registered(command), NULL};
  uv_process_options_t options = {.file = "/bin/sh",
                                  .args = argv,
                                  .env = environment_of(dir),
                                  .exit_cb = ended,
                                  .flags = UV_PROCESS_DETACHED, /* a process group of its own */
                                  .stdio = stdio,
                                  .stdio_count = 3};
  uv_process_t *handle = allocate(sizeof *handle);
  handle->data = data;
  int error = uv_spawn(loop(), handle, &options);
  if (error) {
    suite_broke("cannot start /bin/sh: %s", uv_strerror(error));
  }
  return handle;
}

static void spawn(struct process *process) {
  process->input = open_pipe(process);
  for (int i = 0; i < 2; i++) {
    process->output[i] = open_pipe(process);
  }
  uv_stdio_container_t stdio[] = {
      {.flags = UV_CREATE_PIPE | UV_READABLE_PIPE, .data.stream = (uv_stream_t *)process->input},
      {.flags = UV_CREATE_PIPE | UV_WRITABLE_PIPE, .data.stream = (uv_stream_t *)process->output[0]},
      {.flags = UV_CREATE_PIPE | UV_WRITABLE_PIPE, .data.stream = (uv_stream_t *)process->output[1]},
  };
  process->handle = shell_spawn(process->command, process->dir, stdio, on_exit_of, process);
}

void process_start(struct process *process, char *command) {
  *process->state.exit_status = *process->state.exit_signal = 0;
  process->may_end = true;
  process->stopped = false;
  process->command = command;
  spawn(process);
  *process->state.running = true;
  process->pid_file = format("%s/" PIDS "/%d", environment(ENV_RUN), (int)process->handle->pid);
  record_event(process->lane, "starts: %s", process->command);
  process->open_outputs = 2;
  for (int i = 0; i < 2; i++) {
    uv_read_start((uv_stream_t *)process->output[i], give_space, on_output);
  }
}

/* ------------------------------------------------------------------------------------------------ standard input */

struct writing {
  uv_write_t request;
  char text[];
};

static void on_written(uv_write_t *request, int status) {
  (void)status; /* one that has ended is found by its end */
  free(request);
}

void process_write(struct process *process, const char *text, size_t size) {
  struct writing *writing = process->input ? malloc(sizeof *writing + size) : NULL;
  if (!writing) {
    return;
  }
  memcpy(writing->text, text, size);
  uv_buf_t buffer = uv_buf_init(writing->text, (unsigned)size);
  if (uv_write(&writing->request, (uv_stream_t *)process->input, &buffer, 1, on_written) != 0) {
    free(writing);
  }
}

void process_close_input(struct process *process) {
  record_event(process->lane, "standard input ends");
  close_input(process);
}

/* ------------------------------------------------------------------------------------------------------- signals */

static const char *signal_name(int signal) {
  return signal == SIGKILL   ? "SIGKILL"
         : signal == SIGTERM ? "SIGTERM"
         : signal == SIGSTOP ? "SIGSTOP"
         : signal == SIGCONT ? "SIGCONT"
                             : format("signal %d", signal);
}

/* The process may be behind a wrapper that only the user's own command reaches. */
static void send_signal(struct process *process, int signal) {
  int pid = (int)process->handle->pid;
  const char *command = environment(ENV_KILL);
  if (!*command) {
    kill(-pid, signal);
    return;
  }
  const struct placeholder values[] = {{"signal", format("%d", signal)}, {"pid", format("%d", pid)}};
  if (system(fill_in(command, values, 2)) != 0) {
    suite_broke("the command of --kill failed");
  }
}

void process_signal(struct process *process, int signal) {
  if (!*process->state.running) {
    suite_broke("the case signals a %s that has ended", process->what);
  }
  record_event(process->lane, "is sent %s", signal_name(signal));
  if (signal == SIGKILL || signal == SIGTERM || signal == SIGINT) {
    process->may_end = true;
  }
  process->stopped = signal == SIGSTOP || (process->stopped && signal != SIGCONT);
  send_signal(process, signal);
}

static bool has_ended(void *arg) {
  struct process *process = arg;
  return !*process->state.running && process->open_outputs == 0;
}

static bool does_not_run(void *arg) {
  return !*((struct process *)arg)->state.running;
}

static uint64_t end_ms(void) {
  return (uint64_t)(END_MS * time_scale());
}

bool process_wait_end(struct process *process, uint64_t ms) {
  process->may_end = true;
  bool ended = wait_until(does_not_run, process, ms);
  /* What it wrote last; a child of its own may hold the pipes open. */
  if (ended) {
    wait_quietly(has_ended, process, deadline_ms());
  } else {
    process->may_end = false;
  }
  return ended;
}

void process_expect_end(struct process *process) {
  if (!process_wait_end(process, end_ms())) {
    fail(format("the %s ends", process->what), "it still runs after %g s", (double)end_ms() / 1000);
  }
}

void process_end(struct process *process) {
  process_signal(process, SIGTERM);
  if (!process_wait_end(process, end_ms())) {
    fail_as("BH-IUT-003", format("SIGTERM ends the %s", process->what), "it still runs after %g s",
            (double)end_ms() / 1000);
  }
}

void process_kill(struct process *process) {
  process_signal(process, SIGKILL);
  if (!process_wait_end(process, end_ms())) {
    suite_broke("SIGKILL does not end the %s: does the command start it in another process group? See --kill",
                process->what);
  }
}

/* ------------------------------------------------------------------------------------------------------ clean-up */

/* Some runtimes end with 128 + the signal's number when they have done all that the signal asks for. */
static bool ended_as_told(const struct process *process) {
  int status = *process->state.exit_status, signal = *process->state.exit_signal;
  return signal ? signal == SIGTERM : status == 0 || status == 128 + SIGTERM;
}

/* Where the user's command brings the signals, SIGKILL is no fault: Wine so ends a process that takes its time. */
static bool died(const struct process *process) {
  int signal = *process->state.exit_signal;
  return signal && signal != SIGTERM && !(signal == SIGKILL && *environment(ENV_KILL));
}

static void end_quietly(struct process *process, bool judge) {
  if (!*process->state.running) {
    return;
  }
  process->may_end = true;
  if (process->stopped) {
    send_signal(process, SIGCONT);
  }
  send_signal(process, SIGTERM);
  if (wait_quietly(does_not_run, process, judge ? end_ms() : deadline_ms())) {
    wait_quietly(has_ended, process, deadline_ms());
    if (judge && died(process)) {
      case_crashed("the %s %s when it was told to end", process->what, process_ending(process));
    } else if (judge && !ended_as_told(process)) {
      breach("BH-IUT-003", "SIGTERM did not end the %s cleanly: it %s", process->what, process_ending(process));
    }
    return;
  }
  if (judge) {
    breach("BH-IUT-003", "SIGTERM did not end the %s: it still runs after %g s", process->what,
           (double)end_ms() / 1000);
  }
  send_signal(process, SIGKILL);
  wait_quietly(does_not_run, process, end_ms());
  wait_quietly(has_ended, process, deadline_ms());
}

void processes_finish(bool judge) {
  for (struct process *process = processes; process; process = process->next) {
    if (process->handle) {
      end_quietly(process, judge);
    }
    record_lines(process, true);
  }
}

void processes_kill(void) {
  for (struct process *process = processes; process; process = process->next) {
    if (process->handle && *process->state.running) {
      kill(-process->handle->pid, SIGKILL);
    }
  }
  programs_kill();
}

void processes_forget(void) {
  for (struct process *process = processes; process; process = process->next) {
    bh_buffer_free(&process->log);
    if (strcmp(environment(ENV_KEEP), "1") != 0) {
      remove_directory(process->dir);
    }
  }
  processes = NULL;
}
