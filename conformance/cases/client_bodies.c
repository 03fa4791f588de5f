/* SPDX-License-Identifier: MIT */
/* spec/protocol.md, section 3.2: bodies, at a client. */
#include "client_steps.h"
#include "client_vectors.h"

CASE(client_bodies, one_object_of_depth_64, MUST, "BH-BODY-001") {
  play_to_client("messages.json", "BH-BODY-001");
}

CASE(client_bodies, an_empty_one_is_an_empty_object, MUST, "BH-BODY-002") {
  play_to_client("messages.json", "BH-BODY-002");
}

CASE(client_bodies, unknown_members_are_ignored, MUST, "BH-BODY-003") {
  play_to_client("messages.json", "BH-BODY-003");
}

CASE(client_bodies, a_member_twice_is_bad_body, MUST, "BH-BODY-004") {
  play_to_client("messages.json", "BH-BODY-004");
}

CASE(client_bodies, integers_as_the_table_has_them, MUST, "BH-BODY-005") {
  play_to_client("messages.json", "BH-BODY-005");
}

CASE(client_bodies, escapes_that_no_string_can_have_are_bad_body, MUST, "BH-BODY-006") {
  play_to_client("messages.json", "BH-BODY-006");
}

CASE(client_bodies, lengths_are_of_octets, MUST, "BH-BODY-007") {
  play_to_client("messages.json", "BH-BODY-007");
}

CASE(client_bodies, members_as_the_table_has_them, MUST, "BH-BODY-008") {
  play_to_client("messages.json", "BH-BODY-008");
}

CASE(client_bodies, the_connection_goes_on_behind_a_bad_one, MUST, "BH-BODY-009") {
  play_to_client("messages.json", "BH-BODY-009");
}

CASE(client_bodies, a_bad_one_changes_nothing, MUST, "BH-BODY-009") {
  struct client *client = client_start();
  struct conn *conn = welcome(client);

  expect_event(client, "active");
  expect_rejected(conn, send_message(conn, "HEARTBEAT", "{'active':null,'waiting':0}"), "bad-body");
  expect_rejected(conn, send_message(conn, "HEARTBEAT", "{'active':null,'waiting':0,'parked':'0'}"), "bad-body");
  expect_rejected(conn, send_message(conn, "IMPORT_DATA", "{'import':'%s','assets':[]}", import_id(1)), "bad-body");
  fence(conn);
  EXPECT(events_of(client, "inactive") == 0, "no event of a HEARTBEAT whose body is bad", "inactive");
  expect_unanswered(conn, hand_over(conn, import_id(1)));
}

CASE(client_bodies, assets_pass_octet_for_octet, MUST, "BH-BODY-010") {
  play_to_client("messages.json", "BH-BODY-010");
}
