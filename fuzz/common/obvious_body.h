/* SPDX-License-Identifier: MIT */
#ifndef FUZZ_OBVIOUS_BODY_H
#define FUZZ_OBVIOUS_BODY_H

/*
 * A second reading of bodies and of the state file: the table of spec/protocol.md, section 3.2, line by line, and
 * section 8. As obvious.h, it exists to be compared with.
 */

#include "bridgehub.h"

enum { OBVIOUS_MEMBERS_MAX = 12, OBVIOUS_TEXT_MAX = BH_PROBLEM_MAX };

typedef enum { OBVIOUS_CLIENT, OBVIOUS_HUB, OBVIOUS_STATE_FILE } obvious_sender;

typedef struct {
  const char *name;
  bool there, null;
  uint64_t integer;
  char text[OBVIOUS_TEXT_MAX + 1]; /* of a string as it is meant, cut short where it is longer */
  size_t text_size;                /* whole */
  size_t begin, end;               /* of the value */
} obvious_member;

typedef struct {
  obvious_member members[OBVIOUS_MEMBERS_MAX]; /* those that the table names */
  size_t count;
  size_t wrong; /* where the first fault is, where there is one */
} obvious_body;

/* False: it breaks a rule of section 3.2, or of section 8, at body->wrong. `type` is "" for the state file. */
bool obvious_body_read(obvious_sender sender, const char *type, const uint8_t *octets, size_t size, obvious_body *body);
const obvious_member *obvious_body_member(const obvious_body *body, const char *name);

/* Where the value of a member of right JSON lies, named by the table or not. False: there is none. */
bool obvious_find(const uint8_t *object, size_t size, const char *name, size_t *begin, size_t *end);

/* The end of the value at `at`. */
size_t obvious_skip_value(const uint8_t *octets, size_t at);
/* From behind an element, or 1, to the next one of an array, or to the value of the next member. False: no more. */
bool obvious_next_element(const uint8_t *octets, size_t size, size_t *at);

/* The next {instance, pid, name} of an array of them, which was found right; `at` is 0 at first. False: no more. */
bool obvious_instances_next(const uint8_t *array, size_t size, size_t *at, obvious_body *instance);

typedef struct {
  size_t size; /* octets that it stands for */
  bool nul, unpaired;
} obvious_text;

/* What a JSON string stands for: as much of it as `capacity` holds in whole characters, and a 0. */
obvious_text obvious_string(const uint8_t *octets, size_t begin, size_t end, char *out, size_t capacity);

#endif
