/* SPDX-License-Identifier: MIT */
#include "obvious_body.h"

#include "obvious.h"

#include <string.h>

typedef enum { INTEGER, STRING, INSTANCE_ID, ROLE, TEXT, ARRAY, INSTANCE, INSTANCES } kind;

typedef struct {
  const char *name;
  kind kind;
  uint64_t least, most; /* of an integer; of a string its octets */
  bool optional, nullable;
} rule;

#define MEMBERS_MAX OBVIOUS_MEMBERS_MAX
#define UINT32 0, UINT32_MAX

typedef struct {
  obvious_sender sender;
  const char *type;
  rule rules[MEMBERS_MAX];
} line;

static const line lines[] = {
    {OBVIOUS_CLIENT,
     "REGISTER",
     {{"protocol", INTEGER, UINT32, false, false},
      {"pid", INTEGER, UINT32, false, false},
      {"name", STRING, 1, 256, false, false},
      {"instance", INSTANCE_ID, 1, 64, true, false},
      {"window", INTEGER, 1, 64, true, false},
      {"role", ROLE, 0, 0, true, false}}},
    {OBVIOUS_CLIENT, "CLAIM_ACTIVE", {{"instance", INSTANCE_ID, 1, 64, true, false}}},
    {OBVIOUS_CLIENT, "ACK", {{"for", INTEGER, 1, UINT32_MAX, false, false}}},
    {OBVIOUS_CLIENT,
     "ERROR",
     {{"for", INTEGER, 1, UINT32_MAX, false, true},
      {"code", STRING, 1, 64, false, false},
      {"message", TEXT, 0, 0, false, false}}},
    {OBVIOUS_HUB,
     "HEARTBEAT",
     {{"active", INSTANCE_ID, 1, 64, false, true},
      {"waiting", INTEGER, UINT32, false, false},
      {"parked", INTEGER, UINT32, false, false},
      {"instances", INSTANCES, 0, 0, true, false},
      {"problem", STRING, 1, 1024, true, false}}},
    {OBVIOUS_HUB,
     "IMPORT_DATA",
     {{"import", STRING, 1, 64, false, false},
      {"attempt", INTEGER, 1, UINT32_MAX, false, false},
      {"assets", ARRAY, 0, 0, false, false}}},
    {OBVIOUS_HUB,
     "ACK",
     {{"for", INTEGER, 1, UINT32_MAX, false, false},
      {"instance", INSTANCE_ID, 1, 64, true, false},
      {"hub_pid", INTEGER, UINT32, true, false},
      {"epoch", INTEGER, 0, 9007199254740991u, true, false},
      {"heartbeat_ms", INTEGER, UINT32, true, false},
      {"timeout_ms", INTEGER, UINT32, true, false},
      {"active", INSTANCE_ID, 1, 64, true, true}}},
    {OBVIOUS_HUB,
     "ERROR",
     {{"for", INTEGER, 1, UINT32_MAX, false, true},
      {"code", STRING, 1, 64, false, false},
      {"message", TEXT, 0, 0, false, false}}},
    {OBVIOUS_STATE_FILE,
     "",
     {{"version", INTEGER, 1, 1, false, false},
      {"hub_pid", INTEGER, UINT32, false, true},
      {"epoch", INTEGER, 0, 9007199254740991u, false, false},
      {"port", INTEGER, 1, UINT16_MAX, false, false},
      {"active_instance", INSTANCE, 0, 0, false, true}}},
};

static const line no_members = {OBVIOUS_CLIENT, "", {{0}}};
static const line instance_members = {OBVIOUS_HUB,
                                      "",
                                      {{"instance", INSTANCE_ID, 1, 64, false, false},
                                       {"pid", INTEGER, UINT32, false, false},
                                       {"name", STRING, 1, 256, false, false}}};

/* ---------------------------------------------------------------------------------------- text that is right JSON */

