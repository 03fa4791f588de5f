/* SPDX-License-Identifier: MIT */
#include "bridgehub.h"

#include <criterion/criterion.h>

/* The words of the protocol. */

Test(names, types) {
  static const char *const names[] = {"",          "REGISTER",    "UNREGISTER", "CLAIM_ACTIVE", "RELEASE_ACTIVE",
                                      "HEARTBEAT", "IMPORT_DATA", "ACK",        "ERROR",        ""};

  for (int type = BH_TYPE_UNKNOWN; type <= BH_ERROR + 1; type++) {
    cr_assert_str_eq(bh_type_name((bh_type)type), names[type]);
  }
}

/* BH-MSG-011 */
Test(names, codes) {
  static const char *const names[] = {"",
                                      "malformed",
                                      "too-large",
                                      "unknown-type",
                                      "bad-body",
                                      "unsupported-protocol",
                                      "not-registered",
                                      "already-registered",
                                      "not-active",
                                      "no-such-instance",
                                      "superseded",
                                      "unexpected",
                                      "refused",
                                      "overloaded",
                                      ""};

  for (int code = BH_CODE_NONE; code <= BH_CODE_OVERLOADED + 1; code++) {
    cr_assert_str_eq(bh_code_name((bh_code)code), names[code]);
  }
}

Test(names, errors_are_said_in_words) {
  for (int error = BH_E_NO_MEMORY; error <= BH_E_FULL; error++) {
    cr_assert_str_neq(bh_error_string((bh_error)error), "unknown error");
    for (int other = BH_E_NO_MEMORY; other < error; other++) {
      cr_assert_str_neq(bh_error_string((bh_error)error), bh_error_string((bh_error)other));
    }
  }
  cr_assert_str_eq(bh_error_string((bh_error)99), "unknown error");
}

Test(names, version) {
  cr_assert_str_eq(bh_version(), BH_VERSION);
}
