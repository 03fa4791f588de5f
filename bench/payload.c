/* SPDX-License-Identifier: MIT */
#include "payload.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FILE_MAX = 1 << 20, PATH_SIZE = 4096 };

bool payload_read(payload *p, const char *directory, const char *name) {
  char path[PATH_SIZE];
  FILE *file;

  *p = (payload){.octets = malloc(FILE_MAX)};
  snprintf(path, sizeof path, "%s/%s", directory, name);
  file = fopen(path, "rb");
  if (file != NULL && p->octets != NULL) {
    p->size = fread(p->octets, 1, FILE_MAX, file);
  }
  if (p->size == 0) {
    fprintf(stderr, "bench: %s cannot be read: %s\n", path, strerror(errno));
  }
  if (file != NULL) {
    fclose(file);
  }
  return p->size > 0;
}

/* What stands between the brackets of `one`, again and again. */
static bool repeat(payload *p, const payload *one, size_t copies) {
  size_t begin = 0;
  size_t end = one->size;

  while (begin < end && one->octets[begin] != '[') {
    begin++;
  }
  while (end > begin && one->octets[end - 1] != ']') {
    end--;
  }
  if (end - begin <= 2) {
    fprintf(stderr, "bench: the payload is no array of assets\n");
    return false;
  }
  begin++;
  end--;
  p->octets = malloc(copies * (end - begin + 1) + 1);
  if (p->octets == NULL) {
    fprintf(stderr, "bench: no memory\n");
    return false;
  }
  for (size_t i = 0; i < copies; i++) {
    p->octets[p->size++] = i == 0 ? '[' : ',';
    memcpy(p->octets + p->size, one->octets + begin, end - begin);
    p->size += end - begin;
  }
  p->octets[p->size++] = ']';
  return true;
}

bool payload_read_batch(payload *p, const char *directory, const char *name, size_t copies) {
  payload one;
  bool done;

  *p = (payload){.octets = NULL};
  done = payload_read(&one, directory, name) && repeat(p, &one, copies);
  payload_free(&one);
  return done;
}

void payload_free(payload *p) {
  free(p->octets);
  *p = (payload){.octets = NULL};
}
