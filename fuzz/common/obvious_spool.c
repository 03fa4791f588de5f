/* SPDX-License-Identifier: MIT */
#include "obvious_spool.h"

#include "obvious.h"
#include "obvious_body.h"

#include <string.h>

/* --------------------------------------------------------------------------------------------------------- names */

/* Takes what stands before the next dot. */
static bool part(const char **at, char out[80]) {
  size_t size = strcspn(*at, ".");

  if (size >= 80) {
    return false;
  }
  memcpy(out, *at, size);
  out[size] = '\0';
  *at += size;
  return true;
}

static bool dot(const char **at) {
  if (**at != '.') {
    return false;
  }
  ++*at;
  return true;
}

/* Decimal; without leading zeros unless it has just as many digits as `digits` says. */
static bool number(const char *text, size_t digits, uint64_t most, uint64_t *out) {
  size_t size = strlen(text);

  *out = 0;
  if (size == 0 || size > 20 || strspn(text, "0123456789") != size ||
      (digits ? size != digits : size > 1 && text[0] == '0')) {
    return false;
  }
  for (const char *c = text; *c; c++) {
    uint64_t digit = (uint64_t)(*c - '0');
    if (*out > most / 10 || (*out == most / 10 && digit > most % 10)) {
      return false;
    }
    *out = *out * 10 + digit;
  }
  return true;
}

static bool is_import_id(const char *text) {
  uint64_t count;

  return strspn(text, "0123456789abcdef") == 16 && text[16] == '-' && number(text + 17, 0, UINT64_MAX, &count) &&
         count > 0;
}

static bool is_holder(const char *text) {
  static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-";
  size_t size = strlen(text);

  return strcmp(text, "_") == 0 || (size >= 1 && size <= 64 && strspn(text, allowed) == size);
}

bool obvious_spool_name(const char *name, bh_import *import) {
  char text[80];
  uint64_t attempt, deaths;

  memset(import, 0, sizeof *import);
  if (!part(&name, text) || !number(text, 20, UINT64_MAX, &import->sequence) || !dot(&name)) {
    return false;
  }
  if (!part(&name, text) || !is_import_id(text) || !dot(&name)) {
    return false;
  }
  strcpy(import->import, text);
  if (!part(&name, text) || !number(text, 0, UINT32_MAX, &attempt) || !dot(&name)) {
    return false;
  }
  import->attempt = (uint32_t)attempt;
  if (!part(&name, text) || !number(text, 0, UINT32_MAX, &deaths) || !dot(&name)) {
    return false;
  }
  import->deaths = (uint32_t)deaths;
  if (!part(&name, text) || !is_holder(text) || strcmp(name, ".json") != 0) {
    return false;
  }
  if (strcmp(text, "_") != 0) {
    strcpy(import->holder, text);
  }
  return true;
}

/* ------------------------------------------------------------------------------------------------------ contents */

static size_t walk(const uint8_t *octets, size_t size, bool *objects) {
  size_t count = 0, at = 1;

  *objects = true;
  while (obvious_next_element(octets, size, &at)) {
    *objects = *objects && octets[at] == '{';
    count++;
    at = obvious_skip_value(octets, at);
  }
  return count;
}

bool obvious_is_import(const uint8_t *octets, size_t size) {
  bool objects;

  if (size < 2 || octets[0] != '[' || octets[size - 1] != ']' ||
      obvious_json(octets, size, BH_BRIDGE_DEPTH_MAX) != OBVIOUS_WHOLE) {
    return false;
  }
  return walk(octets, size, &objects) > 0 && objects;
}

uint32_t obvious_count(const uint8_t *octets, size_t size) {
  size_t begin = 0;
  bool objects;

  if (obvious_json(octets, size, BH_DEPTH_MAX) != OBVIOUS_WHOLE) {
    return 0;
  }
  while (octets[begin] != '[' && octets[begin] != '{') {
    if (!memchr(" \t\r\n", octets[begin], 4)) {
      return 0; /* a number, a string or a word */
    }
    begin++;
  }
  return (uint32_t)walk(octets + begin, size - begin, &objects);
}
