/* SPDX-License-Identifier: MIT */
#include "json_view.h"

#include "body.h"
#include "json.h"

#include <stdlib.h>
#include <string.h>

octets octets_of_text(const char *text) {
  return (octets){(const uint8_t *)text, strlen(text)};
}

bool json_is_valid(octets text) {
  bh_json json;
  size_t consumed;

  bh_json_init(&json, BH_DEPTH_MAX, false);
  return bh_json_feed(&json, text.octets, text.size, &consumed) == BH_JSON_MORE && bh_json_end(&json) == BH_JSON_DONE;
}

typedef struct {
  octets text;
  size_t taken;
  bh_json json;
  octets key;
  octets value;
} walk;

static walk begin(octets text) {
  walk w = {.text = text};

  bh_json_init(&w.json, BH_DEPTH_MAX, true);
  return w;
}

static bool next(walk *w) {
  size_t consumed = 0;

  if (bh_json_feed(&w->json, w->text.octets + w->taken, w->text.size - w->taken, &consumed) != BH_JSON_MEMBER) {
    return false;
  }
  w->taken += consumed;
  w->key = (octets){w->text.octets + w->json.key.begin, (size_t)(w->json.key.end - w->json.key.begin)};
  w->value = (octets){w->text.octets + w->json.value.begin, (size_t)(w->json.value.end - w->json.value.begin)};
  return true;
}

octets json_member(octets object, const char *name) {
  walk w = begin(object);

  while (next(&w)) {
    char *key = json_text(w.key);
    bool found = key != NULL && strcmp(key, name) == 0;
    free(key);
    if (found) {
      return w.value;
    }
  }
  return (octets){NULL, 0};
}

octets json_element(octets array, size_t index) {
  walk w = begin(array);

  while (next(&w)) {
    if (index-- == 0) {
      return w.value;
    }
  }
  return (octets){NULL, 0};
}

size_t json_count(octets array) {
  walk w = begin(array);
  size_t count = 0;

  while (next(&w)) {
    count++;
  }
  return count;
}

bool json_is(octets value, const char *text) {
  return value.size == strlen(text) && memcmp(value.octets, text, value.size) == 0;
}

bool json_is_string(octets value) {
  return value.size > 0 && value.octets[0] == '"';
}

bool json_is_array(octets value) {
  return value.size > 0 && value.octets[0] == '[';
}

bool json_is_integer(octets value) {
  for (size_t i = 0; i < value.size; i++) {
    if (value.octets[i] < '0' || value.octets[i] > '9') {
      return false;
    }
  }
  return value.size > 0 && (value.size == 1 || value.octets[0] != '0');
}

char *json_text(octets value) {
  char *text;

  if (!json_is_string(value)) {
    return NULL;
  }
  text = malloc(value.size);
  if (text != NULL) {
    bh_body_text((bh_octets){value.octets, value.size}, text, value.size);
  }
  return text;
}

uint64_t json_integer(octets value) {
  uint64_t number = 0;

  for (size_t i = 0; json_is_integer(value) && i < value.size; i++) {
    number = number * 10 + (uint64_t)(value.octets[i] - '0');
  }
  return number;
}
