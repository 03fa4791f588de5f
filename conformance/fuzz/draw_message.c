/* SPDX-License-Identifier: MIT */
/* Messages of a client, field by field, each of them right or wrong in a way that the grammar has a word on. */

#include <string.h>

#include "draw.h"

#define MEMBERS_MAX 12
#define MESSAGES_MAX 8
#define FIRST_RIGHT 4
#define LONGEST_ONCE_IN 50
/* The ids that clients of one run ask for: few, so that they come back, and meet. */
#define INSTANCES 3

#define PICK(...)                                                                                                      \
  (((const char *const[]){__VA_ARGS__})[random_below(sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *))])

/* -------------------------------------------------------------------------------------------------------- the body */

struct member {
  const char *name, *value; /* as they are written */
};

struct draft {
  struct member members[MEMBERS_MAX];
  size_t count;
};

static void add(struct draft *draft, const char *name, const char *value) {
  if (draft->count < MEMBERS_MAX) {
    draft->members[draft->count++] = (struct member){name, value};
  }
}

static const char *wrong_integer(void) {
  return PICK("-1", "-0", "1.0", "1e0", "01", "00", "4294967296", "18446744073709551616", "18446744073709551617",
              "4294967295.5", "\"1\"", "true", "null", "[1]", "{}", "999999999999999999999999999999", "+1", "0x1", "");
}

static const char *wrong_text(void) {
  switch (random_below(8)) {
  case 0:
    return format("\"%s\"", repeat("n", 257));
  case 1:
    return format("\"%s\"", repeat("\\u00e9", 129)); /* 258 octets of UTF-8 */
  case 2:
    return format("\"%s\"", repeat("\xc3\xa9", 128 + random_below(3)));
  default:
    return PICK("\"\"", "\"a\\u0000\"", "\"\\ud800\"", "\"\\udc00\\ud800\"", "\"\\x\"", "\"\\u12\"", "\"\xff\"",
                "\"\xed\xa0\x80\"", "\"\xc0\x80\"", "\"a\nb\"", "\"open", "7", "null", "[]", "{}", "'a'");
  }
}

static const char *wrong_value(void) {
  return draw_once_in(2) ? wrong_integer() : wrong_text();
}

static const char *right_name(void) {
  return random_below(8)
             ? PICK("\"a window\"", "\"\\u00e9\xc3\xa9\"", "\"\\ud83d\\ude00\"", "\"\\\"\\\\\\/\"", "\"\x7f\"", "\" \"")
             : format("\"%s\"", repeat("n", 255 + random_below(2)));
}

static void draft_register(struct draft *draft, const char *instance) {
  add(draft, "\"protocol\"", draw_once_in(12) ? PICK("0", "2", "4294967295") : "1");
  add(draft, "\"pid\"", PICK("0", "1", "4242", "4294967295"));
  add(draft, "\"name\"", right_name());
  if (*instance) {
    add(draft, "\"instance\"", format("\"%s\"", instance));
  }
  if (draw_once_in(3)) {
    add(draft, "\"window\"", PICK("1", "2", "64"));
  }
  if (draw_once_in(3)) {
    add(draft, "\"role\"", PICK("\"observer\"", "\"instance\"", "\"obs\\u0065rver\""));
  }
}

