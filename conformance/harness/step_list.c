/* SPDX-License-Identifier: MIT */
#include "step_list.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "internal.h"

/* False: there is none. */
static bool read_number(const char **text, uint32_t *number) {
  char *end;
  if (**text < '0' || **text > '9') {
    return false;
  }
  errno = 0;
  unsigned long long value = strtoull(*text, &end, 10);
  *text = end;
  *number = (uint32_t)value;
  return errno == 0 && value <= UINT32_MAX;
}

static bool read_range(const char **text, struct step_range *range) {
  if (!read_number(text, &range->first)) {
    return false;
  }
  range->last = range->first;
  if (**text == '-') {
    ++*text;
    return read_number(text, &range->last) && range->last >= range->first;
  }
  return true;
}

struct step_list step_list_read(const char *text) {
  struct step_list list = {.valid = true, .all = !*text || strcmp(text, "all") == 0};
  size_t capacity = 0;
  while (!list.all && list.valid) {
    struct step_range range = {0, 0};
    list.valid = read_range(&text, &range);
    list.ranges = grow(list.ranges, list.count, &capacity, sizeof range);
    list.ranges[list.count++] = range;
    if (*text != ',') {
      list.valid = list.valid && !*text;
      break;
    }
    text++;
  }
  return list;
}

bool step_list_has(const struct step_list *list, uint32_t step) {
  for (size_t i = 0; i < list->count; i++) {
    if (step >= list->ranges[i].first && step <= list->ranges[i].last) {
      return true;
    }
  }
  return list->all;
}

char *step_list_write(const uint32_t *steps, size_t count) {
  char *text = count ? "" : NO_STEP;
  for (size_t i = 0, next; i < count; i = next) {
    next = i + 1;
    while (next < count && steps[next] == steps[next - 1] + 1) {
      next++;
    }
    const char *separator = *text ? "," : "";
    text = next - i == 1 ? format("%s%s%u", text, separator, steps[i])
                         : format("%s%s%u-%u", text, separator, steps[i], steps[next - 1]);
  }
  return text;
}
