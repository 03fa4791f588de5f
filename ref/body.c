/* SPDX-License-Identifier: MIT */
#include "body.h"

#include "json.h"
#include "json_text.h"

#include <string.h>

#define JSMN_STATIC
#include <jsmn.h>

/*
 * One table of the members, one of the bodies that they make up (section 3.2). Everything that depends on the type of
 * a message stands in these tables; the code below knows kinds of values only.
 */

typedef enum {
  KIND_INTEGER,     /* uint32_t */
  KIND_INTEGER_53,  /* uint64_t */
  KIND_STRING,      /* char array, `most` octets and a 0 */
  KIND_INSTANCE_ID, /* char array */
  KIND_ROLE,        /* bh_role */
  KIND_TEXT,        /* bh_octets: a string of any length */
  KIND_ARRAY,       /* bh_octets */
  KIND_INSTANCE,    /* bh_octets */
  KIND_INSTANCES,   /* bh_octets */
} kind;

typedef struct {
  const char *name;
  uint32_t bit;
  kind kind;
  uint64_t least; /* of an integer its value, of a string its octets */
  uint64_t most;
  size_t at; /* of the field in bh_body */
} member;

#define AT(field) offsetof(bh_body, field)
#define EPOCH_MAX 9007199254740991u

static const member members[] = {
    {"protocol", BH_M_PROTOCOL, KIND_INTEGER, 0, UINT32_MAX, AT(protocol)},
    {"pid", BH_M_PID, KIND_INTEGER, 0, UINT32_MAX, AT(pid)},
    {"name", BH_M_NAME, KIND_STRING, 1, BH_NAME_MAX, AT(name)},
    {"instance", BH_M_INSTANCE, KIND_INSTANCE_ID, 1, BH_INSTANCE_ID_MAX, AT(instance)},
    {"window", BH_M_WINDOW, KIND_INTEGER, 1, BH_WINDOW_MAX, AT(window)},
    {"role", BH_M_ROLE, KIND_ROLE, 0, 0, AT(role)},
    {"active", BH_M_ACTIVE, KIND_INSTANCE_ID, 1, BH_INSTANCE_ID_MAX, AT(active)},
    {"waiting", BH_M_WAITING, KIND_INTEGER, 0, UINT32_MAX, AT(waiting)},
    {"parked", BH_M_PARKED, KIND_INTEGER, 0, UINT32_MAX, AT(parked)},
    {"instances", BH_M_INSTANCES, KIND_INSTANCES, 0, 0, AT(instances)},
    {"import", BH_M_IMPORT, KIND_STRING, 1, BH_IMPORT_ID_MAX, AT(import)},
    {"attempt", BH_M_ATTEMPT, KIND_INTEGER, 1, UINT32_MAX, AT(attempt)},
    {"assets", BH_M_ASSETS, KIND_ARRAY, 0, 0, AT(assets)},
    {"problem", BH_M_PROBLEM, KIND_STRING, 1, BH_PROBLEM_MAX, AT(problem)},
    {"for", BH_M_FOR, KIND_INTEGER, 1, UINT32_MAX, AT(answers)},
    {"code", BH_M_CODE, KIND_STRING, 1, BH_CODE_MAX, AT(code)},
    {"message", BH_M_MESSAGE, KIND_TEXT, 0, 0, AT(message)},
    {"hub_pid", BH_M_HUB_PID, KIND_INTEGER, 0, UINT32_MAX, AT(hub_pid)},
    {"epoch", BH_M_EPOCH, KIND_INTEGER_53, 0, EPOCH_MAX, AT(epoch)},
    {"heartbeat_ms", BH_M_HEARTBEAT_MS, KIND_INTEGER, 0, UINT32_MAX, AT(heartbeat_ms)},
    {"timeout_ms", BH_M_TIMEOUT_MS, KIND_INTEGER, 0, UINT32_MAX, AT(timeout_ms)},
    {"version", BH_M_VERSION, KIND_INTEGER, 1, 1, AT(version)},
    {"port", BH_M_PORT, KIND_INTEGER, 1, UINT16_MAX, AT(port)},
    {"active_instance", BH_M_ACTIVE_INSTANCE, KIND_INSTANCE, 0, 0, AT(active_instance)},
};

typedef struct {
  bh_sender sender;
  bh_type type;
  uint32_t required;
  uint32_t optional;
  uint32_t nullable; /* of these, the ones that may be null */
} form;

