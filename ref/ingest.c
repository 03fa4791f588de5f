/* SPDX-License-Identifier: MIT */
#include "bridge.h"

#include <string.h>

/* The connections from Bridge (spec/protocol.md, section 5): values out of octets, limits, silence. */

enum {
  SILENCE_TIMEOUTS = 6,
  /* One more than the limit is open until the driver has taken the CLOSE of the one that had to go. */
  SLOTS = 2 * BH_BRIDGE_CONNECTIONS_MAX,
};

/* What bh_ingest_poll() has to say next of a connection's value. */
typedef enum {
  STEP_READ,
  STEP_OPEN_ARRAY, /* an object stands for an array of one */
  STEP_CLOSE_ARRAY,
  STEP_COMMIT,
} step;

typedef struct {
  bh_bridge id; /* 0: a free slot */
  bh_stream stream;
  step step;
  bool begun;          /* BEGIN was told, and neither COMMIT nor DROP yet */
  uint32_t value_size; /* octets of the value as they came */
  const uint8_t *octets;
  size_t size; /* of what came and was not yet read */
  uint64_t heard;
  uint64_t turn; /* which of the connections was heard last: the clock is too coarse to tell */
  bool closing;
  bool orderly;
  const char *reason;
} connection;

struct bh_ingest {
  bh_allocator allocator;
  uint32_t heartbeat_ms;
  uint64_t silence_ms;
  bh_bridge last_id;
  uint64_t turns;
  connection slots[SLOTS];
};

bh_ingest *bh_ingest_new(uint32_t heartbeat_ms, uint32_t timeout_ms, bh_allocator allocator) {
  bh_ingest *ingest = allocator.resize(allocator.ctx, NULL, sizeof *ingest);

  if (ingest == NULL) {
    return NULL;
  }
  memset(ingest, 0, sizeof *ingest);
  ingest->allocator = allocator;
  ingest->heartbeat_ms = heartbeat_ms;
  ingest->silence_ms = (uint64_t)SILENCE_TIMEOUTS * timeout_ms;
  return ingest;
}

void bh_ingest_free(bh_ingest *ingest) {
  if (ingest != NULL) {
    ingest->allocator.resize(ingest->allocator.ctx, ingest, 0);
  }
}

static connection *find(bh_ingest *ingest, bh_bridge id) {
  for (size_t i = 0; id != 0 && i < SLOTS; i++) {
    if (ingest->slots[i].id == id) {
      return &ingest->slots[i];
    }
  }
  return NULL;
}

/*
 * Orderly only where the sender is done by its own word. Where the hub has enough, the sender may have sent more by
 * then, and would take the orderly end for the answer to it (BH-INGEST-018).
 */
static void close_later(connection *c, bool orderly, const char *reason) {
  if (!c->closing) {
    c->closing = true;
    c->orderly = orderly && !c->begun && !c->stream.inside;
    c->reason = reason;
    c->size = 0;
    c->step = STEP_READ;
  }
}

/* ---- opening */

static void hear(bh_ingest *ingest, connection *c, uint64_t now) {
  c->heard = now;
  c->turn = ++ingest->turns;
}

static void close_longest_silent(bh_ingest *ingest) {
  connection *silent = NULL;
  size_t open = 0;

  for (size_t i = 0; i < SLOTS; i++) {
    connection *c = &ingest->slots[i];
    if (c->id == 0 || c->closing) {
      continue;
    }
    open++;
    if (silent == NULL || c->turn < silent->turn) {
      silent = c;
    }
  }
  if (open >= BH_BRIDGE_CONNECTIONS_MAX) {
    close_later(silent, false, "too many connections, and this one was silent the longest");
  }
}

static bh_bridge next_id(bh_ingest *ingest) {
  do {
    ingest->last_id++;
  } while (ingest->last_id == 0 || find(ingest, ingest->last_id) != NULL);
  return ingest->last_id;
}

static connection *free_slot(bh_ingest *ingest) {
  for (size_t i = 0; i < SLOTS; i++) {
    if (ingest->slots[i].id == 0) {
      return &ingest->slots[i];
    }
  }
  return NULL;
}

bh_bridge bh_ingest_open(bh_ingest *ingest, uint64_t now) {
  connection *c = free_slot(ingest);

  if (c == NULL) {
    return 0;
  }
  close_longest_silent(ingest);
  memset(c, 0, sizeof *c);
  bh_stream_init(&c->stream);
  hear(ingest, c, now);
  c->id = next_id(ingest);
  return c->id;
}

/* ---- input */

int bh_ingest_recv(bh_ingest *ingest, bh_bridge bridge, const uint8_t *octets, size_t size, uint64_t now) {
  connection *c = find(ingest, bridge);

  if (c == NULL || c->closing) {
    return BH_E_CLOSED;
  }
  if (c->size > 0 || c->step != STEP_READ) {
    return BH_E_STATE;
  }
  c->octets = octets;
  c->size = size;
  if (size > 0) {
    hear(ingest, c, now);
  }
  return BH_OK;
}

void bh_ingest_end(bh_ingest *ingest, bh_bridge bridge, bool failed, uint64_t now) {
  connection *c = find(ingest, bridge);

  (void)now;
  if (c == NULL) {
    return;
  }
  if (failed) {
    close_later(c, false, "the connection broke");
  } else if (c->begun || c->stream.inside) {
    close_later(c, false, "the connection ended inside a value");
  } else {
    close_later(c, true, "the sender is done");
  }
}

