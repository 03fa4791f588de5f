/* SPDX-License-Identifier: MIT */
#include "imports.h"

#include "bridgehub.h"
#include "steps.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* ---- payloads */

char *payload(const char *file, size_t *size) {
  const char *directory = getenv("BH_PAYLOADS");
  char *octets = file_read(format("%s/%s", directory == NULL ? "spec/payloads" : directory, file), size);

  if (octets == NULL) {
    skip("the payload %s is not found: payloads/ lies beside the directory that --vectors names", file);
  }
  return octets;
}

size_t trimmed_size(const char *octets, size_t size) {
  while (size > 0 && strchr(" \t\r\n", octets[size - 1]) != NULL) {
    size--;
  }
  return size;
}

/* ---- IMPORT_DATA */

const char *import_of(const struct message *import) {
  return json_text(&import->json, "import");
}

uint64_t attempt_of(const struct message *import) {
  return json_integer(&import->json, "attempt");
}

/* What came, by every connection of the case. */
static struct taken {
  const struct conn *conn;
  const char *import;
  struct taken *next;
} * taken;

static bool is_about_order(void) {
  static const char *const ids[] = {"BH-ROUTE-002",  "BH-ROUTE-004",  "BH-ROUTE-007",
                                    "BH-INGEST-003", "BH-INGEST-006", "BH-SPOOL-006"};

  for (size_t i = 0; i < sizeof ids / sizeof ids[0]; i++) {
    if (judges(ids[i])) {
      return true;
    }
  }
  return false;
}

static bool was_taken(const struct conn *conn, const char *import) {
  for (const struct taken *t = taken; t != NULL; t = t->next) {
    if (t->conn == conn && strcmp(t->import, import) == 0) {
      return true;
    }
  }
  return false;
}

static void take(const struct conn *conn, const struct message *import) {
  struct taken *t = allocate(sizeof *t);

  *t = (struct taken){.conn = conn, .import = import_of(import), .next = taken};
  taken = t;
}

/* In the wrong order, which is told and says nothing about what other cases judge. */
static bool is_another(const struct conn *conn, const struct message *import, const char *came, size_t size) {
  return !is_about_order() && !was_taken(conn, import_of(import)) && bridge_exported(came, size);
}

/* Where the assets themselves are what it is about, a body that they break is no other requirement's. */
static bool is_about_assets(void) {
  return judges("BH-INGEST-003") || judges("BH-INGEST-004") || judges("BH-INGEST-008") || judges("BH-INGEST-009") ||
         judges("BH-INGEST-011") || judges("BH-BODY-010") || judges("BH-SPOOL-008");
}

const struct message *expect_assets_octets(struct conn *conn, const void *assets, size_t size) {
  const struct message *import = expect_message(conn, "IMPORT_DATA");
  EXPECT(import->json.valid || !is_about_assets(), "the import's assets are what Bridge sent", "they are not JSON: %s",
         printable(import->json.text, import->json.size, 200));
  size_t came_size = 0;
  const char *came = json_octets(&import->json, "assets", &came_size);
  bool same = came_size == size && memcmp(came, assets, size) == 0;

  if (!same && !judges("BH-INGEST-004") && !judges("BH-BODY-010") && json_same(came, came_size, assets, size)) {
    breach("BH-INGEST-004", "%s came to %s written otherwise than it was exported: %s", import_of(import), conn->name,
           printable(came, came_size, 200));
    same = true;
  }
  if (!same && is_another(conn, import, came, came_size)) {
    breach("BH-ROUTE-002", "%s came to %s before one that was exported sooner", import_of(import), conn->name);
    same = true;
  }
  take(conn, import);
  EXPECT(same, "the import's assets are what Bridge sent", "%u octets were sent, and %u came: %s", (unsigned)size,
         (unsigned)came_size, printable(came, came_size, 200));
  return import;
}

const struct message *expect_assets(struct conn *conn, const char *assets) {
  return expect_assets_octets(conn, assets, strlen(assets));
}

void ack_import(struct conn *conn, const struct message *import) {
  send_message(conn, "ACK", "{'for':%u}", (unsigned)import->id);
}

void refuse_import(struct conn *conn, const struct message *import) {
  send_message(conn, "ERROR", "{'for':%u,'code':'refused','message':'the case refuses it'}", (unsigned)import->id);
}

const struct message *take_assets(struct conn *conn, const char *assets) {
  const struct message *import = expect_assets(conn, assets);

  ack_import(conn, import);
  return import;
}

void take_assets_octets(struct conn *conn, const void *assets, size_t size) {
  ack_import(conn, expect_assets_octets(conn, assets, size));
}

void expect_attempt(const struct message *import, uint64_t attempt) {
  EXPECT(attempt_of(import) == attempt, "`attempt` counts the sendings of an import", "it is %u at sending %u",
         (unsigned)attempt_of(import), (unsigned)attempt);
}

