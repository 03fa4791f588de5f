/* SPDX-License-Identifier: MIT */
#include "cmd.h"

#include "escape.h"
#include "json_write.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

/* Imports that were given up: what they are, and what becomes of them. */

typedef struct {
  const char *group;
  const char *spool;
  bool json;
  bool all;
} parked_options;

typedef int (*decision)(const char *spool, const char *import, char *why, size_t why_size);

enum { REASON_ESCAPED_MAX = 6 * BH_REASON_OCTETS_MAX + 1, TIME_MAX = 32 };

/* ---- list */

static void write_json(const bh_parked *items, size_t count) {
  bh_buffer out;
  char reason[REASON_ESCAPED_MAX];

  bh_buffer_init(&out, bh_system_allocator());
  bh_write_text(&out, "[");
  for (size_t i = 0; i < count; i++) {
    const bh_parked *item = &items[i];

    bh_write_text(&out, i == 0 ? "{\"import\":" : ",{\"import\":");
    bh_write_string(&out, item->import.import, strlen(item->import.import));
    bh_write_text(&out, ",\"parked_at\":");
    bh_write_integer(&out, item->parked_at);
    bh_write_text(&out, ",\"attempts\":");
    bh_write_integer(&out, item->import.attempt);
    bh_write_text(&out, ",\"deaths\":");
    bh_write_integer(&out, item->import.deaths);
    bh_write_text(&out, ",\"size\":");
    bh_write_integer(&out, item->size);
    bh_write_text(&out, ",\"assets\":");
    bh_write_integer(&out, item->assets);
    bh_write_text(&out, ",\"reason\":");
    bh_write_string_or_null(&out, bh_escape(item->reason, reason, sizeof reason));
    bh_write_text(&out, "}");
  }
  bh_write_text(&out, "]\n");
  fwrite(out.octets, 1, out.size, stdout);
  bh_buffer_free(&out);
}

static const char *time_of(uint64_t seconds, char text[TIME_MAX]) {
  time_t moment = (time_t)seconds;
  struct tm parts;

  if (localtime_r(&moment, &parts) == NULL || strftime(text, TIME_MAX, "%Y-%m-%d %H:%M:%S", &parts) == 0) {
    snprintf(text, TIME_MAX, "?");
  }
  return text;
}

static void write_table(const bh_parked *items, size_t count) {
  char reason[REASON_ESCAPED_MAX];
  char moment[TIME_MAX];

  if (count == 0) {
    printf("Nothing is parked.\n");
  }
  for (size_t i = 0; i < count; i++) {
    const bh_parked *item = &items[i];

    printf("%s  parked %s, %lu attempts, %lu deaths, %lu assets in %llu octets\n", item->import.import,
           time_of(item->parked_at, moment), (unsigned long)item->import.attempt, (unsigned long)item->import.deaths,
           (unsigned long)item->assets, (unsigned long long)item->size);
    printf("  %s\n",
           item->reason[0] == '\0' ? "no reason was written" : bh_escape(item->reason, reason, sizeof reason));
  }
}

static int list(const parked_options *options, const char *spool) {
  char why[BH_WHY_MAX];
  bh_parked *items;
  size_t count;

  if (bh_parked_list(spool, &items, &count, why, sizeof why) != BH_OK) {
    return cmd_failed(&cmd_parked, "%s", why);
  }
  if (options->json) {
    write_json(items, count);
  } else {
    write_table(items, count);
  }
  bh_parked_free(items);
  return CMD_OK;
}

/* ---- retry, drop */

/* One that is wrong keeps none of the others from it. */
static int decide_one(decision decide, const char *spool, const char *import, const char *done) {
  char why[BH_WHY_MAX];
  char escaped[BH_WHY_MAX];

  if (decide(spool, import, why, sizeof why) != BH_OK) {
    return cmd_failed(&cmd_parked, "%s", bh_escape(why, escaped, sizeof escaped));
  }
  printf("%s %s\n", import, done);
  return CMD_OK;
}

static int decide_on_all(decision decide, const char *spool, const char *done) {
  char why[BH_WHY_MAX];
  bh_parked *items;
  size_t count;
  int status = CMD_OK;

  if (bh_parked_list(spool, &items, &count, why, sizeof why) != BH_OK) {
    return cmd_failed(&cmd_parked, "%s", why);
  }
  for (size_t i = 0; i < count; i++) {
    status |= decide_one(decide, spool, items[i].import.import, done);
  }
  if (count == 0) {
    printf("Nothing is parked.\n");
  }
  bh_parked_free(items);
  return status;
}

static int decide_on(decision decide, const parked_options *options, const char *spool, char **imports, int count,
                     const char *done) {
  int status = CMD_OK;

  if (options->all) {
    return decide_on_all(decide, spool, done);
  }
  for (int i = 0; i < count; i++) {
    status |= decide_one(decide, spool, imports[i], done);
  }
  return status;
}

