/* SPDX-License-Identifier: MIT */
#include "cmd_request.h"

/* Nobody shall be active. */

static const cmd_option release_options[] = {
    CMD_OPTION_GROUP(cmd_request),
    CMD_OPTION_ENDPOINT(cmd_request),
    CMD_OPTION_TIMEOUT(cmd_request),
    {0},
};

static int run(int argc, char **argv) {
  cmd_request request = {.group = "", .timeout_ms = BH_TIMEOUT_MS};
  int status;

  return cmd_parse(&cmd_release, argc, argv, &request, &status) == 0 ? status : cmd_request_run(&cmd_release, &request);
}

const cmd_command cmd_release = {
    .name = "release",
    .summary = "leave nobody active: imports wait until someone claims",
    .operands = "",
    .description =
        "Takes the active role from whoever has it. Imports that arrive from then on wait; the next instance\n"
        "that claims gets them, in order. It fails where nobody is active.\n",
    .example = "  $ bridgehub release\n"
               "  Nobody is active now: imports wait until someone claims.\n",
    .options = release_options,
    .run = run,
};
