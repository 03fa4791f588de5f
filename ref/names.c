/* SPDX-License-Identifier: MIT */
#include "bridgehub.h"

#include <stddef.h>

static const char *const type_names[] = {
    [BH_TYPE_UNKNOWN] = "",
    [BH_REGISTER] = "REGISTER",
    [BH_UNREGISTER] = "UNREGISTER",
    [BH_CLAIM_ACTIVE] = "CLAIM_ACTIVE",
    [BH_RELEASE_ACTIVE] = "RELEASE_ACTIVE",
    [BH_HEARTBEAT] = "HEARTBEAT",
    [BH_IMPORT_DATA] = "IMPORT_DATA",
    [BH_ACK] = "ACK",
    [BH_ERROR] = "ERROR",
};

static const char *const code_names[] = {
    [BH_CODE_NONE] = "",
    [BH_CODE_MALFORMED] = "malformed",
    [BH_CODE_TOO_LARGE] = "too-large",
    [BH_CODE_UNKNOWN_TYPE] = "unknown-type",
    [BH_CODE_BAD_BODY] = "bad-body",
    [BH_CODE_UNSUPPORTED_PROTOCOL] = "unsupported-protocol",
    [BH_CODE_NOT_REGISTERED] = "not-registered",
    [BH_CODE_ALREADY_REGISTERED] = "already-registered",
    [BH_CODE_NOT_ACTIVE] = "not-active",
    [BH_CODE_NO_SUCH_INSTANCE] = "no-such-instance",
    [BH_CODE_SUPERSEDED] = "superseded",
    [BH_CODE_UNEXPECTED] = "unexpected",
    [BH_CODE_REFUSED] = "refused",
    [BH_CODE_OVERLOADED] = "overloaded",
};

const char *bh_version(void) {
  return BH_VERSION;
}

const char *bh_error_string(bh_error error) {
  switch (error) {
  case BH_E_NO_MEMORY:
    return "no memory";
  case BH_OK:
    return "no error";
  case BH_E_CLOSED:
    return "the connection is closed";
  case BH_E_INVALID:
    return "an argument is out of its limits";
  case BH_E_STATE:
    return "not possible now";
  case BH_E_FULL:
    return "a limit is reached";
  }
  return "unknown error";
}

const char *bh_type_name(bh_type type) {
  return (size_t)type < sizeof type_names / sizeof type_names[0] ? type_names[type] : "";
}

const char *bh_code_name(bh_code code) {
  return (size_t)code < sizeof code_names / sizeof code_names[0] ? code_names[code] : "";
}
