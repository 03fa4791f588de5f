/* SPDX-License-Identifier: MIT */
/* bridgehub-conformance: the command line. */

#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#include "bridgehub.h"
#include "runner.h"
#include "step_list.h"

static const char help[] =
    "Usage: bridgehub-conformance --hub 'COMMAND' [OPTION]... [GLOB]...\n"
    "       bridgehub-conformance --client 'COMMAND' [OPTION]... [GLOB]...\n"
    "\n"
    "Tests a hub by the Bridge Hub protocol, or a client, or both. Each case starts COMMAND anew, by /bin/sh, with "
    "these\n"
    "filled in and quoted:\n"
    "  {endpoint} {port} {state} {spool}   what the hub shall own\n"
    "  {also_port}                         a further port, which only brings imports: for who has such\n"
    "  {group}                             the group's name; empty for the default group\n"
    "  {heartbeat_ms} {timeout_ms}         the timings\n"
    "  {need}                              the features that the case is about: spool,state,groups,takeover,\n"
    "                                      also-port,resume,limits,resets,stops,at-once; window (of a client)\n"
    "The hub is ready when its endpoint takes a connection. It ends with exit status 89 before that where it does not\n"
    "implement what {need} names. SIGTERM ends it.\n"
    "A client is given the same, and {name}; the suite is its hub. It writes an event a line to standard output, as\n"
    "JSON, and takes a command a line from standard input: claim, claim ID, release, ack IMPORT, refuse IMPORT, quit.\n"
    "\n"
    "Options:\n"
    "  --hub COMMAND     starts the hub under test\n"
    "  --client COMMAND  starts the client under test\n"
    "  --case GLOB       runs these cases alone, as GLOB does; can be given several times\n"
    "  --list            prints each case, its level and its requirements, and runs none\n"
    "  --known-failures FILE\n"
    "                    failures that are known: a line is a GLOB, and behind a # what the failure has to say; the "
    "run\n"
    "                    fails where one of them passes now, or fits no case\n"
    "  --strict          a case of a SHOULD that is not met (NON_STRICT) fails the run too\n"
    "  --repeat N        runs everything N times, and tells which verdicts varied\n"
    "  --seed N          shuffles the order of the cases, and fixes what some of them draw at random (the order of\n"
    "                    the specification, and always the same draws); the n-th of repeated runs has N + n - 1\n"
    "  --fuzz SECONDS    runs the cases fuzz/* alone, for so long, each run with the next seed: octets and "
    "connections, "
    "right\n"
    "                    and wrong, while a client beside them must get what is its own; a run that fails is made as "
    "short as\n"
    "                    it can be, and --seed and --fuzz-steps run it again; without --seed the first seed is a new "
    "one\n"
    "  --fuzz-steps LIST runs the cases fuzz/* once, by the --seed given: all of their steps (all), or these alone "
    "(3,8-9)\n"
    "  --jobs N          keeps N processors busy (all of them): runs 3 N cases at a time, because they\n"
    "                    spend most of it waiting\n"
    "  --time-scale X    multiplies all timings and deadlines, for slow hosts and hubs (1, or more where a "
    "measurement\n"
    "                    at the start finds this host slow)\n"
    "  --kill COMMAND    sends signals: {signal} and {pid} are filled in (kill of the process group)\n"
    "  --connect COMMAND connects to {endpoint}, which the suite cannot open itself: standard input and output are "
    "the\n"
    "                    connection, and a line with the word connected comes on standard error\n"
    "  --listen COMMAND  for a client under test, listens at {endpoint}, and connects who comes to port {relay} of\n"
    "                    127.0.0.1; a line with the word listening comes on standard error\n"
    "  --vectors DIR     the test vectors; payloads/ lies beside them (those that came with the program)\n"
    "  --tap FILE        writes a TAP report; - is standard output\n"
    "  --xml FILE        writes a JUnit report\n"
    "  --json FILE       writes a JSON report\n"
    "  --html FILE       writes a page with the messages of each case drawn; all reports are whole after each case\n"
    "  --keep            leaves records and private directories where they are, and says where\n"
    "  --quiet           tells failures and the summary alone\n"
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
    "  bridgehub-conformance --client 'bridgehub client --endpoint {endpoint} --port {port} --name {name} \\\n"
    "      --timeout-ms {timeout_ms} --window 4'\n"
    "  bridgehub-conformance --fuzz 60 --hub 'my_hub {endpoint} {port} {state} {spool} {heartbeat_ms} {timeout_ms}'\n"
    "  bridgehub-conformance --list 'registration/*'\n";

enum {
  OPT_HUB = 256,
  OPT_CLIENT,
  OPT_CASE,
  OPT_LIST,
  OPT_KNOWN,
  OPT_STRICT,
  OPT_REPEAT,
  OPT_SEED,
  OPT_FUZZ,
  OPT_FUZZ_STEPS,
  OPT_JOBS,
  OPT_SCALE,
  OPT_KILL,
  OPT_CONNECT,
  OPT_LISTEN,
  OPT_VECTORS,
  OPT_TAP,
  OPT_XML,
  OPT_JSON,
  OPT_HTML,
  OPT_KEEP,
  OPT_QUIET,
  OPT_VERBOSE,
  OPT_HELP,
  OPT_VERSION
};

