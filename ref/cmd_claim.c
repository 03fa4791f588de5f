/* SPDX-License-Identifier: MIT */
#include "cmd_client.h"
#include "cmd_request.h"
#include "cmd_session.h"

/* Makes an instance active: another one and goes, or one of its own and stays. */

static const cmd_option claim_options[] = {
    CMD_OPTION_GROUP(cmd_client_options),
    CMD_OPTION_ENDPOINT(cmd_client_options),
    CMD_OPTION_PORT(cmd_client_options),
    CMD_OPTION_NAME,
    CMD_OPTION_WINDOW,
    CMD_OPTION_ACK,
    CMD_OPTION_TIMEOUT(cmd_client_options),
    CMD_OPTION_LOG_LEVEL(cmd_client_options),
    {0},
};

static int run(int argc, char **argv) {
  cmd_client_options options = cmd_client_defaults;
  cmd_request request;
  int status;
  int operand = cmd_parse(&cmd_claim, argc, argv, &options, &status);

  if (operand == 0) {
    return status;
  }
  if (operand == argc) {
    return cmd_client_run(&cmd_claim, &options, "claim");
  }
  if (!cmd_is_instance_id(argv[operand])) {
    return cmd_usage(&cmd_claim, "ID is 1-%d of A-Z, a-z, 0-9 and '-', and '%s' is none of that", BH_INSTANCE_ID_MAX,
                     argv[operand]);
  }
  request = (cmd_request){.group = options.group,
                          .endpoint = options.endpoint,
                          .timeout_ms = options.timeout_ms,
                          .instance = argv[operand]};
  return cmd_request_run(&cmd_claim, &request);
}

const cmd_command cmd_claim = {
    .name = "claim",
    .summary = "make an instance active",
    .operands = "[ID]",
    .operands_most = 1,
    .description =
        "With ID, which 'bridgehub status' shows, that instance becomes active, and the command is done. Without,\n"
        "the command registers an instance of its own, claims for it, and goes on as 'bridgehub client' does:\n"
        "it prints each import, and takes commands, until it is interrupted or its input ends.\n",
    .example = "  $ bridgehub claim 3f0c2a11-2\n"
               "  3f0c2a11-2 is active now.\n",
    .options = claim_options,
    .run = run,
};
