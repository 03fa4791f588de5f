/* SPDX-License-Identifier: MIT */
#include "obvious.h"

#include <string.h>

/* --------------------------------------------------------------------------------------------------------- JSON */

typedef struct {
  const uint8_t *octets;
  size_t size, at;
  int depth, max_depth;
} text;

/* What a rule says of the octets from `at` on. After WRONG and MORE `at` is where it went wrong, or the end. */
typedef enum { RIGHT, WRONG, MORE } outcome;

#define NEED(rule)                                                                                                     \
  do {                                                                                                                 \
    outcome needed = (rule);                                                                                           \
    if (needed != RIGHT) {                                                                                             \
      return needed;                                                                                                   \
    }                                                                                                                  \
  } while (0)

static bool at_end(const text *t) {
  return t->at == t->size;
}

static bool in(const text *t, uint8_t low, uint8_t high) {
  return !at_end(t) && t->octets[t->at] >= low && t->octets[t->at] <= high;
}

static bool is(const text *t, char octet) {
  return in(t, (uint8_t)octet, (uint8_t)octet);
}

static outcome range(text *t, uint8_t low, uint8_t high) {
  if (at_end(t)) {
    return MORE;
  }
  if (!in(t, low, high)) {
    return WRONG;
  }
  t->at++;
  return RIGHT;
}

static outcome literal(text *t, const char *word) {
  for (; *word; word++) {
    NEED(range(t, (uint8_t)*word, (uint8_t)*word));
  }
  return RIGHT;
}

static void ws(text *t) {
  while (is(t, ' ') || is(t, '\t') || is(t, '\n') || is(t, '\r')) {
    t->at++;
  }
}

static outcome digits(text *t) {
  NEED(range(t, '0', '9'));
  while (in(t, '0', '9')) {
    t->at++;
  }
  return RIGHT;
}

/* A number that the end cuts short is whole as far as it goes where the end may follow it. */
static outcome number(text *t) {
  if (is(t, '-')) {
    t->at++;
  }
  if (is(t, '0')) {
    t->at++;
  } else {
    NEED(range(t, '1', '9'));
    while (in(t, '0', '9')) {
      t->at++;
    }
  }
  if (is(t, '.')) {
    t->at++;
    NEED(digits(t));
  }
  if (is(t, 'e') || is(t, 'E')) {
    t->at++;
    if (is(t, '+') || is(t, '-')) {
      t->at++;
    }
    NEED(digits(t));
  }
  return RIGHT;
}

static outcome hex_digit(text *t) {
  if (at_end(t)) {
    return MORE;
  }
  if (!in(t, '0', '9') && !in(t, 'a', 'f') && !in(t, 'A', 'F')) {
    return WRONG;
  }
  t->at++;
  return RIGHT;
}

static outcome escape(text *t) {
  t->at++; /* the backslash */
  if (at_end(t)) {
    return MORE;
  }
  if (t->octets[t->at] == 'u') {
    t->at++;
    for (int i = 0; i < 4; i++) {
      NEED(hex_digit(t));
    }
    return RIGHT;
  }
  if (!t->octets[t->at] || !strchr("\"\\/bfnrt", t->octets[t->at])) {
    return WRONG;
  }
  t->at++;
  return RIGHT;
}

static outcome utf8_tails(text *t, int count) {
  for (int i = 0; i < count; i++) {
    NEED(range(t, 0x80, 0xbf));
  }
  return RIGHT;
}

/* The table of RFC 3629, section 4, line by line. */
static outcome utf8(text *t) {
  static const struct {
    uint8_t low, high, second_low, second_high;
    int tails;
  } lines[] = {
      {0xc2, 0xdf, 0x80, 0xbf, 0}, {0xe0, 0xe0, 0xa0, 0xbf, 1}, {0xe1, 0xec, 0x80, 0xbf, 1},
      {0xed, 0xed, 0x80, 0x9f, 1}, {0xee, 0xef, 0x80, 0xbf, 1}, {0xf0, 0xf0, 0x90, 0xbf, 2},
      {0xf1, 0xf3, 0x80, 0xbf, 2}, {0xf4, 0xf4, 0x80, 0x8f, 2},
  };

  for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
    if (in(t, lines[i].low, lines[i].high)) {
      t->at++;
      NEED(range(t, lines[i].second_low, lines[i].second_high));
      return utf8_tails(t, lines[i].tails);
    }
  }
  return WRONG;
}

static outcome string(text *t) {
  NEED(range(t, '"', '"'));
  for (;;) {
    if (at_end(t)) {
      return MORE;
    }
    if (is(t, '"')) {
      t->at++;
      return RIGHT;
    }
    if (is(t, '\\')) {
      NEED(escape(t));
    } else if (in(t, 0x20, 0x7f)) {
      t->at++;
    } else {
      NEED(utf8(t));
    }
  }
}

static outcome value(text *t);

static outcome member(text *t) {
  NEED(string(t));
  ws(t);
  NEED(range(t, ':', ':'));
  ws(t);
  return value(t);
}

/* Its elements, or members: `one` of them after another, with commas between them. */
static outcome sequence(text *t, outcome (*one)(text *t), char end) {
  if (++t->depth > t->max_depth) {
    return WRONG; /* at the octet that goes too deep */
  }
  t->at++;
  ws(t);
  if (!is(t, end)) {
    NEED(one(t));
    ws(t);
    while (is(t, ',')) {
      t->at++;
      ws(t);
      NEED(one(t));
      ws(t);
    }
  }
  NEED(range(t, (uint8_t)end, (uint8_t)end));
  t->depth--;
  return RIGHT;
}

