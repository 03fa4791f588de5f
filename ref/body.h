/* SPDX-License-Identifier: MIT */
#ifndef BH_BODY_H
#define BH_BODY_H

#include "bridgehub.h"

/* The members of a message's body (spec/protocol.md, section 3.2), read strictly. */

typedef enum {
  BH_FROM_CLIENT,
  BH_FROM_HUB,
  BH_IN_STATE_FILE, /* not a message: the members of section 8, with type BH_TYPE_UNKNOWN */
} bh_sender;

typedef struct {
  const uint8_t *octets;
  size_t size;
} bh_octets;

/* Which members a body gave: bits of bh_body.given. */
enum {
  BH_M_PROTOCOL = 1 << 0,
  BH_M_PID = 1 << 1,
  BH_M_NAME = 1 << 2,
  BH_M_INSTANCE = 1 << 3,
  BH_M_WINDOW = 1 << 4,
  BH_M_ROLE = 1 << 5,
  BH_M_ACTIVE = 1 << 6,
  BH_M_WAITING = 1 << 7,
  BH_M_PARKED = 1 << 8,
  BH_M_INSTANCES = 1 << 9,
  BH_M_IMPORT = 1 << 10,
  BH_M_ATTEMPT = 1 << 11,
  BH_M_ASSETS = 1 << 12,
  BH_M_FOR = 1 << 13,
  BH_M_CODE = 1 << 14,
  BH_M_MESSAGE = 1 << 15,
  BH_M_HUB_PID = 1 << 16,
  BH_M_EPOCH = 1 << 17,
  BH_M_HEARTBEAT_MS = 1 << 18,
  BH_M_TIMEOUT_MS = 1 << 19,
  BH_M_VERSION = 1 << 20,
  BH_M_PORT = 1 << 21,
  BH_M_ACTIVE_INSTANCE = 1 << 22,
  BH_M_PROBLEM = 1 << 23,
};

typedef struct {
  uint32_t given;
  uint32_t protocol;
  uint32_t pid;
  uint32_t window; /* 1 where not given */
  bh_role role;    /* BH_ROLE_INSTANCE where not given */
  uint32_t waiting;
  uint32_t parked;
  uint32_t attempt;
  uint32_t answers; /* the member `for`; 0 for null */
  uint32_t hub_pid;
  uint32_t heartbeat_ms;
  uint32_t timeout_ms;
  uint32_t version;
  uint32_t port;
  uint64_t epoch;
  char name[BH_NAME_MAX + 1];
  char instance[BH_INSTANCE_ID_MAX + 1];
  char active[BH_INSTANCE_ID_MAX + 1]; /* "" for null */
  char import[BH_IMPORT_ID_MAX + 1];
  char code[BH_CODE_MAX + 1];
  char problem[BH_PROBLEM_MAX + 1];
  bh_octets message;         /* the JSON string with its quotation marks; see bh_body_text() */
  bh_octets assets;          /* the JSON array */
  bh_octets instances;       /* the JSON array; see bh_body_instances() */
  bh_octets active_instance; /* a JSON object; see bh_body_instance() */
} bh_body;

typedef struct {
  size_t offset;           /* in the body */
  const char *what;        /* static text */
  const char *requirement; /* "BH-BODY-004" */
} bh_body_fault;

/*
 * Reads the body of a message of `type` from `sender`. False: it is wrong, and `fault` says where and why. The spans
 * in `body` point into `octets`. A type that this sender does not send, and BH_TYPE_UNKNOWN, have no members.
 */
bool bh_body_read(bh_sender sender, bh_type type, const uint8_t *octets, size_t size, bh_body *body,
                  bh_body_fault *fault);

/*
 * The elements of `instances`, which bh_body_read() found right: writes up to `capacity` and returns how many there
 * are. last_seen is 0.
 */
size_t bh_body_instances(bh_octets instances, bh_instance_info *out, size_t capacity);

/* One {instance, pid, name} that bh_body_read() found right. */
void bh_body_instance(bh_octets object, bh_instance_info *out);

/*
 * Unescapes a JSON string (with its quotation marks, found right by the recogniser) into at most `capacity` - 1 octets
 * and a 0, cut at a whole character. Returns the octets that the whole text has. An unpaired surrogate becomes U+FFFD,
 * and so does \u0000.
 */
size_t bh_body_text(bh_octets string, char *out, size_t capacity);

#endif
