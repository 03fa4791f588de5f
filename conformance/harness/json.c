/* SPDX-License-Identifier: MIT */
/* Values in a JSON text, found by their path. */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "internal.h"
#include "json.h"
#include "json_text.h"

/* A value's own octets; NULL: there is none. */
struct value {
  const char *octets;
  size_t size;
};

static bool recognise(const char *text, size_t size) {
  bh_json json;
  size_t consumed;
  bh_json_init(&json, BH_DEPTH_MAX, false);
  return bh_json_feed(&json, (const uint8_t *)text, size, &consumed) != BH_JSON_BROKEN &&
         bh_json_end(&json) == BH_JSON_DONE;
}

struct json json_read(const char *text, size_t size) {
  return (struct json){.text = text, .size = size, .valid = recognise(text, size)};
}

static bool key_is(const char *string, size_t size, const char *name, size_t name_size) {
  char *key = allocate(size + 1);
  bh_text_info info = bh_text_decode((bh_octets){(const uint8_t *)string, size}, key, size + 1);
  return info.size == name_size && memcmp(key, name, name_size) == 0;
}

/* The member `name` of an object, or the element `index` of an array where name is NULL; counts up to there. */
static struct value child(struct value parent, const char *name, size_t name_size, size_t index, size_t *count) {
  bh_json json;
  bh_json_init(&json, BH_DEPTH_MAX, true);
  size_t at = 0, consumed;
  for (*count = 0;
       bh_json_feed(&json, (const uint8_t *)parent.octets + at, parent.size - at, &consumed) == BH_JSON_MEMBER;
       ++*count) {
    at += consumed;
    const char *key = parent.octets + json.key.begin;
    if (name ? key_is(key, json.key.end - json.key.begin, name, name_size) : *count == index) {
      return (struct value){parent.octets + json.value.begin, json.value.end - json.value.begin};
    }
  }
  return (struct value){NULL, 0};
}

static struct value outermost(const struct json *json) {
  static const char space[] = " \t\r\n";
  const char *begin = json->text + strspn(json->text, space), *end = json->text + json->size;
  while (end > begin && strchr(space, end[-1])) {
    end--;
  }
  return (struct value){begin, (size_t)(end - begin)};
}

static struct value find(const struct json *json, const char *path) {
  if (!json->valid) {
    fail_as("BH-BODY-001", "one JSON text by RFC 8259", "%s", printable(json->text, json->size, 200));
  }
  struct value value = outermost(json);
  size_t count;
  while (*path && value.octets) {
    if (*path == '[') {
      char *end;
      size_t index = strtoul(path + 1, &end, 10);
      value = *value.octets == '[' ? child(value, NULL, 0, index, &count) : (struct value){NULL, 0};
      path = end + 1;
    } else {
      path += *path == '.';
      size_t size = strcspn(path, ".[");
      value = *value.octets == '{' ? child(value, path, size, 0, &count) : (struct value){NULL, 0};
      path += size;
    }
  }
  return value;
}

static bool same_text(struct value a, struct value b) {
  char *left = allocate(a.size + 1), *right = allocate(b.size + 1);
  bh_text_info l = bh_text_decode((bh_octets){(const uint8_t *)a.octets, a.size}, left, a.size + 1);
  bh_text_info r = bh_text_decode((bh_octets){(const uint8_t *)b.octets, b.size}, right, b.size + 1);
  return l.size == r.size && memcmp(left, right, l.size) == 0;
}

/* The next member of an object, or element of an array; the value's octets are NULL after the last. */
static void next_child(bh_json *json, struct value parent, size_t *at, struct value *key, struct value *value) {
  size_t consumed;
  *key = *value = (struct value){NULL, 0};
  if (bh_json_feed(json, (const uint8_t *)parent.octets + *at, parent.size - *at, &consumed) == BH_JSON_MEMBER) {
    *at += consumed;
    *key = (struct value){parent.octets + json->key.begin, json->key.end - json->key.begin};
    *value = (struct value){parent.octets + json->value.begin, json->value.end - json->value.begin};
  }
}

