/* SPDX-License-Identifier: MIT */
#include "cmd.h"

#include "body.h"
#include "cmd_system.h"
#include "json.h"
#include "reader.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* Reads messages, or one JSON text, and says what is wrong and which requirement it breaks. */

enum { CHUNK = 65536, FROM_CLIENT = 0, FROM_HUB = 1, FROM_ANYBODY = 2 };

typedef struct {
  bool json;
  int from;
} lint_options;

typedef struct {
  const lint_options *options;
  const char *name; /* of the file */
  FILE *file;
  bool faulty;
} lint;

static void say_fault(lint *l, uint64_t offset, const char *what, const char *requirement) {
  l->faulty = true;
  printf("%s:%" PRIu64 ": %s (%s)\n", l->name, offset, what, requirement);
}

/* ---- messages */

static bool sends(bh_sender sender, bh_type type) {
  switch (type) {
  case BH_REGISTER:
  case BH_UNREGISTER:
  case BH_CLAIM_ACTIVE:
  case BH_RELEASE_ACTIVE:
    return sender == BH_FROM_CLIENT;
  case BH_IMPORT_DATA:
    return sender == BH_FROM_HUB;
  default:
    return true;
  }
}

static bool is_asked_for(const lint *l, bh_sender sender) {
  return l->options->from == FROM_ANYBODY || l->options->from == (int)sender;
}

/* Right as a message of this sender's. */
static bool is_right(bh_sender sender, const bh_reader *reader, bh_body_fault *fault) {
  bh_body body;

  if (sender == BH_FROM_CLIENT && reader->body_size > BH_CLIENT_BODY_MAX) {
    *fault = (bh_body_fault){.what = "a client's body has at most 65536 octets", .requirement = "BH-FRAME-006"};
    return false;
  }
  return bh_body_read(sender, reader->type, reader->body, reader->body_size, &body, fault);
}

static void look_at_message(lint *l, const bh_reader *reader) {
  static const bh_sender senders[] = {BH_FROM_CLIENT, BH_FROM_HUB};
  uint64_t body_offset = reader->offset - reader->body_size;
  bh_body_fault first = {.what = NULL};

  if (reader->type == BH_TYPE_UNKNOWN) {
    say_fault(l, reader->message_offset, "unknown-type: its type is none of the eight", "BH-FRAME-010");
    return;
  }
  for (size_t i = 0; i < sizeof senders / sizeof senders[0]; i++) {
    bh_body_fault fault;

    if (!is_asked_for(l, senders[i]) || !sends(senders[i], reader->type)) {
      continue;
    }
    if (is_right(senders[i], reader, &fault)) {
      return;
    }
    first = first.what == NULL ? fault : first;
  }
  if (first.what == NULL) {
    say_fault(l, reader->message_offset, "unexpected: this side does not send messages of this type", "BH-MSG-008");
  } else {
    say_fault(l, body_offset + first.offset, first.what, first.requirement);
  }
}

/* False: nothing after this can be trusted. */
static bool look_at_octets(lint *l, bh_reader *reader, const uint8_t *octets, size_t size) {
  while (size > 0) {
    size_t consumed = 0;

    switch (bh_reader_next(reader, octets, size, &consumed)) {
    case BH_READ_MORE:
      return true;
    case BH_READ_MESSAGE:
      look_at_message(l, reader);
      break;
    case BH_READ_BROKEN:
      say_fault(l, reader->offset, reader->what, reader->requirement);
      return false;
    case BH_READ_NO_MEMORY:
      say_fault(l, reader->offset, "there is no memory for this message", "none");
      return false;
    }
    octets += consumed;
    size -= consumed;
  }
  return true;
}

static void lint_messages(lint *l) {
  uint8_t octets[CHUNK];
  bh_reader reader;
  bool goes_on = true;
  size_t size;

  bh_reader_init(&reader, l->options->from == FROM_CLIENT ? BH_CLIENT_BODY_MAX : BH_BODY_MAX, bh_system_allocator());
  while (goes_on && (size = fread(octets, 1, sizeof octets, l->file)) > 0) {
    goes_on = look_at_octets(l, &reader, octets, size);
  }
  if (goes_on && (reader.in_body || reader.frame.offset > 0)) {
    say_fault(l, reader.offset, "the end cuts a message short", "BH-FRAME-011");
  }
  bh_reader_free(&reader);
}

/* ---- one JSON text */

static void lint_json(lint *l) {
  uint8_t octets[CHUNK];
  bh_json json;
  bh_json_status status = BH_JSON_MORE;
  size_t size;

  bh_json_init(&json, BH_DEPTH_MAX, false);
  while (status == BH_JSON_MORE && (size = fread(octets, 1, sizeof octets, l->file)) > 0) {
    size_t consumed = 0;

    status = bh_json_feed(&json, octets, size, &consumed);
  }
  if (status == BH_JSON_MORE) {
    status = bh_json_end(&json);
  }
  if (status == BH_JSON_BROKEN) {
    say_fault(l, json.offset, bh_json_error_string(json.error), "BH-BODY-001");
  }
}

/* ---- the command */

static int lint_file(const lint_options *options, const char *name) {
  bool standard_input = strcmp(name, "-") == 0;
  lint l = {.options = options, .name = name};
  bool failed;

  l.file = standard_input ? stdin : cmd_open_file(name);
  if (l.file == NULL) {
    cmd_failed(&cmd_lint, "%s: it cannot be opened: %s", name, strerror(errno));
    return CMD_USAGE;
  }
  (options->json ? lint_json : lint_messages)(&l);
  failed = ferror(l.file) != 0;
  if (!standard_input) {
    fclose(l.file);
  }
  if (failed) {
    cmd_failed(&cmd_lint, "%s: it cannot be read", l.name);
    return CMD_USAGE;
  }
  return l.faulty ? CMD_FAILED : CMD_OK;
}

static const char *const senders[] = {"client", "hub", NULL};

static const cmd_option lint_option_table[] = {
    {.name = "json",
     .help = "each file is one JSON text (RFC 8259, at most 64 deep), not messages",
     .kind = CMD_FLAG,
     .at = offsetof(lint_options, json)},
    {.name = "from",
     .value = "client|hub",
     .help = "who sent the messages; without it, what either may send is right",
     .kind = CMD_CHOICE,
     .at = offsetof(lint_options, from),
     .choices = senders},
    {0},
};

static int run(int argc, char **argv) {
  lint_options options = {.from = FROM_ANYBODY};
  int worst = CMD_OK;
  int status;
  int operand = cmd_parse(&cmd_lint, argc, argv, &options, &status);

  if (operand == 0) {
    return status;
  }
  for (; operand < argc; operand++) {
    status = lint_file(&options, argv[operand]);
    worst = status > worst ? status : worst;
  }
  return worst;
}

const cmd_command cmd_lint = {
    .name = "lint",
    .summary = "check messages, or a JSON text, against the specification",
    .operands = "FILE...",
    .operands_least = 1,
    .operands_most = INT32_MAX,
    .description =
        "Each file is what one side of a connection sent, from its beginning; '-' is standard input. Each fault\n"
        "is one line: FILE:OFFSET: what is wrong (requirement). The offset counts octets from 0. After a break of\n"
        "the framing nothing can be trusted, and the file is left. Exit status 0: no fault; 1: some; 2: a file\n"
        "cannot be read, or the command line is wrong.\n",
    .example = "  $ printf 'BH1 CLAIM_ACTIVE 1 3\\n{,}' | bridgehub lint -\n"
               "  -:22: not JSON: no JSON text has this octet here (BH-BODY-001)\n",
    .options = lint_option_table,
    .run = run,
};