static void draft_members(struct draft *draft, const char *type, const char *instance) {
  if (strcmp(type, "REGISTER") == 0) {
    draft_register(draft, instance);
  } else if (strcmp(type, "CLAIM_ACTIVE") == 0 && draw_once_in(2)) {
    add(draft, "\"instance\"", format("\"fuzz-%u\"", random_below(INSTANCES)));
  } else if (strcmp(type, "ACK") == 0) {
    add(draft, "\"for\"", format("%u", 1 + random_below(4)));
  } else if (strcmp(type, "ERROR") == 0) {
    add(draft, "\"for\"", draw_once_in(3) ? "null" : format("%u", 1 + random_below(4)));
    add(draft, "\"code\"", PICK("\"refused\"", "\"malformed\"", "\"no-such-code\""));
    add(draft, "\"message\"", PICK("\"\"", "\"because\"", "\"\\ud800\\u0000\""));
  } else if (strcmp(type, "IMPORT_DATA") == 0) {
    add(draft, "\"import\"", "\"00000000000000aa-1\"");
    add(draft, "\"attempt\"", "1");
    add(draft, "\"assets\"", "[{}]");
  }
  if (draw_once_in(4)) {
    bh_buffer value = draw_buffer();
    draw_value(&value, 4);
    add(draft, PICK("\"x\"", "\"Protocol\"", "\"\"", "\"\\u0000\"", "\"assets\""),
        format("%.*s", (int)value.size, (const char *)value.octets));
    bh_buffer_free(&value);
  }
}

/* A member's name, with its first letter escaped: the same name (BH-BODY-004). */
static const char *escaped(const char *name) {
  return name && strlen(name) > 2 ? format("\"\\u%04x%s", (unsigned char)name[1], name + 2) : name;
}

static void spoil(struct draft *draft) {
  struct member *member = &draft->members[draft->count ? random_below((uint32_t)draft->count) : 0];
  switch (draft->count ? random_below(6) : 6) {
  case 0:
    add(draft, member->name, member->value);
    break;
  case 1:
    add(draft, escaped(member->name), member->value);
    break;
  case 2:
    *member = draft->members[--draft->count];
    break;
  case 3:
    member->name = escaped(member->name); /* which is right */
    break;
  case 4:
    add(draft, PICK("\"instance\"", "\"window\"", "\"role\"", "\"for\"", "\"name\"", "\"x\""), wrong_value());
    break;
  default:
    if (draft->count) {
      member->value = wrong_value();
    }
    break;
  }
}

static void write_members(bh_buffer *out, const struct draft *draft) {
  draw_space(out);
  draw_text(out, "{");
  for (size_t i = 0; i < draft->count; i++) {
    draw_text(out, i ? "," : "");
    draw_space(out);
    draw_text(out, draft->members[i].name);
    draw_space(out);
    draw_text(out, ":");
    draw_space(out);
    draw_text(out, draft->members[i].value);
    draw_space(out);
  }
  draw_text(out, "}");
  draw_space(out);
}

/* What is no object, or one that is too deep or too long. */
static void write_no_object(bh_buffer *out) {
  switch (random_below(5)) {
  case 0:
    draw_value(out, 3);
    break;
  case 1:
    draw_text(out, "{\"deep\":");
    draw_deep(out, 62 + random_below(4));
    draw_text(out, "}");
    break;
  case 2:
    draw_text(out,
              PICK("{}{}", "{},", "{", "}", "{\"a\"}", "{\"a\":1,}", "{,}", "[]", "null", "\xef\xbb\xbf{}", "{}\x01",
                   "{'a':1}", "{\"a\":01}", "{\"a\":+1}", "{\"a\":.5}", "{\"a\":1.}", "{\"a\":1e}", "{\"a\":tru}"));
    break;
  case 3:
    bh_buffer_append(out, "{}\0", 3);
    break;
  default:
    draw_object(out, 6);
    break;
  }
}

void draw_body(bh_buffer *out, const char *type, const char *instance, uint32_t wrongness) {
  struct draft draft = {.count = 0};
  if (draw_once_in(LONGEST_ONCE_IN)) { /* as long as a body of a client may be, or a little shorter */
    draw_text(out, format("{\"x\":\"%s\"}", repeat("x", 65536 - 8 - random_below(2))));
    return;
  }
  if (draw_once_in(wrongness * 3)) {
    write_no_object(out);
    return;
  }
  draft_members(&draft, type, instance);
  while (draw_once_in(wrongness)) {
    spoil(&draft);
  }
  if (draft.count > 0 || draw_once_in(2)) { /* an empty body stands for {} */
    write_members(out, &draft);
  }
}

