/* SPDX-License-Identifier: MIT */
#include "client_internal.h"

#include <string.h>

/* ERROR from the hub: it answers a request, or tells why the connection ends. */

static void tell_failed(bh_client *client, const bh_body *body, uint32_t number) {
  bh_event *event = bh_client_event(client, BH_EV_FAILED);

  event->request = number;
  memcpy(event->code, body->code, sizeof event->code);
  event->message = client->message;
}

void bh_client_on_error(bh_client *client, const bh_body *body) {
  request *r = bh_client_request(client, body->answers);
  bool superseded = strcmp(body->code, bh_code_name(BH_CODE_SUPERSEDED)) == 0;
  bool registration = r != NULL && r->type == BH_REGISTER;

  if (body->answers != 0 && r == NULL) {
    return; /* it answers nothing (BH-MSG-006) */
  }
  bh_body_text(body->message, client->message, sizeof client->message);
  if (r != NULL) {
    r->message = 0;
  }
  if (superseded && (r == NULL || registration)) {
    bh_client_end(client, BH_EV_SUPERSEDED, "a newer connection has registered this instance");
    return;
  }
  tell_failed(client, body, r == NULL ? 0 : r->request);
  if (registration) {
    bh_client_end(client, BH_EV_CLOSE, "the hub refused the registration");
  }
}
