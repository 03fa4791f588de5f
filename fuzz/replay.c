/* SPDX-License-Identifier: MIT */
/* Runs a target on files, without a fuzzer: the corpus in the tests, and a finding by hand. */

#include "target.h"

#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int failed;
static const char *last = "";

/* A crash is this input's. */
static void tell_last(int number) {
  static const char text[] = "the input is ";
  (void)!write(STDERR_FILENO, text, sizeof text - 1);
  (void)!write(STDERR_FILENO, last, strlen(last));
  (void)!write(STDERR_FILENO, "\n", 1);
  signal(number, SIG_DFL);
  raise(number);
}

static void run_file(const char *path) {
  FILE *file = fopen(path, "rb");
  struct stat status;

  if (!file || fstat(fileno(file), &status) != 0) {
    fprintf(stderr, "%s: %s\n", path, strerror(errno));
    failed = 1;
    if (file) {
      fclose(file);
    }
    return;
  }
  /* Exactly as large as the input, so that a sanitizer sees the octet behind it. */
  size_t size = (size_t)status.st_size;
  uint8_t *octets = malloc(size ? size : 1);
  if (!octets || fread(octets, 1, size, file) != size) {
    fprintf(stderr, "%s: it cannot be read\n", path);
    failed = 1;
  } else {
    last = path;
    LLVMFuzzerTestOneInput(octets, size);
  }
  free(octets);
  fclose(file);
}

static size_t run_directory(const char *path) {
  struct dirent **names;
  int count = scandir(path, &names, NULL, alphasort);
  size_t ran = 0;

  for (int i = 0; i < count; i++) {
    char name[4096];
    snprintf(name, sizeof name, "%s/%s", path, names[i]->d_name);
    if (names[i]->d_name[0] != '.') {
      run_file(name);
      ran++;
    }
    free(names[i]);
  }
  if (count >= 0) {
    free(names);
  }
  return ran;
}

static size_t run(const char *path) {
  struct stat status;

  if (stat(path, &status) == 0 && S_ISDIR(status.st_mode)) {
    return run_directory(path);
  }
  run_file(path);
  return 1;
}

int main(int argc, char **argv) {
  size_t ran = 0;

  fuzz_every_cut = 1;
  signal(SIGABRT, tell_last);
  signal(SIGSEGV, tell_last);
  for (int i = 1; i < argc; i++) {
    if (strcmp(argv[i], "-v") == 0) {
      fuzz_tells = 1;
    } else {
      ran += run(argv[i]);
    }
  }
  if (ran == 0) {
    fprintf(stderr,
            "usage: %s [-v] FILE|DIRECTORY...\n"
            "Runs the fuzz target on each file, cut at every place; -v tells what happens in it.\n",
            argv[0]);
    return 2;
  }
  printf("%zu inputs\n", ran);
  return failed;
}