/* ------------------------------------------------------------------------------------------------------ the message */

static const char *draw_type(uint32_t wrongness) {
  if (draw_once_in(wrongness)) {
    return PICK("NO_SUCH_TYPE", "_", "REGISTERS", "REGISTE", "ACKS", "ABCDEFGHIJKLMNOPQRSTUVWXYZ_ABCDE", "IMPORT_DATA");
  }
  return PICK("HEARTBEAT", "HEARTBEAT", "CLAIM_ACTIVE", "CLAIM_ACTIVE", "RELEASE_ACTIVE", "REGISTER", "ACK", "ERROR",
              "IMPORT_DATA", "UNKNOWN");
}

static const char *wrong_id(uint32_t id) {
  switch (random_below(4)) {
  case 0:
    return format("%u", id + 1);
  case 1:
    return format("0%u", id);
  case 2:
    return format("%u", id - 1);
  default:
    return PICK("0", "", "-1", "4294967296", "4294967295", "18446744073709551617", "1x", "+1", "99999999999999999999");
  }
}

static const char *wrong_length(size_t size) {
  switch (random_below(5)) {
  case 0:
    return format("%zu", size + 1);
  case 1:
    return format("0%zu", size);
  case 2:
    return format("%zu", size ? size - 1 : 1);
  default:
    return PICK("65537", "65536", "67108864", "67108865", "4294967296", "18446744073709551616", "", "-1", "1e1", "0x10",
                "99999999999999999999999");
  }
}

static void draw_message(bh_buffer *out, const char *type, uint32_t id, const bh_buffer *body, uint32_t wrongness) {
  const char *parts[] = {"BH1", " ", type, " ", format("%u", id), " ", format("%zu", body->size), "\n"};
  size_t count = sizeof parts / sizeof *parts;
  if (draw_once_in(wrongness * 2)) {
    size_t part = random_below((uint32_t)count);
    const char *const wrong[] = {PICK("BH2", "bh1", "BH", "BH11", "", "GET", "\357\273\277BH1", "\x16\x03\x01"),
                                 PICK("", "  ", "\t", "\n"),
                                 PICK("", "register", "ABCDEFGHIJKLMNOPQRSTUVWXYZ_ABCDEFG", "ACK1", "A-B", "\xc3\x89"),
                                 PICK("", "  ", "\t", "\n"),
                                 wrong_id(id),
                                 PICK("", "  ", "\t", "\n"),
                                 wrong_length(body->size),
                                 PICK("", "\r\n", " \n", "\n\n", " ")};
    parts[part] = wrong[part];
  }
  for (size_t i = 0; i < count; i++) {
    draw_text(out, parts[i]);
  }
  bh_buffer_append(out, body->octets, body->size);
}

static const char *draw_instance(void) {
  return draw_once_in(3) ? "" : format("fuzz-%u", random_below(INSTANCES));
}

/* The first message registers, mostly; the last one leaves, now and then. */
static const char *type_at(uint32_t at, uint32_t count, uint32_t wrongness) {
  if (at == 0 && random_below(6)) {
    return "REGISTER";
  }
  if (at + 1 == count && draw_once_in(5)) {
    return "UNREGISTER";
  }
  return draw_type(wrongness);
}

void draw_conversation(bh_buffer *out, uint32_t wrongness) {
  for (uint32_t i = 0, id = 1, count = 1 + random_below(MESSAGES_MAX); i < count; i++) {
    bh_buffer body = draw_buffer();
    const char *type = type_at(i, count, wrongness);
    uint32_t degree = i ? wrongness : wrongness * FIRST_RIGHT; /* what comes behind depends on it */
    draw_body(&body, type, draw_instance(), degree);
    draw_message(out, type, id, &body, degree);
    id += 1 - draw_once_in(wrongness * 8); /* sent twice */
    bh_buffer_free(&body);
  }
}
