/* SPDX-License-Identifier: MIT */
#ifndef FUZZ_OBVIOUS_SPOOL_H
#define FUZZ_OBVIOUS_SPOOL_H

/* A second reading of what lies in the spool: section 6.1 of spec/protocol.md. */

#include "bridgehub.h"

/* False: it is no name of an import. */
bool obvious_spool_name(const char *name, bh_import *import);
/* Whether the octets are one array of objects, and not an empty one: what a file of an import holds. */
bool obvious_is_import(const uint8_t *octets, size_t size);
/* The elements of an array, or members of an object; 0: it is no JSON. */
uint32_t obvious_count(const uint8_t *octets, size_t size);

#endif
