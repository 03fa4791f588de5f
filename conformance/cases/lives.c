/* SPDX-License-Identifier: MIT */
#include "lives.h"

#include "steps.h"

#include <signal.h>
#include <string.h>
#include <unistd.h>

enum { STOPPED_MS = 10 };

/* ---- hubs */

void crash_and_restart(struct hub *hub) {
  hub_kill(hub);
  hub_run(hub);
}

/* kill() returns before the process has stopped, and nothing tells when it has. */
void hub_stop(struct hub *hub) {
  hub_signal(hub, SIGSTOP);
  pass_time(STOPPED_MS);
}

struct hub *rival_of(struct hub *hub, uint16_t port) {
  return hub_prepare(
      (struct hub_options){.endpoint = hub->endpoint, .state = hub->state, .spool = hub->spool, .port = port});
}

void expect_does_not_serve(struct hub *rival) {
  hub_expect_end(rival);
  EXPECT(rival->exit_status != 0 || rival->exit_signal != 0, "a hub that does not win port and lock does not serve",
         "it ended with status 0");
}

void expect_rival_ends(struct hub *rival) {
  hub_launch(rival);
  expect_does_not_serve(rival);
}

void expect_unharmed(struct hub *hub, struct conn *conn) {
  struct bridge *probe = bridge_open_at(hub, "127.0.0.1", hub->port);

  EXPECT(probe->connected, "who has port and lock goes on serving", "nobody listens at port %u", (unsigned)hub->port);
  bridge_close(probe);
  EXPECT(endpoint_is_there(hub), "who has port and lock goes on serving", "the endpoint is gone");
  fence(conn);
  bridge_export(hub, "[{\"id\":\"unharmed\"}]");
  take_assets(conn, "[{\"id\":\"unharmed\"}]");
  join(hub, "newcomer");
}

/* ---- imports */

char *numbered(unsigned number) {
  return format("[{\"id\":%u}]", number);
}

void export_numbered(struct hub *hub, unsigned first, unsigned last) {
  for (unsigned i = first; i <= last; i++) {
    bridge_export(hub, numbered(i));
  }
}

const struct message *hold(struct conn *conn, unsigned number) {
  const struct message *message;
  const char *assets = numbered(number);
  size_t size = 0;

  do {
    message = next_message_in(conn, deadline_ms());
  } while (message != NULL && strcmp(message->type, "HEARTBEAT") == 0);
  if (message == NULL || strcmp(message->type, "IMPORT_DATA") != 0) {
    fail_as("BH-ROUTE-001", format("IMPORT_DATA on %s", conn->name), "%s", message == NULL ? "nothing" : message->type);
  }
  const char *octets = json_octets(&message->json, "assets", &size);
  if (size != strlen(assets) || memcmp(octets, assets, size) != 0) {
    fail_as("BH-ROUTE-002", format("the import %s on %s", assets, conn->name), "%s", printable(octets, size, 200));
  }
  return message;
}

const struct message *expect_again(struct conn *conn, const struct message *before, uint64_t attempt) {
  size_t size = 0;
  const char *assets = json_octets(&before->json, "assets", &size);
  const struct message *again = expect_assets_octets(conn, assets, size);

  expect_same_import(before, again);
  if (attempt_of(again) != attempt) {
    fail_as("BH-ROUTE-008", format("attempt %u of %s", (unsigned)attempt, import_of(again)), "attempt %u",
            (unsigned)attempt_of(again));
  }
  return again;
}

struct entry_wait {
  struct hub *hub;
  const char *attempt;
  const char *deaths;
  const char *holder;
};

static bool has_entry(void *arg) {
  const struct entry_wait *wait = arg;
  size_t count;
  struct spool_entry *entries = spool_list(wait->hub, "queue", &count);

  return count > 0 && strcmp(entries[0].attempt, wait->attempt) == 0 && strcmp(entries[0].deaths, wait->deaths) == 0 &&
         strcmp(entries[0].holder, wait->holder) == 0;
}

static bool wait_for_entry(struct entry_wait *wait) {
  uint32_t timeout_ms = wait->hub->timeout_ms;
  uint64_t patience = timeout_ms <= deadline_ms() ? 2 * (uint64_t)timeout_ms : 0;

  return wait_until(has_entry, wait, deadline_ms() + patience);
}

static const char *wanted_entry(const struct entry_wait *wait) {
  return format("the first file of queue/ has attempt %s, deaths %s and holder %s", wait->attempt, wait->deaths,
                wait->holder);
}

static const char *first_entry(struct hub *hub) {
  size_t count;
  struct spool_entry *entries = spool_list(hub, "queue", &count);

  return count == 0 ? "queue/ is empty" : entries[0].name;
}

void expect_entry(struct hub *hub, const char *attempt, const char *deaths, const char *holder) {
  struct entry_wait wait = {hub, attempt, deaths, holder};

  if (!wait_for_entry(&wait)) {
    fail(wanted_entry(&wait), "%s", first_entry(hub));
  }
}

void pass_entry(struct hub *hub, const char *requirement, const char *attempt, const char *deaths, const char *holder) {
  struct entry_wait wait = {hub, attempt, deaths, holder};

  if (!wait_for_entry(&wait)) {
    fail_as(requirement, wanted_entry(&wait), "%s", first_entry(hub));
  }
}

/* ---- clients */

struct conn *come_back_with(struct hub *hub, const struct conn *former, unsigned window) {
  struct conn *conn = conn_open(hub);

  register_with(conn, "back", ", 'instance':'%s','window':%u", former->instance, window);
  if (strcmp(conn->instance, former->instance) != 0) {
    fail_as("BH-REG-005", format("the instance id %s", former->instance), "%s", conn->instance);
  }
  return conn;
}

struct conn *come_back(struct hub *hub, const struct conn *former) {
  return come_back_with(hub, former, 1);
}

struct conn *join_active(struct hub *hub, const char *name, unsigned window) {
  struct conn *conn = conn_open(hub);

  register_with(conn, name, ", 'window':%u", window);
  make_active(conn);
  return conn;
}

/* ---- time */

static bool never(void *arg) {
  (void)arg;
  return false;
}

void pass_time(uint64_t ms) {
  wait_until(never, NULL, ms);
}
