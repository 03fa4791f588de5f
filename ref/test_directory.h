/* SPDX-License-Identifier: MIT */
#ifndef BH_TEST_DIRECTORY_H
#define BH_TEST_DIRECTORY_H

#include <stdbool.h>

/* A directory of the test's own, on any system. */

const char *test_directory_make(void); /* its path */
void test_directory_remove(void);      /* with all that is in it */

/* Of what is in it; valid until the next four. */
const char *test_path(const char *name);
bool test_has(const char *name);
void test_put(const char *name, const char *text);

#endif
