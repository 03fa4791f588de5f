/* SPDX-License-Identifier: MIT */
/* bridgehub-conformance: the options. */

#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <uv.h>

#include "bridgehub.h"
#include "runner.h"

static const char help[] =
    "Usage: bridgehub-conformance --hub 'COMMAND' [OPTION]... [GLOB]...\n"
    "\n"
    "Tests a hub by the Bridge Hub protocol. Each case starts COMMAND anew, by /bin/sh, with these filled in and\n"
    "quoted:\n"
    "  {endpoint} {port} {state} {spool}   what the hub shall own\n"
    "  {group}                             the group's name; empty for the default group\n"
    "  {heartbeat_ms} {timeout_ms}         the timings\n"
    "  {need}                              the features that the case is about: spool,groups,takeover,also-port\n"
    "The hub is ready when its endpoint takes a connection. It ends with exit status 89 before that where it does not\n"
    "implement what {need} names. SIGTERM ends it.\n"
    "\n"
    "Options:\n"
    "  --hub COMMAND     starts the hub under test\n"
    "  --case GLOB       runs these cases alone, as GLOB does; can be given several times\n"
    "  --list            prints each case, its level and its requirements, and runs none\n"
    "  --jobs N          keeps N processors busy (all of them): runs 2 N cases at a time, because they\n"
    "                    spend most of it waiting\n"
    "  --time-scale X    multiplies all timings and deadlines, for slow hosts and hubs (1)\n"
    "  --kill COMMAND    sends signals: {signal} and {pid} are filled in (kill of the hub's process group)\n"
    "  --vectors DIR     the test vectors; payloads/ lies beside them (those that came with the program)\n"
    "  --tap FILE        writes a TAP report; - is standard output\n"
    "  --xml FILE        writes a JUnit report\n"
    "  --json FILE       writes a JSON report\n"
    "  --keep            leaves records and the hubs' directories where they are, and says where\n"
    "  --verbose         shows the transcripts of all cases, and whole\n"
    "  --help            this text\n"
    "  --version         the version\n"
    "\n"
    "Exit status: 0 conformant; 1 not; 2 not to be told (this host is too slow, or nothing was tested); 254 wrong "
    "usage, or no case selected;\n"
    "255 the suite itself broke.\n"
    "\n"
    "Examples:\n"
    "  bridgehub-conformance --hub 'bridgehub serve --endpoint {endpoint} --port {port} --state {state} \\\n"
    "      --spool {spool} --heartbeat-ms {heartbeat_ms} --timeout-ms {timeout_ms}'\n"
    "  bridgehub-conformance --hub 'python3 my_hub.py {endpoint} {port} {state} {spool}' 'frame/*' 'active/*'\n"
    "  bridgehub-conformance --list 'registration/*'\n";

enum {
  OPT_HUB = 256,
  OPT_CASE,
  OPT_LIST,
  OPT_JOBS,
  OPT_SCALE,
  OPT_KILL,
  OPT_VECTORS,
  OPT_TAP,
  OPT_XML,
  OPT_JSON,
  OPT_KEEP,
  OPT_VERBOSE,
  OPT_HELP,
  OPT_VERSION
};

static const struct option known[] = {
    {"hub", required_argument, NULL, OPT_HUB},
    {"case", required_argument, NULL, OPT_CASE},
    {"list", no_argument, NULL, OPT_LIST},
    {"jobs", required_argument, NULL, OPT_JOBS},
    {"time-scale", required_argument, NULL, OPT_SCALE},
    {"kill", required_argument, NULL, OPT_KILL},
    {"vectors", required_argument, NULL, OPT_VECTORS},
    {"tap", required_argument, NULL, OPT_TAP},
    {"xml", required_argument, NULL, OPT_XML},
    {"json", required_argument, NULL, OPT_JSON},
    {"keep", no_argument, NULL, OPT_KEEP},
    {"verbose", no_argument, NULL, OPT_VERBOSE},
    {"help", no_argument, NULL, OPT_HELP},
    {"version", no_argument, NULL, OPT_VERSION},
    {NULL, 0, NULL, 0},
};

_Noreturn static void usage(const char *wrong) {
  fprintf(stderr, "bridgehub-conformance: %s\nTry 'bridgehub-conformance --help'.\n", wrong);
  exit(EXIT_USAGE);
}

static double read_scale(const char *text) {
  char *end;
  double scale = strtod(text, &end);
  if (*end || end == text || !(scale >= 0.1 && scale <= 1000)) {
    usage("--time-scale takes a number from 0.1 to 1000");
  }
  return scale;
}

static size_t read_jobs(const char *text) {
  char *end;
  unsigned long jobs = strtoul(text, &end, 10);
  if (*end || end == text || *text == '-' || jobs < 1 || jobs > 256) {
    usage("--jobs takes a number from 1 to 256");
  }
  return jobs;
}

static void take_option(int option, struct options *options) {
  switch (option) {
  case OPT_HUB:
    options->hub = optarg;
    break;
  case OPT_CASE:
    options->globs[options->glob_count++] = optarg;
    break;
  case OPT_LIST:
    options->list = true;
    break;
  case OPT_JOBS:
    options->jobs = read_jobs(optarg);
    break;
  case OPT_SCALE:
    options->time_scale = read_scale(optarg);
    break;
  case OPT_KILL:
    options->kill = optarg;
    break;
  case OPT_VECTORS:
    options->vectors = optarg;
    break;
  case OPT_TAP:
    options->tap = optarg;
    break;
  case OPT_XML:
    options->xml = optarg;
    break;
  case OPT_JSON:
    options->json = optarg;
    break;
  case OPT_KEEP:
    options->keep = true;
    break;
  case OPT_VERBOSE:
    options->verbose = true;
    break;
  case OPT_HELP:
    fputs(help, stdout);
    exit(EXIT_CONFORMANT);
  case OPT_VERSION:
    printf("bridgehub-conformance %s, protocol %d\n", BH_VERSION, BH_PROTOCOL);
    exit(EXIT_CONFORMANT);
  default: /* getopt_long has said what is wrong */
    fputs("Try 'bridgehub-conformance --help'.\n", stderr);
    exit(EXIT_USAGE);
  }
}

static void read_options(int argc, char **argv, struct options *options) {
  options->time_scale = 1;
  options->jobs = uv_available_parallelism();
  options->globs = calloc((size_t)argc, sizeof *options->globs);
  if (!options->globs) {
    exit(EXIT_BROKEN);
  }
  for (int option; (option = getopt_long(argc, argv, "", known, NULL)) != -1;) {
    take_option(option, options);
  }
  while (optind < argc) {
    options->globs[options->glob_count++] = argv[optind++];
  }
  if (!options->hub && !options->list) {
    usage("--hub says how the hub under test is started");
  }
}

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

static int run(const struct options *options, struct criterion_test_set *all) {
  struct catalogue catalogue;
  int status = EXIT_BROKEN;
  if (catalogue_make(all, options, &catalogue)) {
    if (catalogue.count == 0) {
      fputs("bridgehub-conformance: no case fits; --list shows them all\n", stderr);
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

int main(int argc, char **argv) {
  struct options options = {0};
  char vectors[512];
  read_options(argc, argv, &options);
  if (!options.vectors) {
    options.vectors = find_vectors(vectors, sizeof vectors);
  }
  if (!options.list && access(options.vectors, R_OK | X_OK) != 0) {
    usage("the test vectors are not where they should be: --vectors DIR names their directory");
  }
  struct criterion_test_set *all = criterion_initialize();
  int status = run(&options, all);
  criterion_finalize(all);
  free(options.globs);
  return status;
}
