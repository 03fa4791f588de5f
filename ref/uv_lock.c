/* SPDX-License-Identifier: MIT */
#include "uv_lock.h"

#include "uv_file.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

static int lock_whole(int file, int command, struct flock *lock) {
  *lock = (struct flock){.l_type = F_WRLCK, .l_whence = SEEK_SET};
  return fcntl(file, command, lock) == 0 ? 0 : errno;
}

/* Says who has it, where that can be told. */
static int taken(int file, const char *path, bh_why *why) {
  struct flock other;

  if (lock_whole(file, F_GETLK, &other) == 0 && other.l_type != F_UNLCK) {
    return bh_why_set(why, UV_EBUSY, "another hub, process %ld, has the spool: %s is locked", (long)other.l_pid, path);
  }
  return bh_why_set(why, UV_EBUSY, "another hub has the spool: %s is locked", path);
}

int bh_lock_take(bh_lock *lock, const char *spool, bh_why *why) {
  char path[BH_PATH_MAX];
  struct flock ours;
  int error = bh_path_join(path, spool, "lock", "");
  int file = -1;

  lock->file = -1;
  if (error == 0) {
    file = open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
    error = file < 0 ? uv_translate_sys_error(errno) : 0;
  }
  if (error != 0) {
    return bh_why_set(why, error, "the spool's lock %s cannot be opened: %s", path, uv_strerror(error));
  }
  error = lock_whole(file, F_SETLK, &ours);
  if (error != 0) {
    error = error == EACCES || error == EAGAIN
                ? taken(file, path, why)
                : bh_why_set(why, uv_translate_sys_error(error), "the spool's lock %s cannot be locked: %s", path,
                             uv_strerror(uv_translate_sys_error(error)));
    close(file);
    return error;
  }
  lock->file = file;
  return 0;
}

void bh_lock_release(bh_lock *lock) {
  if (lock->file >= 0) {
    close(lock->file);
    lock->file = -1;
  }
}
