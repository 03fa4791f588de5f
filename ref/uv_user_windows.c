/* SPDX-License-Identifier: MIT */
#include "uv_user_windows.h"

bool bh_user_of(HANDLE process, bh_user *user) {
  HANDLE token;
  DWORD size;
  bool told;

  if (!OpenProcessToken(process, TOKEN_QUERY, &token)) {
    return false;
  }
  told = GetTokenInformation(token, TokenUser, user, sizeof *user, &size) != 0;
  CloseHandle(token);
  return told;
}
