/* SPDX-License-Identifier: MIT */
#include "uv_wide_windows.h"

#include <stdlib.h>

#include <windows.h>

wchar_t *bh_wide(const char *text) {
  int size = MultiByteToWideChar(CP_UTF8, MB_ERR_INVALID_CHARS, text, -1, NULL, 0);
  wchar_t *wide = size <= 0 ? NULL : malloc((size_t)size * sizeof *wide);

  if (wide != NULL) {
    MultiByteToWideChar(CP_UTF8, MB_ERR_INVALID_CHARS, text, -1, wide, size);
  }
  return wide;
}
