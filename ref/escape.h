/* SPDX-License-Identifier: MIT */
#ifndef BH_ESCAPE_H
#define BH_ESCAPE_H

#include <stddef.h>

/*
 * Makes a text fit to be printed (BH-LIMIT-005): control characters (C0, DEL, and C1 as UTF-8), quotation marks and
 * backslashes are escaped, octets that are not UTF-8 too. Cut at `size` - 1 octets, never inside an escape. Returns
 * out.
 */
char *bh_escape(const char *text, char *out, size_t size);

/* Cut at `room` - 1 octets, never inside a character of UTF-8. */
void bh_copy_text(char *to, size_t room, const char *from);

#endif
