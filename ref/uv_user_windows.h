/* SPDX-License-Identifier: MIT */
#ifndef BH_UV_USER_WINDOWS_H
#define BH_UV_USER_WINDOWS_H

#include <stdbool.h>

#include <windows.h>

/* The user that a process runs as: `user.User.Sid` points into the rest. */
typedef struct {
  TOKEN_USER user;
  BYTE sid[SECURITY_MAX_SID_SIZE];
} bh_user;

/* False: it may not be asked. */
bool bh_user_of(HANDLE process, bh_user *user);

#endif
