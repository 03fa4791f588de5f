/* SPDX-License-Identifier: MIT */
#ifndef BH_UV_PROCESS_POSIX_H
#define BH_UV_PROCESS_POSIX_H

#include "uv_process.h"

#include <sys/types.h>

/* What uv_process_posix.c asks of uv_process_linux.c or uv_process_macos.c. */

/* Of the peer of a connected unix socket; a pid of 0 is of another namespace, or not known. */
int bh_process_credentials(int socket, uid_t *user, uint32_t *pid);
uint64_t bh_process_start(uint32_t pid); /* 0: not known */
/* Of a process that kill() finds. */
bh_process_state bh_process_look_closer(const bh_process *process);

#endif
