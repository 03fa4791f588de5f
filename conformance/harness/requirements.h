/* SPDX-License-Identifier: MIT */
#ifndef REQUIREMENTS_H
#define REQUIREMENTS_H

#include <stddef.h>

/* The requirements of spec/protocol.md, in its order; the build makes the table from its text. */
struct requirement {
  const char *id;       /* "BH-CLAIM-003" */
  const char *sentence; /* Markdown, on one line */
};

extern const struct requirement requirements[];
extern const size_t requirement_count;

#endif
