/* SPDX-License-Identifier: MIT */
#include "bridgehub.h"
#include "vectors.h"

#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static void tell(const bh_import *import, char *out, size_t capacity) {
  snprintf(out, capacity, "%" PRIu64 " %s %" PRIu32 " %" PRIu32 " %s", import->sequence, import->import,
           import->attempt, import->deaths, import->holder);
}

static void tell_expected(bh_node record, char *out, size_t capacity) {
  char sequence[32];
  char import[64];
  char holder[BH_INSTANCE_ID_MAX + 2];

  bh_node_text(bh_node_member(record, "sequence"), sequence, sizeof sequence);
  bh_node_text(bh_node_member(record, "import"), import, sizeof import);
  bh_node_text(bh_node_member(record, "holder"), holder, sizeof holder);
  snprintf(out, capacity, "%s %s %" PRIu64 " %" PRIu64 " %s", sequence, import,
           bh_node_number(bh_node_member(record, "attempt")), bh_node_number(bh_node_member(record, "deaths")), holder);
}

static void check_valid(uint64_t id, const char *name, bh_node record) {
  char got[256];
  char want[256];
  char again[BH_SPOOL_NAME_MAX];
  bh_import import;

  cr_assert(bh_spool_name_parse(name, &import), "tcId %" PRIu64 " is refused", id);
  tell(&import, got, sizeof got);
  tell_expected(record, want, sizeof want);
  cr_assert_str_eq(got, want, "tcId %" PRIu64 ": %s, not %s", id, got, want);
  bh_spool_name(&import, again);
  cr_assert_str_eq(again, name, "tcId %" PRIu64 " is written as %s", id, again);
}

static void check_invalid(uint64_t id, const char *name) {
  bh_import import;
  bh_import before;

  memset(&import, 0x55, sizeof import);
  before = import;
  cr_assert_not(bh_spool_name_parse(name, &import), "tcId %" PRIu64 " is taken", id);
  cr_assert_arr_eq(&import, &before, sizeof import, "tcId %" PRIu64 " leaves something behind", id);
}

Test(spool_name, vectors) {
  bh_vectors *file = bh_vectors_open("spool_name.json");
  bh_vector vector = {0};

  cr_assert_not_null(file);
  while (bh_vectors_next(file, &vector)) {
    uint64_t id = bh_node_number(bh_node_member(vector.test, "tcId"));
    bh_expanded name;
    cr_assert(bh_node_octets(bh_node_member(vector.test, "octets"), &name));
    name.octets[name.size] = '\0'; /* there is room for it */
    if (bh_node_is(bh_node_member(vector.test, "result"), "valid")) {
      check_valid(id, (const char *)name.octets, bh_node_member(vector.test, "record"));
    } else {
      check_invalid(id, (const char *)name.octets);
    }
    bh_expanded_free(&name);
  }
  bh_vectors_close(file);
}