static size_t skip_ws(const uint8_t *octets, size_t at) {
  while (octets[at] == ' ' || octets[at] == '\t' || octets[at] == '\n' || octets[at] == '\r') {
    at++;
  }
  return at;
}

static size_t skip_string(const uint8_t *octets, size_t at) {
  for (at++; octets[at] != '"'; at++) {
    at += octets[at] == '\\';
  }
  return at + 1;
}

size_t obvious_skip_value(const uint8_t *octets, size_t at) {
  size_t depth = 0;

  do {
    switch (octets[at]) {
    case '"':
      at = skip_string(octets, at);
      break;
    case '{':
    case '[':
      depth++;
      at++;
      break;
    case '}':
    case ']':
      depth--;
      at++;
      break;
    case ',':
    case ':':
      at++;
      break;
    default:
      if (octets[at] <= ' ') {
        at = skip_ws(octets, at);
        break;
      }
      while (octets[at] > ' ' && !strchr(",:]}", octets[at])) {
        at++;
      }
    }
  } while (depth > 0);
  return at;
}

/* ------------------------------------------------------------------------------------------------------- strings */

static size_t utf8_size(uint8_t lead) {
  return lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
}

static unsigned four_hex(const uint8_t *octets) {
  unsigned unit = 0;

  for (int i = 0; i < 4; i++) {
    static const char digits[] = "0123456789abcdef";
    char lower = (char)(octets[i] >= 'A' && octets[i] <= 'F' ? octets[i] - 'A' + 'a' : octets[i]);
    unit = unit * 16 + (unsigned)(strchr(digits, lower) - digits);
  }
  return unit;
}

static size_t write_utf8(unsigned point, uint8_t out[4]) {
  if (point < 0x80) {
    out[0] = (uint8_t)point;
    return 1;
  }
  size_t size = point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
  for (size_t i = size - 1; i > 0; i--) {
    out[i] = (uint8_t)(0x80 + point % 64);
    point /= 64;
  }
  out[0] = (uint8_t)((size == 2 ? 0xc0 : size == 3 ? 0xe0 : 0xf0) + point);
  return size;
}

/* The character at `at`: its octets, and where the next one begins. */
static size_t character(const uint8_t *octets, size_t at, size_t end, uint8_t out[4], size_t *size,
                        obvious_text *text) {
  if (octets[at] != '\\') {
    *size = utf8_size(octets[at]);
    memcpy(out, octets + at, *size);
    return at + *size;
  }
  if (octets[at + 1] != 'u') {
    static const char letters[] = "bfnrt", meant[] = "\b\f\n\r\t";
    const char *letter = strchr(letters, octets[at + 1]);
    out[0] = letter ? (uint8_t)meant[letter - letters] : octets[at + 1];
    *size = 1;
    return at + 2;
  }
  unsigned point = four_hex(octets + at + 2);
  at += 6;
  if (point >= 0xd800 && point < 0xdc00 && end - at >= 6 && octets[at] == '\\' && octets[at + 1] == 'u') {
    unsigned low = four_hex(octets + at + 2);
    if (low >= 0xdc00 && low < 0xe000) {
      *size = write_utf8(0x10000 + (point - 0xd800) * 0x400 + (low - 0xdc00), out);
      return at + 6;
    }
  }
  if (point >= 0xd800 && point < 0xe000) {
    text->unpaired = true;
    point = 0xfffd;
  } else if (point == 0) {
    text->nul = true;
    point = 0xfffd;
  }
  *size = write_utf8(point, out);
  return at;
}

obvious_text obvious_string(const uint8_t *octets, size_t begin, size_t end, char *out, size_t capacity) {
  obvious_text text = {0};
  size_t written = 0;
  bool full = false;

  for (size_t at = begin + 1; at < end - 1;) {
    uint8_t utf8[4];
    size_t size;
    at = character(octets, at, end - 1, utf8, &size, &text);
    text.size += size;
    full = full || written + size >= capacity;
    if (!full) {
      memcpy(out + written, utf8, size);
      written += size;
    }
  }
  if (capacity > 0) {
    out[written] = '\0';
  }
  return text;
}

