/* SPDX-License-Identifier: MIT */
/* One line on a terminal that says how far the run is. Where nobody looks, in a CI or a file, there is none. */

#include <stdlib.h>
#include <unistd.h>

#include "internal.h"
#include "runner.h"

static struct {
  bool shown;
  uint64_t began;
} progress;

void progress_begin(const struct options *options) {
  const char *terminal = environment("TERM");
  progress.shown = !options->quiet && isatty(STDERR_FILENO) && !*environment("CI") && *terminal;
  progress.began = now_ms();
}

void progress_show(size_t over, size_t cases, size_t faults, const char *slug) {
  if (progress.shown) {
    fprintf(stderr, "\r\033[K%zu of %zu, %zu failed, %.0f s  %.50s", over, cases, faults,
            (double)(now_ms() - progress.began) / 1000, slug);
    fflush(stderr);
  }
}

void progress_fuzz(uint64_t runs, uint64_t seconds, uint64_t of) {
  if (progress.shown) {
    fprintf(stderr, "\r\033[K%llu run%s, %llu of %llu s", (unsigned long long)runs, runs == 1 ? "" : "s",
            (unsigned long long)seconds, (unsigned long long)of);
    fflush(stderr);
  }
}

void progress_clear(void) {
  if (progress.shown) {
    fputs("\r\033[K", stderr);
    fflush(stderr);
  }
}
