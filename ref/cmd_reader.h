/* SPDX-License-Identifier: MIT */
#ifndef BH_CMD_READER_H
#define BH_CMD_READER_H

#include <uv.h>

/*
 * Reads a file in a thread of its own, where libuv cannot have it as a stream. A read that never ends (of a pipe, under
 * Wine) holds up nobody: the thread is left behind, and ends with the process.
 */

typedef struct cmd_reader cmd_reader;

/* `came` gets what was read, on the loop; 0 or an error at the end, and nothing after that. NULL: no memory. */
cmd_reader *cmd_reader_start(uv_loop_t *loop, uv_file file, void (*came)(void *ctx, const char *octets, ssize_t got),
                             void *ctx);
/* `came` is not called any more, and the reader is not to be used. */
void cmd_reader_stop(cmd_reader *reader);

#endif