/* -------------------------------------------------------------------------------------------------------- values */

static bool is_integer(const uint8_t *octets, obvious_member *m, const rule *r) {
  m->integer = 0;
  for (size_t i = m->begin; i < m->end; i++) {
    if (octets[i] < '0' || octets[i] > '9' || m->integer > (UINT64_MAX - 9) / 10) {
      return false;
    }
    m->integer = m->integer * 10 + octets[i] - '0';
  }
  return m->integer >= r->least && m->integer <= r->most;
}

static bool is_string(const uint8_t *octets, obvious_member *m) {
  if (octets[m->begin] != '"') {
    return false;
  }
  obvious_text text = obvious_string(octets, m->begin, m->end, m->text, sizeof m->text);
  m->text_size = text.size;
  return !text.nul && !text.unpaired;
}

static bool is_instance_id(const obvious_member *m) {
  static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-";
  return strspn(m->text, allowed) == m->text_size;
}

static bool read_members(const line *line, const uint8_t *octets, size_t at, obvious_body *body);

static bool are_instances(const uint8_t *octets, const obvious_member *m, size_t *wrong) {
  obvious_body instance;
  size_t at = skip_ws(octets, m->begin + 1);

  while (octets[at] != ']') {
    *wrong = at;
    if (octets[at] != '{') {
      return false;
    }
    if (!read_members(&instance_members, octets, at, &instance)) {
      *wrong = instance.wrong;
      return false;
    }
    at = skip_ws(octets, obvious_skip_value(octets, at));
    if (octets[at] == ',') {
      at = skip_ws(octets, at + 1);
    }
  }
  return true;
}

static bool is_instance(const uint8_t *octets, const obvious_member *m, size_t *wrong) {
  obvious_body instance;

  if (octets[m->begin] != '{') {
    return false;
  }
  bool right = read_members(&instance_members, octets, m->begin, &instance);
  *wrong = right ? *wrong : instance.wrong;
  return right;
}

static bool is_right(const uint8_t *octets, obvious_member *m, const rule *r, size_t *wrong) {
  bool in_size;

  *wrong = m->begin;
  if (r->nullable && m->end - m->begin == 4 && memcmp(octets + m->begin, "null", 4) == 0) {
    m->null = true;
    return true;
  }
  switch (r->kind) {
  case INTEGER:
    return is_integer(octets, m, r);
  case STRING:
  case INSTANCE_ID:
    in_size = is_string(octets, m) && m->text_size >= r->least && m->text_size <= r->most;
    return in_size && (r->kind == STRING || is_instance_id(m));
  case ROLE:
    return is_string(octets, m) && (strcmp(m->text, "instance") == 0 || strcmp(m->text, "observer") == 0) &&
           m->text_size == strlen(m->text);
  case TEXT:
    return is_string(octets, m);
  case ARRAY:
    return octets[m->begin] == '[';
  case INSTANCE:
    return is_instance(octets, m, wrong);
  case INSTANCES:
    return octets[m->begin] == '[' && are_instances(octets, m, wrong);
  }
  return false;
}

/* ------------------------------------------------------------------------------------------------------- objects */

static size_t find_rule(const line *line, const char *name, size_t size) {
  size_t i = 0;

  while (i < MEMBERS_MAX && line->rules[i].name &&
         !(strlen(line->rules[i].name) == size && memcmp(line->rules[i].name, name, size) == 0)) {
    i++;
  }
  return i;
}