static const form forms[] = {
    {BH_FROM_CLIENT, BH_REGISTER, BH_M_PROTOCOL | BH_M_PID | BH_M_NAME, BH_M_INSTANCE | BH_M_WINDOW | BH_M_ROLE, 0},
    {BH_FROM_CLIENT, BH_CLAIM_ACTIVE, 0, BH_M_INSTANCE, 0},
    {BH_FROM_CLIENT, BH_ACK, BH_M_FOR, 0, 0},
    {BH_FROM_CLIENT, BH_ERROR, BH_M_FOR | BH_M_CODE | BH_M_MESSAGE, 0, BH_M_FOR},
    {BH_FROM_HUB, BH_HEARTBEAT, BH_M_ACTIVE | BH_M_WAITING | BH_M_PARKED, BH_M_INSTANCES | BH_M_PROBLEM, BH_M_ACTIVE},
    {BH_FROM_HUB, BH_IMPORT_DATA, BH_M_IMPORT | BH_M_ATTEMPT | BH_M_ASSETS, 0, 0},
    {BH_FROM_HUB, BH_ACK, BH_M_FOR,
     BH_M_INSTANCE | BH_M_HUB_PID | BH_M_EPOCH | BH_M_HEARTBEAT_MS | BH_M_TIMEOUT_MS | BH_M_ACTIVE, BH_M_ACTIVE},
    {BH_FROM_HUB, BH_ERROR, BH_M_FOR | BH_M_CODE | BH_M_MESSAGE, 0, BH_M_FOR},
    {BH_IN_STATE_FILE, BH_TYPE_UNKNOWN, BH_M_VERSION | BH_M_HUB_PID | BH_M_EPOCH | BH_M_PORT | BH_M_ACTIVE_INSTANCE, 0,
     BH_M_HUB_PID | BH_M_ACTIVE_INSTANCE},
};

/* The types that have no members of their own. */
static const form empty_form = {.type = BH_TYPE_UNKNOWN};

/* An element of `instances`. */
static const form instance_form = {.required = BH_M_INSTANCE | BH_M_PID | BH_M_NAME};

static const form *find_form(bh_sender sender, bh_type type) {
  for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
    if (forms[i].sender == sender && forms[i].type == type) {
      return &forms[i];
    }
  }
  return &empty_form;
}

static bool fail(bh_body_fault *fault, const char *what, const char *requirement) {
  fault->what = what;
  fault->requirement = requirement;
  return false;
}

/* ---- values */

/* What kind of JSON value it is: one token, because what is inside an array or object is read later, or never. */
static jsmntype_t value_type(bh_octets value) {
  jsmn_parser parser;
  jsmntok_t token = {.type = JSMN_UNDEFINED};

  jsmn_init(&parser);
  jsmn_parse(&parser, (const char *)value.octets, value.size, &token, 1);
  return token.type;
}

static bool is_null(bh_octets value) {
  return value.size == 4 && memcmp(value.octets, "null", 4) == 0;
}

static bool read_integer(bh_octets value, const member *m, uint64_t *out, bh_body_fault *fault) {
  uint64_t number = 0;

  if (value_type(value) != JSMN_PRIMITIVE || value.octets[0] > '9') {
    return fail(fault, "a number is wanted here", "BH-BODY-008");
  }
  for (size_t i = 0; i < value.size; i++) {
    uint8_t digit = value.octets[i];
    if (digit < '0' || digit > '9') {
      return fail(fault, "an integer has no sign, fraction or exponent", "BH-BODY-005");
    }
    if (m->most < (uint64_t)(digit - '0') || number > (m->most - (digit - '0')) / 10) {
      return fail(fault, "the integer is too large", "BH-BODY-005");
    }
    number = number * 10 + (digit - '0');
  }
  if (number < m->least) {
    return fail(fault, "the integer is too small", "BH-BODY-005");
  }
  *out = number;
  return true;
}

/* Checks a string and writes it where `out` is not NULL, which has room for m->most octets and a 0. */
static bool read_string(bh_octets value, const member *m, char *out, bh_body_fault *fault) {
  bh_text_info text;

  if (value_type(value) != JSMN_STRING) {
    return fail(fault, "a string is wanted here", "BH-BODY-008");
  }
  text = bh_text_decode(value, out, out == NULL ? 0 : (size_t)m->most + 1);
  if (text.nul) {
    return fail(fault, "a string of a named member holds \\u0000", "BH-BODY-006");
  }
  if (text.unpaired) {
    return fail(fault, "a string of a named member holds an unpaired surrogate", "BH-BODY-006");
  }
  if (out != NULL && (text.size < m->least || text.size > m->most)) {
    return fail(fault, text.size < m->least ? "the string is too short" : "the string is too long", "BH-BODY-008");
  }
  return true;
}