static const struct option known[] = {
    {"hub", required_argument, NULL, OPT_HUB},
    {"client", required_argument, NULL, OPT_CLIENT},
    {"case", required_argument, NULL, OPT_CASE},
    {"list", no_argument, NULL, OPT_LIST},
    {"known-failures", required_argument, NULL, OPT_KNOWN},
    {"strict", no_argument, NULL, OPT_STRICT},
    {"repeat", required_argument, NULL, OPT_REPEAT},
    {"seed", required_argument, NULL, OPT_SEED},
    {"fuzz", required_argument, NULL, OPT_FUZZ},
    {"fuzz-steps", required_argument, NULL, OPT_FUZZ_STEPS},
    {"jobs", required_argument, NULL, OPT_JOBS},
    {"time-scale", required_argument, NULL, OPT_SCALE},
    {"kill", required_argument, NULL, OPT_KILL},
    {"connect", required_argument, NULL, OPT_CONNECT},
    {"listen", required_argument, NULL, OPT_LISTEN},
    {"vectors", required_argument, NULL, OPT_VECTORS},
    {"tap", required_argument, NULL, OPT_TAP},
    {"xml", required_argument, NULL, OPT_XML},
    {"json", required_argument, NULL, OPT_JSON},
    {"html", required_argument, NULL, OPT_HTML},
    {"keep", no_argument, NULL, OPT_KEEP},
    {"quiet", no_argument, NULL, OPT_QUIET},
    {"verbose", no_argument, NULL, OPT_VERBOSE},
    {"help", no_argument, NULL, OPT_HELP},
    {"version", no_argument, NULL, OPT_VERSION},
    {NULL, 0, NULL, 0},
};

_Noreturn void usage(const char *wrong) {
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

static uint64_t read_number(const char *text, uint64_t least, uint64_t most, const char *wrong) {
  char *end;
  errno = 0;
  unsigned long long number = strtoull(text, &end, 10);
  if (*end || *text < '0' || *text > '9' || errno || number < least || number > most) {
    usage(wrong);
  }
  return number;
}

static void take_option(int option, struct options *options) {
  switch (option) {
  case OPT_HUB:
    options->hub = optarg;
    break;
  case OPT_CLIENT:
    options->client = optarg;
    break;
  case OPT_CASE:
    options->globs[options->glob_count++] = optarg;
    break;
  case OPT_LIST:
    options->list = true;
    break;
  case OPT_KNOWN:
    options->known_failures = optarg;
    break;
  case OPT_STRICT:
    options->strict = true;
    break;
  case OPT_REPEAT:
    options->repeat = read_number(optarg, 1, 1000000, "--repeat takes a number from 1 to 1000000");
    break;
  case OPT_SEED:
    options->seed = read_number(optarg, 1, UINT32_MAX, "--seed takes a number from 1 to 4294967295");
    break;
  case OPT_FUZZ:
    options->fuzz_seconds = read_number(optarg, 1, 31536000, "--fuzz takes a number of seconds from 1 to 31536000");
    break;
  case OPT_FUZZ_STEPS:
    options->fuzz_steps = optarg;
    break;
  case OPT_JOBS:
    options->jobs = read_number(optarg, 1, 256, "--jobs takes a number from 1 to 256");
    break;
  case OPT_SCALE:
    options->time_scale = read_scale(optarg);
    break;
  case OPT_KILL:
    options->kill = optarg;
    break;
  case OPT_CONNECT:
    options->connect = optarg;
    break;
  case OPT_LISTEN:
    options->listen = optarg;
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
  case OPT_HTML:
    options->html = optarg;
    break;
  case OPT_KEEP:
    options->keep = true;
    break;
  case OPT_QUIET:
    options->quiet = true;
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

static void check_reports(const struct options *options) {
  const char *const paths[] = {options->tap, options->xml, options->json, options->html};
  for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
    for (size_t j = 0; paths[i] && j < i; j++) {
      if (paths[j] && strcmp(paths[i], paths[j]) == 0) {
        usage(strcmp(paths[i], "-") == 0 ? "only one report can be written to standard output"
                                         : "each of --tap, --xml, --json and --html needs a file of its own");
      }
    }
  }
}

/* Each run of --fuzz is a new one, unless it is told which it is to be: a seed that is always the same finds nothing
 * new. */
static void draw_seed(struct options *options) {
  uint32_t seed = 1;
  uv_random(NULL, NULL, &seed, sizeof seed, 0, NULL);
  options->seed = 1 + seed / 2;
}

static void check_fuzzing(struct options *options) {
  if (!options->fuzz_seconds && !options->fuzz_steps) {
    return;
  }
  if (options->client || (!options->hub && !options->list)) {
    usage("--fuzz is about hubs: --hub says how the hub under test is started, and no --client is");
  }
  if (options->fuzz_seconds && options->fuzz_steps) {
    usage("--fuzz-steps runs one run again, and --fuzz many new ones: they do not go together");
  }
  if (options->fuzz_seconds && options->repeat > 1) {
    usage("--fuzz repeats by itself: it does not go with --repeat");
  }
  if (options->fuzz_steps && !step_list_read(options->fuzz_steps).valid) {
    usage("--fuzz-steps takes numbers and ranges of them, as in 3,8-9, or all");
  }
  if (options->fuzz_steps && !options->seed) {
    usage("--fuzz-steps runs the run of a --seed: which?");
  }
  if (!options->seed) {
    draw_seed(options);
  }
}

void options_read(int argc, char **argv, struct options *options) {
  options->program = argv[0];
  options->repeat = 1;
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
  if (!options->hub && !options->client && !options->list) {
    usage("--hub says how the hub under test is started, and --client how the client is");
  }
  check_reports(options);
  check_fuzzing(options);
}
