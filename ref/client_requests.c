/* SPDX-License-Identifier: MIT */
#include "client_internal.h"

#include <string.h>

/* What a client asks of the hub: REGISTER by itself, and what its user wants. */

static request *free_request(bh_client *client) {
  for (size_t i = 0; i < BH_REQUESTS_MAX; i++) {
    if (client->requests[i].message == 0) {
      return &client->requests[i];
    }
  }
  return NULL;
}

request *bh_client_request(bh_client *client, uint32_t message) {
  for (size_t i = 0; message != 0 && i < BH_REQUESTS_MAX; i++) {
    if (client->requests[i].message == message) {
      return &client->requests[i];
    }
  }
  return NULL;
}

void bh_client_register(bh_client *client) {
  bh_buffer *body = bh_client_body(client);
  request *r = free_request(client); /* none waits at the start of a connection */

  bh_encode_member(body, "{\"protocol\":", BH_PROTOCOL);
  bh_encode_member(body, ",\"pid\":", client->pid);
  bh_write_text(body, ",\"name\":");
  bh_write_string(body, client->name, strlen(client->name));
  if (client->instance[0] != '\0') {
    bh_write_text(body, ",\"instance\":");
    bh_write_string(body, client->instance, strlen(client->instance));
  }
  bh_encode_member(body, ",\"window\":", client->window);
  bh_write_text(body, client->role == BH_ROLE_OBSERVER ? ",\"role\":\"observer\"}" : ",\"role\":\"instance\"}");
  *r = (request){.message = bh_client_put(client, BH_REGISTER), .request = 0, .type = BH_REGISTER};
}

/* Sends what bh_client_body() holds. */
static int ask(bh_client *client, bh_type type, uint32_t *number) {
  request *r = free_request(client);
  uint32_t message;

  if (client->state != CLIENT_REGISTERED) {
    return BH_E_STATE;
  }
  if (r == NULL) {
    return BH_E_FULL;
  }
  message = bh_client_put(client, type);
  bh_client_check_output(client);
  if (client->state != CLIENT_REGISTERED) {
    return BH_E_CLOSED;
  }
  *r = (request){.message = message, .request = ++client->last_request, .type = type};
  *number = r->request;
  return BH_OK;
}

int bh_client_claim(bh_client *client, const char *instance, uint32_t *number) {
  bh_buffer *body = bh_client_body(client);

  if (instance != NULL) {
    bh_write_text(body, "{\"instance\":");
    bh_write_string(body, instance, strlen(instance));
    bh_write_text(body, "}");
  }
  return ask(client, BH_CLAIM_ACTIVE, number);
}

int bh_client_release(bh_client *client, uint32_t *number) {
  bh_client_body(client);
  return ask(client, BH_RELEASE_ACTIVE, number);
}

int bh_client_unregister(bh_client *client, uint32_t *number) {
  bh_client_body(client);
  return ask(client, BH_UNREGISTER, number);
}

int bh_client_heartbeat(bh_client *client, uint32_t *number) {
  bh_client_body(client);
  return ask(client, BH_HEARTBEAT, number);
}
