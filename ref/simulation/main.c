/* SPDX-License-Identifier: MIT */
#include "simulation.h"

#include <errno.h>
#include <getopt.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

/* Many seeds, side by side in processes of their own, so that one that crashes or hangs is told like one that fails. */

enum { JOBS_MAX = 64, TEXT_SIZE = 1100, SEED_SECONDS_MAX = 60, EXIT_WRONG = 1, EXIT_USAGE = 254 };

typedef struct {
  uint64_t first, seeds;
  uint32_t jobs;
  bool one; /* only `first`, in this process */
  bool trace;
} options;

/* What a job tells while it runs. */
typedef struct {
  uint64_t seed; /* at work on it */
  uint64_t done;
  bool found_wrong;
  char text[TEXT_SIZE];
  tallies tallies;
} job;

static job *this_job; /* NULL: this process has no parent to tell */

static const char usage[] =
    "Usage: bridgehub-simulate [--seeds N] [--first S] [--jobs N]\n"
    "       bridgehub-simulate --seed S [--trace]\n"
    "\n"
    "Runs the hub and its clients on a machine that is made of chance: virtual time, connections that chunk, delay "
    "and\n"
    "break, processes that are killed, stopped and started, a disk that keeps what was renamed. A seed is one such "
    "story;\n"
    "it ends well, or with what was wrong.\n"
    "\n"
    "  --seeds N   how many, from --first on (2000)\n"
    "  --first S   the first of them (1)\n"
    "  --jobs N    how many at a time (one for each processor)\n"
    "  --seed S    this one alone\n"
    "  --trace     ... and tell it, line by line: when, which process (H: it has the hub), what; > is what a process\n"
    "              writes to the hub, < what the hub writes to one\n"
    "\n"
    "Exit status: 0 all is well, 1 something is wrong, 254 usage.\n";

void report_wrong(uint64_t seed, const char *text) {
  if (this_job == NULL) {
    printf("seed %llu: %s\n", (unsigned long long)seed, text);
  } else {
    this_job->found_wrong = true;
    snprintf(this_job->text, sizeof this_job->text, "%s", text);
  }
  fflush(stdout);
  _exit(EXIT_WRONG);
}

/* ---- jobs */

static world *new_world(void) {
  world *w = calloc(1, sizeof *w);

  if (w != NULL) {
    w->inputs = calloc(PROCESSES_MAX, sizeof *w->inputs);
  }
  if (w == NULL || w->inputs == NULL) {
    perror("bridgehub-simulate");
    exit(EXIT_WRONG);
  }
  return w;
}

static void run_job(const options *o, uint32_t number) {
  world *w = new_world();

  for (uint64_t i = number; i < o->seeds; i += o->jobs) {
    this_job->seed = o->first + i;
    alarm(SEED_SECONDS_MAX);
    story(w, this_job->seed, false);
    this_job->done++;
    this_job->tallies = w->tallies;
  }
  free(w->inputs);
  free(w);
}

static pid_t begin_job(const options *o, job *j, uint32_t number) {
  pid_t pid = fork();

  if (pid == 0) {
    this_job = j;
    run_job(o, number);
    exit(0);
  }
  return pid;
}

/* ---- the outcome */

static void say_wrong(const job *j, int status) {
  printf("seed %llu: ", (unsigned long long)j->seed);
  if (j->found_wrong) {
    printf("%s\n", j->text);
  } else if (WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM) {
    printf("not at its end after %d s\n", SEED_SECONDS_MAX);
  } else if (WIFSIGNALED(status)) {
    printf("ended by signal %d, %s\n", WTERMSIG(status), strsignal(WTERMSIG(status)));
  } else {
    printf("ended by exit status %d\n", WEXITSTATUS(status));
  }
  printf("    told line by line by: scons simulate seed=%llu\n", (unsigned long long)j->seed);
}

static void add(tallies *sum, const tallies *more) {
  uint64_t *to = (uint64_t *)sum;
  const uint64_t *from = (const uint64_t *)more;

  for (size_t i = 0; i < sizeof *sum / sizeof *to; i++) {
    to[i] += from[i];
  }
}

