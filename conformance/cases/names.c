/* SPDX-License-Identifier: MIT */
/* spec/protocol.md, section 2: names and modes. */
#include "harness.h"
#include "imports.h"
#include "steps.h"

#include <string.h>
#include <sys/stat.h>

static void expect_mode(const char *what, const char *path, mode_t mode) {
  struct stat status;

  EXPECT(stat(path, &status) == 0, "the endpoint and the spool are there when the hub is ready", "%s is not", what);
  EXPECT((status.st_mode & 07777) == mode, "the socket has mode 0600, the spool's directory 0700", "%s has mode %04o",
         what, (unsigned)(status.st_mode & 07777));
}

CASE(names, the_socket_is_the_users_alone, MUST, "BH-NAME-005") {
  struct hub *hub = hub_start();

  needs_endpoint_file(hub);
  expect_mode("the endpoint", hub->endpoint, 0600);
}

CASE(names, the_spool_is_the_users_alone, MUST, "BH-NAME-005") {
  struct hub *hub = hub_start_with((struct hub_options){.need = "spool"});

  needs_endpoint_file(hub); /* a system without unix sockets has no modes either */
  expect_mode("the spool", hub->spool, 0700);
}

CASE(names, an_endpoint_that_is_too_long_is_refused, MUST, "BH-NAME-006") {
  struct hub *hub = hub_prepare((struct hub_options){.endpoint = repeat("long", 30)});

  hub_launch(hub);
  needs_endpoint_file(hub);
  hub_expect_end(hub);
  EXPECT(hub->exit_status != 0, "a hub that cannot open its endpoint ends with a status that is not 0", "it is 0");
  EXPECT(strstr(hub_log(hub), "longlong") != NULL, "the error names the path that is too long", "it says: %s",
         printable(hub_log(hub), hub_log_size(hub), 300));
}

CASE(names, a_group_is_a_hub_of_its_own, MUST, "BH-NAME-003") {
  struct hub *first = hub_start_with((struct hub_options){.need = "groups", .group = "one"});
  struct hub *second = hub_start_with((struct hub_options){.need = "groups", .group = "two-2"});
  struct conn *of_first = join(first, "A");
  struct conn *of_second = join(second, "A");

  bridge_export(first, "[{\"id\":1}]");
  bridge_export(second, "[{\"id\":2}]");
  take_assets(of_first, "[{\"id\":1}]");
  take_assets(of_second, "[{\"id\":2}]");
  expect_nothing_more(of_first);
  expect_nothing_more(of_second);
}

CASE(names, a_group_is_named_by_letters_digits_and_hyphens, MUST, "BH-NAME-002") {
  static const char *const wrong[] = {"a b", "a.b", "a/b", "..", "\xc3\xa4", "123456789012345678901234567890123"};

  hub_start_with((struct hub_options){.need = "groups", .group = "ABCxyz-0123456789-0123456789-012"});
  for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
    struct hub *hub = hub_prepare((struct hub_options){.need = "groups", .group = wrong[i]});
    hub_launch(hub);
    hub_expect_end(hub);
    EXPECT(hub->exit_status != 0, "a hub does not start for a group whose name is none", "it started for \"%s\"",
           wrong[i]);
  }
}
