/* SPDX-License-Identifier: MIT */
/* The one line that runs a case again. */

#include "internal.h"
#include "result.h"

static char *quoted(const char *text) {
  const struct placeholder whole = {"text", text};
  return fill_in("{text}", &whole, 1);
}

/* Most need no quotes, and are read more easily without. */
static const char *program(const struct options *options) {
  static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789/._+-";
  return options->program[strspn(options->program, plain)] ? quoted(options->program) : options->program;
}

static char *option(const char *name, const char *value) {
  return value ? format(" --%s %s", name, quoted(value)) : "";
}

/* How the case came by what it draws. */
static char *drawn(const struct entry *entry, const struct options *options) {
  uint64_t seed = entry->fuzz_seed ? entry->fuzz_seed : options->seed;
  const char *steps = entry->fuzz_steps ? entry->fuzz_steps : options->fuzz_steps;
  steps = steps || !options->fuzz_seconds ? steps : "all";
  return format("%s%s%s", seed ? format(" --seed %llu", (unsigned long long)seed) : "", steps ? " --fuzz-steps " : "",
                steps ? steps : "");
}

char *command_again(const struct entry *entry, const struct options *options) {
  char *scale =
      options->time_scale > 1 || options->time_scale < 1 ? format(" --time-scale %g", options->time_scale) : "";
  return format("%s%s%s%s%s%s%s%s%s --verbose %s", program(options), option("hub", options->hub),
                option("client", options->client), option("kill", options->kill), option("connect", options->connect),
                option("listen", options->listen), option("vectors", options->given_vectors), scale,
                drawn(entry, options), entry->slug);
}