/* ---- the command */

static int find_spool(const parked_options *options, bh_paths *paths) {
  bh_why why = {""};
  int error;

  if (!bh_group_is_valid(options->group)) {
    return cmd_usage(&cmd_parked, "--group takes 1-%d of A-Z, a-z, 0-9 and '-', and '%s' is none of that", BH_GROUP_MAX,
                     options->group);
  }
  if (options->spool != NULL && options->spool[0] == '\0') {
    return cmd_usage(&cmd_parked, "--spool needs a path");
  }
  if (options->spool != NULL && bh_path_join(paths->spool, options->spool, "", "") != 0) {
    return cmd_usage(&cmd_parked, "the path of --spool is too long");
  }
  /* The group's own may not be there yet; one that is named is meant. */
  error = options->spool == NULL ? 0 : bh_directory_access(options->spool, false);
  if (error != 0) {
    return cmd_failed(&cmd_parked, "the spool %s cannot be read: %s", options->spool, uv_strerror(error));
  }
  return options->spool != NULL || bh_paths_complete(paths, options->group, &why) == 0
             ? CMD_OK
             : cmd_failed(&cmd_parked, "%s", why.text);
}

static int check(const parked_options *options, const char *action, int imports) {
  bool lists = strcmp(action, "list") == 0;

  if (!lists && strcmp(action, "retry") != 0 && strcmp(action, "drop") != 0) {
    return cmd_usage(&cmd_parked, "'%s' is none of list, retry and drop", action);
  }
  if (lists && (options->all || imports > 0)) {
    return cmd_usage(&cmd_parked, "list takes neither an import nor --all");
  }
  if (!lists && options->json) {
    return cmd_usage(&cmd_parked, "--json is for list");
  }
  if (!lists && options->all == (imports > 0)) {
    return cmd_usage(&cmd_parked, "%s takes either imports, which 'bridgehub parked list' shows, or --all", action);
  }
  return CMD_OK;
}

static int act(const parked_options *options, const char *spool, const char *action, char **imports, int count) {
  if (strcmp(action, "list") == 0) {
    return list(options, spool);
  }
  if (strcmp(action, "drop") == 0) {
    return decide_on(bh_parked_drop, options, spool, imports, count, "is dropped.");
  }
  return decide_on(bh_parked_retry, options, spool, imports, count,
                   bh_parked_hub_runs(spool) ? "is tried again at the hub's next heartbeat."
                                             : "is tried again by the next hub: none is running now.");
}

static const cmd_option parked_option_table[] = {
    CMD_OPTION_GROUP(parked_options),
    {.name = "spool",
     .value = "DIRECTORY",
     .help = "the spool; the default is the group's",
     .kind = CMD_TEXT,
     .at = offsetof(parked_options, spool)},
    {.name = "json",
     .help = "list: one JSON array, for programs",
     .kind = CMD_FLAG,
     .at = offsetof(parked_options, json)},
    {.name = "all",
     .help = "retry, drop: everything that is parked",
     .kind = CMD_FLAG,
     .at = offsetof(parked_options, all)},
    {0},
};

static int run(int argc, char **argv) {
  parked_options options = {.group = ""};
  bh_paths paths = {.endpoint = "-", .state = "-"}; /* which are of no interest here, and not looked for */
  int status;
  int first = cmd_parse(&cmd_parked, argc, argv, &options, &status);

  if (first == 0) {
    return status;
  }
  status = check(&options, argv[first], argc - first - 1);
  if (status == CMD_OK) {
    status = find_spool(&options, &paths);
  }
  return status == CMD_OK ? act(&options, paths.spool, argv[first], argv + first + 1, argc - first - 1) : status;
}

const cmd_command cmd_parked = {
    .name = "parked",
    .summary = "list, retry or drop imports that were given up",
    .operands = "list|retry|drop [IMPORT]...",
    .operands_least = 1,
    .operands_most = 65536,
    .description =
        "An import that three holders died of, or that one refused, is parked: it may be what kills them. It\n"
        "waits until somebody has it tried again, or drops it for good. No hub need be running.\n",
    .example = "  $ bridgehub parked list\n"
               "  8f2c1e0d4b6a9753-4  parked 2026-01-01 12:00:00, 3 attempts, 3 deaths, 2 assets in 4711 octets\n"
               "    3 holders were lost with it, the last of them 3f0c2a11-2\n"
               "  $ bridgehub parked retry 8f2c1e0d4b6a9753-4\n"
               "  8f2c1e0d4b6a9753-4 is tried again at the hub's next heartbeat.\n",
    .options = parked_option_table,
    .run = run,
};
