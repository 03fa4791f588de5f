/* SPDX-License-Identifier: MIT */
#include "uv_endpoint.h"

enum { DRAINS_MAX = 64 };

void bh_endpoint_drain(const uv_pipe_t *pipe, void *octets, size_t size) {
  for (int i = 0; i < DRAINS_MAX && bh_endpoint_read(pipe, octets, size) > 0; i++) {
  }
}