static double seconds_now(void) {
  struct timespec time;

  clock_gettime(CLOCK_MONOTONIC, &time);
  return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static void say_all(const job *jobs, uint32_t count, double seconds) {
  tallies t = {0};
  uint64_t done = 0;

  for (uint32_t i = 0; i < count; i++) {
    add(&t, &jobs[i].tallies);
    done += jobs[i].done;
  }
  printf(
      "%llu processes started, %llu killed, %llu stopped, %llu ended; %llu hubs; %llu connections, %llu broken\n"
      "%llu values from Bridge, %llu complete, %llu handed up (%llu again), %llu finished, %llu parked; %llu messages, "
      "%llu steps\n"
      "%llu seeds in %.1f s: %.0f a second\n",
      (unsigned long long)t.starts, (unsigned long long)t.kills, (unsigned long long)t.stops,
      (unsigned long long)t.clean_ends, (unsigned long long)t.takeovers, (unsigned long long)t.connections,
      (unsigned long long)t.breaks, (unsigned long long)t.values, (unsigned long long)t.complete,
      (unsigned long long)t.handed_up, (unsigned long long)t.repeats, (unsigned long long)t.finished,
      (unsigned long long)t.parked, (unsigned long long)t.messages, (unsigned long long)t.steps,
      (unsigned long long)done, seconds, (double)done / seconds);
}

static void end_others(const pid_t *pids, uint32_t count) {
  for (uint32_t i = 0; i < count; i++) {
    if (pids[i] > 0) {
      kill(pids[i], SIGKILL);
      waitpid(pids[i], NULL, 0);
    }
  }
}

/* The number of the job that has ended; -1: none is left. */
static int wait_for_job(pid_t *pids, uint32_t count, int *status) {
  pid_t pid;

  do {
    pid = waitpid(-1, status, 0);
  } while (pid < 0 && errno == EINTR);
  for (uint32_t i = 0; pid > 0 && i < count; i++) {
    if (pids[i] == pid) {
      pids[i] = 0;
      return (int)i;
    }
  }
  return -1;
}

static int run_jobs(const options *o) {
  job *jobs = mmap(NULL, JOBS_MAX * sizeof *jobs, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  pid_t pids[JOBS_MAX] = {0};
  double start = seconds_now();
  int result = 0;
  int status;
  int ended;

  if (jobs == MAP_FAILED) {
    perror("bridgehub-simulate");
    return EXIT_WRONG;
  }
  for (uint32_t i = 0; i < o->jobs; i++) {
    pids[i] = begin_job(o, &jobs[i], i);
  }
  while ((ended = wait_for_job(pids, o->jobs, &status)) >= 0) {
    if (status != 0) {
      say_wrong(&jobs[ended], status);
      end_others(pids, o->jobs);
      result = EXIT_WRONG;
      break;
    }
  }
  say_all(jobs, o->jobs, seconds_now() - start);
  munmap(jobs, JOBS_MAX * sizeof *jobs);
  return result;
}

static int run_one(const options *o) {
  world *w = new_world();

  story(w, o->first, o->trace);
  printf("seed %llu: all is well\n", (unsigned long long)o->first);
  free(w->inputs);
  free(w);
  return 0;
}

/* ---- options */

static bool read_number(const char *text, uint64_t least, uint64_t *number) {
  char *end;

  errno = 0;
  *number = strtoull(text, &end, 10);
  return errno == 0 && end != text && *end == '\0' && text[0] != '-' && *number >= least;
}

static bool read_options(int argc, char **argv, options *o) {
  static const struct option names[] = {{"seeds", required_argument, NULL, 'n'},
                                        {"first", required_argument, NULL, 'f'},
                                        {"jobs", required_argument, NULL, 'j'},
                                        {"seed", required_argument, NULL, 's'},
                                        {"trace", no_argument, NULL, 't'},
                                        {"help", no_argument, NULL, 'h'},
                                        {NULL, 0, NULL, 0}};
  uint64_t jobs = (uint64_t)sysconf(_SC_NPROCESSORS_ONLN);
  bool fine = true;
  int option;

  *o = (options){.first = 1, .seeds = 2000};
  while (fine && (option = getopt_long(argc, argv, "", names, NULL)) != -1) {
    switch (option) {
    case 'n':
      fine = read_number(optarg, 1, &o->seeds);
      break;
    case 'f':
      fine = read_number(optarg, 0, &o->first);
      break;
    case 'j':
      fine = read_number(optarg, 1, &jobs);
      break;
    case 's':
      o->one = true;
      fine = read_number(optarg, 0, &o->first);
      break;
    case 't':
      o->trace = true;
      break;
    case 'h':
      fputs(usage, stdout);
      exit(0);
    default:
      fine = false;
      break;
    }
  }
  o->jobs = (uint32_t)(jobs < JOBS_MAX ? jobs : JOBS_MAX);
  return fine && optind == argc && (o->one || !o->trace);
}

int main(int argc, char **argv) {
  options o;

  if (!read_options(argc, argv, &o)) {
    fputs(usage, stderr);
    return EXIT_USAGE;
  }
  /* A hub is large, and stories are short: its memory is used again, and not fetched from the system each time. */
  mallopt(M_MMAP_THRESHOLD, 64 << 20);
  mallopt(M_TRIM_THRESHOLD, 256 << 20);
  return o.one ? run_one(&o) : run_jobs(&o);
}