static bool same_value(struct value a, struct value b) {
  if (a.size == b.size && memcmp(a.octets, b.octets, a.size) == 0) {
    return true;
  }
  if (*a.octets != *b.octets) {
    return false;
  }
  if (*a.octets == '"') {
    return same_text(a, b);
  }
  if (*a.octets != '[' && *a.octets != '{') {
    return strtod(a.octets, NULL) == strtod(b.octets, NULL);
  }
  bh_json left, right;
  bh_json_init(&left, BH_DEPTH_MAX, true);
  bh_json_init(&right, BH_DEPTH_MAX, true);
  struct value left_key, left_value, right_key, right_value;
  size_t left_at = 0, right_at = 0;
  do {
    next_child(&left, a, &left_at, &left_key, &left_value);
    next_child(&right, b, &right_at, &right_key, &right_value);
    if (!left_value.octets || !right_value.octets) {
      return left_value.octets == right_value.octets;
    }
  } while ((*a.octets == '[' || same_text(left_key, right_key)) && same_value(left_value, right_value));
  return false;
}

bool json_same(const char *a, size_t a_size, const char *b, size_t b_size) {
  struct json left = json_read(a, a_size), right = json_read(b, b_size);
  return left.valid && right.valid && same_value(outermost(&left), outermost(&right));
}

static const char *shown(const struct json *json) {
  return printable(json->text, json->size, 300);
}

bool json_has(const struct json *json, const char *path) {
  return find(json, path).octets != NULL;
}

bool json_is_null(const struct json *json, const char *path) {
  struct value value = find(json, path);
  return value.octets && *value.octets == 'n';
}

bool json_is_text(const struct json *json, const char *path) {
  struct value value = find(json, path);
  return value.octets && *value.octets == '"';
}

bool json_is_integer(const struct json *json, const char *path) {
  struct value value = find(json, path);
  return value.octets && strspn(value.octets, "0123456789") >= value.size;
}

const char *json_text(const struct json *json, const char *path) {
  struct value value = find(json, path);
  if (!value.octets || *value.octets != '"') {
    fail(format("a string as \"%s\"", path), "%s", shown(json));
  }
  char *text = allocate(value.size + 1);
  bh_text_decode((bh_octets){(const uint8_t *)value.octets, value.size}, text, value.size + 1);
  return text;
}

uint64_t json_integer(const struct json *json, const char *path) {
  struct value value = find(json, path);
  errno = 0;
  unsigned long long number = json_is_integer(json, path) ? strtoull(value.octets, NULL, 10) : 0;
  if (!json_is_integer(json, path) || errno) {
    fail(format("an integer without sign, fraction and exponent as \"%s\"", path), "%s", shown(json));
  }
  return number;
}

size_t json_count(const struct json *json, const char *path) {
  struct value value = find(json, path);
  if (!value.octets || (*value.octets != '[' && *value.octets != '{')) {
    fail(format("an array as \"%s\"", path), "%s", shown(json));
  }
  size_t count;
  child(value, NULL, 0, SIZE_MAX, &count);
  return count;
}

const char *json_octets(const struct json *json, const char *path, size_t *size) {
  struct value value = find(json, path);
  if (!value.octets) {
    fail(format("a member \"%s\"", path), "%s", shown(json));
  }
  *size = value.size;
  return value.octets;
}

void expect_text(const struct json *json, const char *path, const char *text) {
  bool same = text ? json_is_text(json, path) && strcmp(json_text(json, path), text) == 0 : json_is_null(json, path);
  if (!same) {
    fail(text ? format("\"%s\" is \"%s\"", path, text) : format("\"%s\" is null", path), "%s", shown(json));
  }
}

void expect_integer(const struct json *json, const char *path, uint64_t value) {
  if (!json_is_integer(json, path) || json_integer(json, path) != value) {
    fail(format("\"%s\" is %llu", path, (unsigned long long)value), "%s", shown(json));
  }
}

int json_find_instance(const struct json *json, const char *path, const char *id) {
  size_t count = json_count(json, path);
  for (size_t i = 0; i < count; i++) {
    const char *instance = format("%s[%zu].instance", path, i);
    if (json_is_text(json, instance) && strcmp(json_text(json, instance), id) == 0) {
      return (int)i;
    }
  }
  return -1;
}
