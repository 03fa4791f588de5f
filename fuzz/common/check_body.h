/* SPDX-License-Identifier: MIT */
#ifndef FUZZ_CHECK_BODY_H
#define FUZZ_CHECK_BODY_H

#include "body.h"

/* Reads a body, as bh_body_read() does, and requires that the obvious reading says the same of every member. */
bool check_body(bh_sender sender, bh_type type, const uint8_t *octets, size_t size, bh_body *body);

#endif
