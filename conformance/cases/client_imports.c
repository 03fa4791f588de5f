/* SPDX-License-Identifier: MIT */
/* spec/protocol.md, section 6.3: what a client does with imports. */
#include "client.h"

#include <string.h>

CASE(client_imports, one_in_hand_is_not_handed_up_twice, MUST, "BH-CLIENT-002") {
  struct client *client = client_start();
  struct conn *conn = welcome(client);
  const char *import = import_id(1);

  hand_over(conn, import);
  uint32_t again = send_import(conn, import, 2, "[{\"id\":1}]");
  expect_no_import(conn);
  command(client, "ack %s", import);
  do {
  } while (expect_message(conn, "ACK")->id == again);
}