void bh_ingest_abort(bh_ingest *ingest, bh_bridge bridge, const char *reason) {
  connection *c = find(ingest, bridge);

  if (c != NULL) {
    c->begun = false; /* the driver has dropped it */
    close_later(c, false, reason);
    c->orderly = false;
  }
}

/* ---- events */

static bool tell(const connection *c, bh_ingest_event *event, bh_ingest_kind kind) {
  memset(event, 0, sizeof *event);
  event->kind = kind;
  event->bridge = c->id;
  event->offset = c->stream.offset;
  return true;
}

static bool tell_octets(const connection *c, bh_ingest_event *event, const void *octets, size_t size) {
  tell(c, event, BH_INGEST_OCTETS);
  event->octets = octets;
  event->size = size;
  return true;
}

static bool tell_end_of_value(connection *c, bh_ingest_event *event) {
  c->step = STEP_READ;
  c->begun = false;
  return tell(c, event, c->stream.empty ? BH_INGEST_DROP : BH_INGEST_COMMIT);
}

static const char *wrong_octet(bh_json_error error) {
  switch (error) {
  case BH_JSON_DEPTH:
    return "a value is too deep";
  case BH_JSON_UTF8:
    return "an octet is not UTF-8";
  default:
    return "an octet is wrong for a run of JSON arrays and objects";
  }
}

/* Octets of the value in hand were read. False: nothing to tell of them, and the connection is to be closed. */
static bool take_value_octets(connection *c, const uint8_t *octets, size_t size, bh_ingest_event *event) {
  if (size > BH_BRIDGE_VALUE_MAX - c->value_size) {
    close_later(c, false, "a value is too long");
    return false;
  }
  c->value_size += (uint32_t)size;
  return tell_octets(c, event, octets, size);
}

/* Reads on until there is something to tell. False: nothing, and no octet is left or the connection is closing. */
static bool read_on(connection *c, bh_ingest_event *event) {
  while (c->size > 0 && !c->closing) {
    const uint8_t *octets = c->octets;
    size_t consumed = 0;
    bh_stream_status status = bh_stream_feed(&c->stream, octets, c->size, &consumed);

    c->octets += consumed;
    c->size -= consumed;
    switch (status) {
    case BH_STREAM_BEGIN:
      c->begun = true;
      c->value_size = 0;
      c->step = c->stream.object ? STEP_OPEN_ARRAY : STEP_READ;
      return tell(c, event, BH_INGEST_BEGIN);
    case BH_STREAM_VALUE:
      c->step = c->stream.object ? STEP_CLOSE_ARRAY : STEP_COMMIT;
      return take_value_octets(c, octets, consumed, event);
    case BH_STREAM_MORE:
      if (c->begun && consumed > 0) {
        return take_value_octets(c, octets, consumed, event);
      }
      break;
    case BH_STREAM_BYE:
      close_later(c, true, "Bye Megascans");
      break;
    case BH_STREAM_BROKEN:
      close_later(c, false, wrong_octet(c->stream.error));
      break;
    }
  }
  return false;
}

static bool tell_close(connection *c, bh_ingest_event *event) {
  if (c->begun) {
    c->begun = false;
    tell(c, event, BH_INGEST_DROP);
    event->reason = c->reason;
    return true;
  }
  tell(c, event, BH_INGEST_CLOSE);
  event->orderly = c->orderly;
  event->reason = c->reason;
  c->id = 0;
  return true;
}

static bool poll_connection(connection *c, bh_ingest_event *event) {
  if (!c->closing) {
    switch (c->step) {
    case STEP_READ:
      if (read_on(c, event)) {
        return true;
      }
      break;
    case STEP_OPEN_ARRAY:
      c->step = STEP_READ;
      return tell_octets(c, event, "[", 1);
    case STEP_CLOSE_ARRAY:
      c->step = STEP_COMMIT;
      return tell_octets(c, event, "]", 1);
    case STEP_COMMIT:
      return tell_end_of_value(c, event);
    }
  }
  return c->closing && tell_close(c, event);
}

bool bh_ingest_poll(bh_ingest *ingest, bh_ingest_event *event) {
  for (size_t i = 0; i < SLOTS; i++) {
    if (ingest->slots[i].id != 0 && poll_connection(&ingest->slots[i], event)) {
      return true;
    }
  }
  return false;
}

/* ---- time */

uint64_t bh_ingest_expiry(const bh_ingest *ingest) {
  uint64_t expiry = BH_NEVER;

  for (size_t i = 0; i < SLOTS; i++) {
    const connection *c = &ingest->slots[i];
    if (c->id != 0 && !c->closing && c->heard + ingest->silence_ms < expiry) {
      expiry = c->heard + ingest->silence_ms;
    }
  }
  return expiry;
}

void bh_ingest_expire(bh_ingest *ingest, uint64_t now) {
  uint64_t expiry = bh_ingest_expiry(ingest);
  /* This process itself was stopped (BH-TIME-007): the silence may be its own. */
  bool late = expiry != BH_NEVER && now >= expiry && now - expiry >= ingest->heartbeat_ms;

  for (size_t i = 0; i < SLOTS; i++) {
    connection *c = &ingest->slots[i];
    if (c->id == 0 || c->closing) {
      continue;
    }
    if (late) {
      c->heard = now;
    } else if (now >= c->heard + ingest->silence_ms) {
      close_later(c, false, "silent for too long");
    }
  }
}
