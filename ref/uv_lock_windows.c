/* SPDX-License-Identifier: MIT */
#include "uv_lock.h"

#include "uv_file.h"

#include <windows.h>

/*
 * LockFileEx() locks for a handle, not for a process: a second hub in this process is kept out like any other. One
 * octet far beyond the end is locked, because a lock here keeps others from reading what is locked.
 */

static OVERLAPPED place(void) {
  return (OVERLAPPED){.OffsetHigh = 0x7fffffff};
}

static bool lock_octet(int file) {
  OVERLAPPED at = place();

  return LockFileEx(uv_get_osfhandle(file), LOCKFILE_EXCLUSIVE_LOCK | LOCKFILE_FAIL_IMMEDIATELY, 0, 1, 0, &at) != 0;
}

/* Why lock_octet() has failed: UV_EBUSY, or another error of libuv's. */
static int why_not_locked(void) {
  DWORD error = GetLastError();

  return error == ERROR_LOCK_VIOLATION || error == ERROR_IO_PENDING ? UV_EBUSY : uv_translate_sys_error((int)error);
}

static int open_file(const char *path, int flags) {
  char room[BH_NATIVE_PATH_MAX];
  uv_fs_t request;
  int file = uv_fs_open(NULL, &request, bh_path_native(path, room), flags, 0600, NULL);

  uv_fs_req_cleanup(&request);
  return file;
}

int bh_lock_take(bh_lock *lock, const char *spool, bh_why *why) {
  char path[BH_PATH_MAX];
  int error = bh_path_join(path, spool, "lock", "");

  lock->file = -1;
  if (error != 0) {
    return bh_why_set(why, error, "the path of the lock in the spool %s is too long", spool);
  }
  lock->file = open_file(path, UV_FS_O_RDWR | UV_FS_O_CREAT);
  if (lock->file < 0) {
    error = lock->file;
    lock->file = -1;
    return bh_why_set(why, error, "the spool's lock %s cannot be opened: %s", path, uv_strerror(error));
  }
  if (lock_octet(lock->file)) {
    return 0;
  }
  error = why_not_locked();
  bh_file_close(lock->file);
  lock->file = -1;
  return error == UV_EBUSY
             ? bh_why_set(why, error, "another hub has the spool: %s is locked", path)
             : bh_why_set(why, error, "the spool's lock %s cannot be locked: %s", path, uv_strerror(error));
}

bool bh_lock_is_held(const char *spool) {
  char path[BH_PATH_MAX];
  int file = bh_path_join(path, spool, "lock", "") == 0 ? open_file(path, UV_FS_O_RDWR) : -1;
  bool held = file >= 0 && !lock_octet(file) && why_not_locked() == UV_EBUSY;

  if (file >= 0) {
    bh_file_close(file);
  }
  return held;
}

void bh_lock_release(bh_lock *lock) {
  OVERLAPPED at = place();

  if (lock->file < 0) {
    return;
  }
  /* Closing gives it up as well, at a moment of the system's choice. */
  UnlockFileEx(uv_get_osfhandle(lock->file), 0, 1, 0, &at);
  bh_file_close(lock->file);
  lock->file = -1;
}
