/* SPDX-License-Identifier: MIT */
#ifndef JSON_VIEW_H
#define JSON_VIEW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A look at JSON text, by the recogniser's outline. Values are runs of octets of the text that they were taken from. */

typedef struct {
  const uint8_t *octets;
  size_t size; /* 0: not there */
} octets;

octets octets_of_text(const char *text);
bool json_is_valid(octets text);
octets json_member(octets object, const char *name);
octets json_element(octets array, size_t index);
size_t json_count(octets array);              /* of elements or members */
bool json_is(octets value, const char *text); /* the same octets: "null", "17", "\"x\"" */
bool json_is_string(octets value);
bool json_is_array(octets value);
bool json_is_integer(octets value);
/* Unescaped, or NULL where it is no string. Free by free(). */
char *json_text(octets value);
uint64_t json_integer(octets value);

#endif