static bool read_members(const line *line, const uint8_t *octets, size_t at, obvious_body *body) {
  bool right = true;

  body->count = 0;
  for (size_t i = 0; i < MEMBERS_MAX && line->rules[i].name; i++) {
    obvious_member *m = &body->members[body->count++];
    m->name = line->rules[i].name;
    m->there = m->null = false;
    m->integer = 0;
    m->text[0] = '\0';
    m->text_size = m->begin = m->end = 0;
  }
  for (at = skip_ws(octets, at + 1); octets[at] != '}';) {
    char name[32];
    size_t key = at, end = skip_string(octets, at);
    size_t which = find_rule(line, name, obvious_string(octets, at, end, name, sizeof name).size);
    at = skip_ws(octets, skip_ws(octets, end) + 1);
    end = obvious_skip_value(octets, at);
    if (which < body->count) {
      obvious_member *m = &body->members[which];
      if (right && m->there) {
        body->wrong = key;
        right = false;
      }
      m->there = true;
      m->begin = at;
      m->end = end;
      right = right && is_right(octets, m, &line->rules[which], &body->wrong);
    }
    at = skip_ws(octets, end);
    if (octets[at] == ',') {
      at = skip_ws(octets, at + 1);
    }
  }
  for (size_t i = 0; right && i < body->count; i++) {
    body->wrong = at + 1; /* behind the object, where one is missing */
    right = body->members[i].there || line->rules[i].optional;
  }
  return right;
}

static const line *find_line(obvious_sender sender, const char *type) {
  for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
    if (lines[i].sender == sender && strcmp(lines[i].type, type) == 0) {
      return &lines[i];
    }
  }
  return &no_members;
}

bool obvious_body_read(obvious_sender sender, const char *type, const uint8_t *octets, size_t size,
                       obvious_body *body) {
  static const uint8_t nothing[] = "{}";
  size_t at, all = size;

  if (size == 0) {
    octets = nothing;
    size = 2;
  }
  body->count = 0;
  body->wrong = obvious_json(octets, size, BH_DEPTH_MAX);
  if (body->wrong != OBVIOUS_WHOLE) {
    return false;
  }
  body->wrong = 0;
  at = skip_ws(octets, 0);
  if (octets[at] != '{') {
    return false;
  }
  bool right = read_members(find_line(sender, type), octets, at, body);
  if (!right && body->wrong == obvious_skip_value(octets, at)) {
    body->wrong = all; /* a member is missing: that is seen at the end of all that came */
  }
  return right;
}

const obvious_member *obvious_body_member(const obvious_body *body, const char *name) {
  for (size_t i = 0; i < body->count; i++) {
    if (strcmp(body->members[i].name, name) == 0) {
      return &body->members[i];
    }
  }
  return NULL;
}

bool obvious_find(const uint8_t *object, size_t size, const char *name, size_t *begin, size_t *end) {
  size_t at = skip_ws(object, skip_ws(object, 0) + 1);

  while (at < size && object[at] != '}') {
    char found[32];
    size_t key_end = skip_string(object, at);
    bool same =
        obvious_string(object, at, key_end, found, sizeof found).size == strlen(name) && strcmp(found, name) == 0;
    *begin = skip_ws(object, skip_ws(object, key_end) + 1);
    *end = obvious_skip_value(object, *begin);
    if (same) {
      return true;
    }
    at = skip_ws(object, *end);
    if (object[at] == ',') {
      at = skip_ws(object, at + 1);
    }
  }
  return false;
}

bool obvious_next_element(const uint8_t *octets, size_t size, size_t *at) {
  size_t next = skip_ws(octets, *at);

  if (octets[next] == ',') {
    next = skip_ws(octets, next + 1);
  }
  if (next >= size || octets[next] == ']' || octets[next] == '}') {
    return false;
  }
  if (octets[skip_ws(octets, 0)] == '{') {
    next = skip_ws(octets, skip_ws(octets, skip_string(octets, next)) + 1);
  }
  *at = next;
  return true;
}

bool obvious_instances_next(const uint8_t *array, size_t size, size_t *at, obvious_body *instance) {
  size_t begin = *at == 0 ? skip_ws(array, 1) : *at;

  if (begin < size && array[begin] == ',') {
    begin = skip_ws(array, begin + 1);
  }
  if (array[begin] == ']') {
    return false;
  }
  read_members(&instance_members, array, begin, instance);
  *at = skip_ws(array, obvious_skip_value(array, begin));
  return true;
}