static outcome value(text *t) {
  if (at_end(t)) {
    return MORE;
  }
  switch (t->octets[t->at]) {
  case '{':
    return sequence(t, member, '}');
  case '[':
    return sequence(t, value, ']');
  case '"':
    return string(t);
  case 'f':
    return literal(t, "false");
  case 'n':
    return literal(t, "null");
  case 't':
    return literal(t, "true");
  default:
    return number(t);
  }
}

size_t obvious_json(const uint8_t *octets, size_t size, int max_depth) {
  text t = {.octets = octets, .size = size, .max_depth = max_depth};

  ws(&t);
  outcome found = value(&t);
  if (found == RIGHT) {
    ws(&t);
    return at_end(&t) ? OBVIOUS_WHOLE : t.at;
  }
  return t.at;
}

/* ------------------------------------------------------------------------------------------------------- Bridge */

static outcome object(text *t) {
  if (at_end(t)) {
    return MORE;
  }
  return is(t, '{') ? value(t) : WRONG;
}

static obvious_stream bridge_value(text *t, obvious_stream s) {
  bool array = is(t, '[');

  s.begin = t->at;
  t->depth = array ? 0 : 1; /* an object stands for an array of one */
  outcome found = array ? sequence(t, object, ']') : value(t);
  s.end = t->at;
  s.kind = found == RIGHT ? OBVIOUS_STREAM_VALUE : found == MORE ? OBVIOUS_STREAM_END : OBVIOUS_STREAM_WRONG;
  if (array && found == RIGHT) {
    text inside = {.octets = t->octets, .size = t->size, .at = s.begin + 1};
    ws(&inside);
    s.empty = is(&inside, ']');
  }
  return s;
}

obvious_stream obvious_stream_next(const uint8_t *octets, size_t size, size_t at) {
  text t = {.octets = octets, .size = size, .at = at, .max_depth = 62};
  obvious_stream s = {.kind = OBVIOUS_STREAM_END};
  outcome found = RIGHT;

  if (at == 0 && is(&t, '\xef')) {
    found = literal(&t, "\xef\xbb\xbf");
  }
  if (found == RIGHT) {
    ws(&t);
    if (is(&t, '[') || is(&t, '{')) {
      return bridge_value(&t, s);
    }
    if (!at_end(&t)) {
      found = literal(&t, "Bye Megascans");
      s.kind = found == RIGHT ? OBVIOUS_STREAM_BYE : OBVIOUS_STREAM_END;
    }
  }
  s.kind = found == WRONG ? OBVIOUS_STREAM_WRONG : s.kind;
  s.begin = s.end = t.at;
  return s;
}

/* -------------------------------------------------------------------------------------------------------- frame */

static obvious_message wrong_at(obvious_message m, obvious_kind kind, size_t at) {
  m.kind = kind;
  m.wrong = at;
  return m;
}

obvious_message obvious_read(const uint8_t *octets, size_t size, uint32_t limit, uint32_t last_id) {
  obvious_message m = {.kind = OBVIOUS_MORE};
  size_t at = 0, begin;
  uint64_t id = 0, length = 0;

  for (const char *magic = "BH1 "; *magic; magic++, at++) {
    if (at == size) {
      return m;
    }
    if (octets[at] != (uint8_t)*magic) {
      return wrong_at(m, OBVIOUS_MALFORMED, at);
    }
  }
  for (begin = at; at < size && octets[at] != ' '; at++) {
    bool right = (octets[at] >= 'A' && octets[at] <= 'Z') || octets[at] == '_';
    if (!right || at - begin >= 32) {
      return wrong_at(m, OBVIOUS_MALFORMED, at);
    }
    m.type[at - begin] = (char)octets[at];
  }
  if (at == size) {
    return m;
  }
  if (at == begin) {
    return wrong_at(m, OBVIOUS_MALFORMED, at);
  }
  at++;
  for (begin = at; at < size && octets[at] != ' '; at++) {
    bool right = octets[at] >= (at == begin ? '1' : '0') && octets[at] <= '9';
    if (!right || (id = id * 10 + octets[at] - '0') > UINT32_MAX) {
      return wrong_at(m, OBVIOUS_MALFORMED, at);
    }
  }
  if (at == size) {
    return m;
  }
  if (at == begin) {
    return wrong_at(m, OBVIOUS_MALFORMED, at);
  }
  m.id = (uint32_t)id;
  at++;
  for (begin = at; at < size && octets[at] != '\n'; at++) {
    bool after_zero = at == begin + 1 && octets[begin] == '0';
    if (octets[at] < '0' || octets[at] > '9' || after_zero) {
      return wrong_at(m, OBVIOUS_MALFORMED, at);
    }
    if ((length = length * 10 + octets[at] - '0') > limit) {
      return wrong_at(m, OBVIOUS_TOO_LARGE, at);
    }
  }
  if (at == size) {
    return m;
  }
  if (at == begin) {
    return wrong_at(m, OBVIOUS_MALFORMED, at);
  }
  at++;
  if (id != (uint64_t)last_id + 1) {
    return wrong_at(m, OBVIOUS_MALFORMED, at);
  }
  m.body = at;
  m.length = (size_t)length;
  if (size - at >= length) {
    m.kind = OBVIOUS_MESSAGE;
  }
  return m;
}
