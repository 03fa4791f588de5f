/* SPDX-License-Identifier: MIT */
/* bridgehub-conformance: from the command line to the exit status. */

#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>
#include <uv.h>

#include "bridgehub.h"
#include "known.h"
#include "runner.h"

/* As the build tree has them, and as `scons install` puts them. */
static const char *find_vectors(char *path, size_t size) {
  static const char *const places[] = {"../../spec/vectors", "../share/bridgehub/spec/vectors"};
  char program[256];
  size_t length = sizeof program;
  if (getenv("BH_VECTORS")) {
    return getenv("BH_VECTORS");
  }
  if (uv_exepath(program, &length) != 0) {
    return "spec/vectors";
  }
  *strrchr(program, '/') = '\0';
  for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
    snprintf(path, size, "%s/%s", program, places[i]);
    if (access(path, R_OK) == 0) {
      return path;
    }
  }
  return "spec/vectors";
}

static int run(struct options *options, struct criterion_test_set *all) {
  struct catalogue catalogue;
  int status = EXIT_BROKEN;
  if (catalogue_make(all, options, &catalogue)) {
    if (catalogue.count == 0) {
      fputs("bridgehub-conformance: no case fits; --list shows them all, and --list --fuzz 1 those for --fuzz\n",
            stderr);
      status = EXIT_USAGE;
    } else if (options->list) {
      catalogue_list(&catalogue);
      status = EXIT_CONFORMANT;
    } else {
      status = run_cases(&catalogue, options);
    }
  }
  catalogue_free(&catalogue);
  return status;
}

/* What is under test gets by with as many descriptors as most systems give, so that one that leaks them runs out. */
static void limit_descriptors(void) {
  enum { USUAL = 1024 };
  struct rlimit limit;
  if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur > USUAL) {
    limit.rlim_cur = USUAL;
    setrlimit(RLIMIT_NOFILE, &limit);
  }
}

int main(int argc, char **argv) {
  struct options options = {0};
  char vectors[512];
  argv = uv_setup_args(argc, argv); /* for the title of the guard */
  limit_descriptors();
  options_read(argc, argv, &options);
  options.given_vectors = options.vectors;
  if (!options.vectors) {
    options.vectors = find_vectors(vectors, sizeof vectors);
  }
  if (!options.list && access(options.vectors, R_OK | X_OK) != 0) {
    usage("the test vectors are not where they should be: --vectors DIR names their directory");
  }
  struct criterion_test_set *all = criterion_initialize();
  int status = EXIT_USAGE;
  if (!options.known_failures || (options.known = known_read(options.known_failures))) {
    status = run(&options, all);
  }
  known_free(options.known);
  criterion_finalize(all);
  free(options.globs);
  return status;
}