static bool is_instance_id(const char *text) {
  for (; *text != '\0'; text++) {
    char c = *text;
    if (!((c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-')) {
      return false;
    }
  }
  return true;
}

static bool read_instance_id(bh_octets value, const member *m, char *out, bh_body_fault *fault) {
  if (!read_string(value, m, out, fault)) {
    return false;
  }
  return is_instance_id(out) || fail(fault, "an instance id has only A-Z, a-z, 0-9 and -", "BH-BODY-008");
}

static bool read_role(bh_octets value, bh_role *out, bh_body_fault *fault) {
  static const member word = {.least = 0, .most = 16};
  char text[17];

  if (!read_string(value, &word, text, fault)) {
    return false;
  }
  if (strcmp(text, "instance") != 0 && strcmp(text, "observer") != 0) {
    return fail(fault, "a role is \"instance\" or \"observer\"", "BH-BODY-008");
  }
  *out = text[0] == 'o' ? BH_ROLE_OBSERVER : BH_ROLE_INSTANCE;
  return true;
}

static bool read_array(bh_octets value, bh_octets *out, bh_body_fault *fault) {
  if (value_type(value) != JSMN_ARRAY) {
    return fail(fault, "an array is wanted here", "BH-BODY-008");
  }
  *out = value;
  return true;
}

/* ---- objects */

typedef struct {
  const form *form;
  const uint8_t *octets;
  size_t size;
  bh_body *body;
  bh_body_fault *fault;
} object;

static bool read_instance_object(bh_octets value, bh_octets *out, bh_body_fault *fault);
static bool read_instances(bh_octets value, bh_octets *out, bh_body_fault *fault);

static bool read_value(bh_octets value, const member *m, bh_body *body, bh_body_fault *fault) {
  void *field = (char *)body + m->at;
  uint64_t integer = 0;

  switch (m->kind) {
  case KIND_INTEGER:
    if (!read_integer(value, m, &integer, fault)) {
      return false;
    }
    *(uint32_t *)field = (uint32_t)integer;
    return true;
  case KIND_INTEGER_53:
    return read_integer(value, m, (uint64_t *)field, fault);
  case KIND_STRING:
    return read_string(value, m, (char *)field, fault);
  case KIND_INSTANCE_ID:
    return read_instance_id(value, m, (char *)field, fault);
  case KIND_ROLE:
    return read_role(value, (bh_role *)field, fault);
  case KIND_TEXT:
    *(bh_octets *)field = value;
    return read_string(value, m, NULL, fault);
  case KIND_ARRAY:
    return read_array(value, (bh_octets *)field, fault);
  case KIND_INSTANCE:
    return read_instance_object(value, (bh_octets *)field, fault);
  case KIND_INSTANCES:
    return read_instances(value, (bh_octets *)field, fault);
  }
  return false;
}

static const member *find_member(const form *form, bh_octets key) {
  char name[24]; /* longer than every name in the table: a longer key is cut and matches none */

  if (bh_text_decode(key, name, sizeof name).size >= sizeof name) {
    return NULL;
  }
  for (size_t i = 0; i < sizeof members / sizeof members[0]; i++) {
    const member *m = &members[i];
    /* The first octet tells nearly all of them apart, for less than a call. */
    if (m->name[0] == name[0] && ((form->required | form->optional) & m->bit) != 0 && strcmp(m->name, name) == 0) {
      return m;
    }
  }
  return NULL;
}

static bool read_member(object *o, const bh_json *json) {
  bh_octets key = {o->octets + json->key.begin, (size_t)(json->key.end - json->key.begin)};
  bh_octets value = {o->octets + json->value.begin, (size_t)(json->value.end - json->value.begin)};
  const member *m = find_member(o->form, key);

  if (m == NULL) {
    return true;
  }
  o->fault->offset = (size_t)json->key.begin;
  if ((o->body->given & m->bit) != 0) {
    return fail(o->fault, "a named member stands twice", "BH-BODY-004");
  }
  o->body->given |= m->bit;
  o->fault->offset = (size_t)json->value.begin;
  if ((o->form->nullable & m->bit) != 0 && is_null(value)) {
    return true;
  }
  return read_value(value, m, o->body, o->fault);
}

static bool read_end(object *o) {
  if ((o->form->required & ~o->body->given) != 0) {
    o->fault->offset = o->size;
    return fail(o->fault, "a member that is not optional is missing", "BH-BODY-008");
  }
  return true;
}

static bool broken(bh_body_fault *fault, const bh_json *json) {
  fault->offset = (size_t)json->offset;
  return fail(fault, bh_json_error_string(json->error), "BH-BODY-001");
}

static bool is_object(const uint8_t *octets, size_t size) {
  return value_type((bh_octets){octets, size}) == JSMN_OBJECT;
}

/*
 * Reads an object that may turn out not to be JSON at any octet. What is wrong with a member is kept until the text is
 * known to be JSON: that it is not says more.
 */
static bool read_object(object *o) {
  bh_body_fault *fault = o->fault;
  bool right = true;
  size_t taken = 0;
  bh_json json;

  bh_json_init(&json, BH_DEPTH_MAX, true);
  for (;;) {
    size_t consumed = 0;
    bh_json_status status = bh_json_feed(&json, o->octets + taken, o->size - taken, &consumed);
    taken += consumed;
    if (status == BH_JSON_BROKEN) {
      return broken(fault, &json);
    }
    if (status == BH_JSON_MORE) {
      break;
    }
    if (right && json.key.end > json.key.begin) {
      right = read_member(o, &json);
    }
  }
  if (bh_json_end(&json) == BH_JSON_BROKEN) {
    return broken(fault, &json);
  }
  if (!is_object(o->octets, o->size)) {
    fault->offset = 0;
    return fail(fault, "a body is one JSON object", "BH-BODY-001");
  }
  return right && read_end(o);
}

/* ---- instances */

typedef struct {
  bh_octets array;
  size_t taken;
  bh_json json;
} elements;

static void elements_begin(elements *e, bh_octets array) {
  e->array = array;
  e->taken = 0;
  bh_json_init(&e->json, BH_DEPTH_MAX, true);
}

static bool elements_next(elements *e, bh_octets *element) {
  size_t consumed = 0;

  if (bh_json_feed(&e->json, e->array.octets + e->taken, e->array.size - e->taken, &consumed) != BH_JSON_MEMBER) {
    return false;
  }
  e->taken += consumed;
  *element = (bh_octets){e->array.octets + e->json.value.begin, (size_t)(e->json.value.end - e->json.value.begin)};
  return true;
}

static bool read_instance(bh_octets element, bh_body *body, bh_body_fault *fault) {
  object o = {.form = &instance_form, .octets = element.octets, .size = element.size, .body = body, .fault = fault};

  memset(body, 0, sizeof *body);
  if (value_type(element) != JSMN_OBJECT) {
    return fail(fault, "an element of `instances` is an object", "BH-BODY-008");
  }
  return read_object(&o);
}

static bool read_instance_object(bh_octets value, bh_octets *out, bh_body_fault *fault) {
  size_t place = fault->offset;
  bh_body body;

  fault->offset = 0;
  if (!read_instance(value, &body, fault)) {
    fault->offset += place;
    return false;
  }
  *out = value;
  return true;
}

static bool read_instances(bh_octets value, bh_octets *out, bh_body_fault *fault) {
  size_t place = fault->offset;
  elements walk;
  bh_octets element;
  bh_body body;

  if (!read_array(value, out, fault)) {
    return false;
  }
  elements_begin(&walk, value);
  while (elements_next(&walk, &element)) {
    fault->offset = 0;
    if (!read_instance(element, &body, fault)) {
      fault->offset += place + (size_t)(element.octets - value.octets);
      return false;
    }
  }
  fault->offset = place;
  return true;
}

void bh_body_instance(bh_octets object, bh_instance_info *out) {
  bh_body_fault fault;
  bh_body body;

  memset(out, 0, sizeof *out);
  if (read_instance(object, &body, &fault)) {
    memcpy(out->instance, body.instance, sizeof body.instance);
    memcpy(out->name, body.name, sizeof body.name);
    out->pid = body.pid;
  }
}

size_t bh_body_instances(bh_octets instances, bh_instance_info *out, size_t capacity) {
  elements walk;
  bh_octets element;
  size_t count = 0;

  elements_begin(&walk, instances);
  while (elements_next(&walk, &element)) {
    if (count < capacity) {
      bh_body_instance(element, &out[count]);
    }
    count++;
  }
  return count;
}

/* ---- bodies */

bool bh_body_read(bh_sender sender, bh_type type, const uint8_t *octets, size_t size, bh_body *body,
                  bh_body_fault *fault) {
  object o = {.form = find_form(sender, type), .octets = octets, .size = size, .body = body, .fault = fault};

  memset(body, 0, sizeof *body);
  memset(fault, 0, sizeof *fault);
  body->window = 1;
  body->role = BH_ROLE_INSTANCE;
  return size == 0 ? read_end(&o) : read_object(&o);
}

size_t bh_body_text(bh_octets string, char *out, size_t capacity) {
  return bh_text_decode(string, out, capacity).size;
}
