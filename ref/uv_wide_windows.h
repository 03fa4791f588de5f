/* SPDX-License-Identifier: MIT */
#ifndef BH_UV_WIDE_WINDOWS_H
#define BH_UV_WIDE_WINDOWS_H

#include <wchar.h>

/* Texts are UTF-8 here, and UTF-16 where the system is called. NULL: no memory, or no UTF-8. To be freed. */
wchar_t *bh_wide(const char *text);

#endif
