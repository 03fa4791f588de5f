/* SPDX-License-Identifier: MIT */
#include "cmd_signals.h"

static void on_signal(uv_signal_t *handle, int number) {
  const cmd_signals *signals = handle->data;

  (void)number;
  signals->told(signals->ctx, cmd_signal_list[handle - signals->handles].text);
}

void cmd_signals_start(cmd_signals *signals, uv_loop_t *loop, void (*told)(void *ctx, const char *how), void *ctx) {
  signals->told = told;
  signals->ctx = ctx;
  for (size_t i = 0; i < CMD_SIGNALS_MAX && cmd_signal_list[i].text != NULL; i++) {
    uv_signal_init(loop, &signals->handles[i]);
    signals->handles[i].data = signals;
    uv_signal_start(&signals->handles[i], on_signal, cmd_signal_list[i].number);
  }
}

void cmd_signals_stop(cmd_signals *signals) {
  for (size_t i = 0; i < CMD_SIGNALS_MAX && cmd_signal_list[i].text != NULL; i++) {
    uv_close((uv_handle_t *)&signals->handles[i], NULL);
  }
}