void expect_same_import(const struct message *first, const struct message *again) {
  EXPECT(strcmp(import_of(first), import_of(again)) == 0, "an import that is sent again keeps its `import`",
         "it was %s and is %s", import_of(first), import_of(again));
}

static const struct message *next_or_unanswered(struct conn *conn, uint32_t id) {
  const struct message *message = next_message_in(conn, deadline_ms());

  if (message == NULL && !conn->ended) {
    fail_as("BH-MSG-001", format("an answer for HEARTBEAT %u on %s", (unsigned)id, conn->name), "none");
  }
  return message != NULL ? message : next_message(conn);
}

void expect_nothing_more(struct conn *conn) {
  uint32_t id = send_message(conn, "HEARTBEAT", "{}");
  const struct message *message;

  while (!is_answer_to(message = next_or_unanswered(conn, id), id)) {
    EXPECT(strcmp(message->type, "IMPORT_DATA") != 0, "no further IMPORT_DATA comes here", "%s came",
           message->json.valid ? import_of(message) : "one that is not JSON");
  }
}

/* ---- Bridge */

bool bridge_has_ended(void *bridge) {
  return ((const struct bridge *)bridge)->ended;
}

void expect_refused(struct hub *hub, const char *octets) {
  struct bridge *bridge = bridge_open(hub);

  if (octets == NULL) {
    bridge_send(bridge, "", 1);
    octets = "a 0 octet";
  } else {
    bridge_send_text(bridge, octets);
  }
  EXPECT(wait_until(bridge_has_ended, bridge, deadline_ms()), "the connection is closed at the first wrong octet",
         "it is still open after: %s", printable(octets, strlen(octets), 60));
}

/* ---- the spool */

/* The fields of a name that bh_spool_name_parse() found right: five ends at dots, of which a holder has none. */
static void split(struct spool_entry *entry) {
  const char **fields[] = {&entry->sequence, &entry->import, &entry->attempt, &entry->deaths, &entry->holder};
  char *rest = format("%s", entry->name);

  for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
    char *dot = strchr(rest, '.');
    *fields[i] = rest;
    *dot = '\0';
    rest = dot + 1;
  }
}

struct spool_entry *spool_list(struct hub *hub, const char *where, size_t *count) {
  size_t names = 0;
  char **found = directory(format("%s/%s", hub->spool, where), &names);
  struct spool_entry *entries = allocate((names + 1) * sizeof *entries);
  bh_import parsed;

  *count = 0;
  for (size_t i = 0; i < names; i++) {
    if (bh_spool_name_parse(found[i], &parsed)) {
      struct spool_entry *entry = &entries[(*count)++];
      entry->name = found[i];
      entry->path = format("%s/%s/%s", hub->spool, where, found[i]);
      split(entry);
    }
  }
  return entries;
}

size_t spool_count(struct hub *hub, const char *where) {
  size_t count;

  spool_list(hub, where, &count);
  return count;
}

struct count_wait {
  struct hub *hub;
  const char *where;
  size_t count;
};

static bool has_count(void *arg) {
  const struct count_wait *wait = arg;

  return spool_count(wait->hub, wait->where) == wait->count;
}

void expect_spool_count(struct hub *hub, const char *where, size_t count) {
  struct count_wait wait = {hub, where, count};

  EXPECT(wait_until(has_count, &wait, deadline_ms()), "the spool holds what section 6.1 says",
         "%u imports lie in %s/, and %u are expected", (unsigned)spool_count(hub, where), where, (unsigned)count);
}

void plant_spool(struct hub *hub) {
  static const char *const directories[] = {"", "/queue", "/parked", "/retry", "/tmp"};

  for (size_t i = 0; i < sizeof directories / sizeof directories[0]; i++) {
    if (mkdir(format("%s%s", hub->spool, directories[i]), 0700) != 0) {
      skip("the directory %s%s cannot be made", hub->spool, directories[i]);
    }
  }
}

void plant_import(struct hub *hub, const char *where, const char *name, const char *octets) {
  file_write(format("%s/%s/%s", hub->spool, where, name), octets, strlen(octets));
}

/* ---- what the hub tells */

static void expect_counted(struct conn *conn, const char *member, uint64_t value) {
  uint64_t until = now_ms() + deadline_ms();
  uint64_t told = 0;

  do {
    const struct message *heartbeat = expect_heartbeat_with(conn, member);
    told = json_integer(&heartbeat->json, member);
  } while (told != value && now_ms() < until);
  EXPECT(told == value, "the HEARTBEAT counts what waits and what is parked", "`%s` is %u, and should be %u", member,
         (unsigned)told, (unsigned)value);
}

void expect_waiting(struct conn *conn, uint64_t waiting) {
  expect_counted(conn, "waiting", waiting);
}

void expect_parked(struct conn *conn, uint64_t parked) {
  expect_counted(conn, "parked", parked);
}

const struct message *resume(struct conn *conn, const char *name, const char *instance) {
  return register_with(conn, name, ", 'instance':'%s'", instance);
}
