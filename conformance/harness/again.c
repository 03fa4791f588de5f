/* SPDX-License-Identifier: MIT */
/* The one line that runs a case again. */

#include "internal.h"
#include "result.h"

static char *quoted(const char *text) {
  const struct placeholder whole = {"text", text};
  return fill_in("{text}", &whole, 1);
}

static char *option(const char *name, const char *value) {
  return value ? format(" --%s %s", name, quoted(value)) : "";
}

char *command_again(const char *slug, const struct options *options) {
  char *scale =
      options->time_scale > 1 || options->time_scale < 1 ? format(" --time-scale %g", options->time_scale) : "";
  char *seed = options->seed ? format(" --seed %llu", (unsigned long long)options->seed) : "";
  return format("%s%s%s%s%s%s%s%s%s --verbose %s", options->program, option("hub", options->hub),
                option("client", options->client), option("kill", options->kill), option("connect", options->connect),
                option("listen", options->listen), option("vectors", options->given_vectors), scale, seed, slug);
}
