/* SPDX-License-Identifier: MIT */
#include "uv_lock.h"

#include "uv_file.h"
#include "uv_fork.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
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

/* ---- the locks that this process holds */

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static bh_lock *held;

static bool is_held(const uv_stat_t *status) {
  for (const bh_lock *lock = held; lock != NULL; lock = lock->next) {
    if (lock->process == uv_os_getpid() && lock->device == status->st_dev && lock->inode == status->st_ino) {
      return true;
    }
  }
  return false;
}

static void add(bh_lock *lock) {
  uv_stat_t status = {0};

  (void)bh_file_status(lock->file, &status);
  lock->process = uv_os_getpid();
  lock->device = status.st_dev;
  lock->inode = status.st_ino;
  lock->next = held;
  held = lock;
}

static void take_out(bh_lock *lock) {
  bh_lock **at = &held;

  while (*at != NULL && *at != lock) {
    at = &(*at)->next;
  }
  if (*at == lock) {
    *at = lock->next;
  }
}

/* ---- taking and releasing */

static int open_and_lock(const char *path, int *file, bh_why *why) {
  struct flock ours;
  int error;

  *file = open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
  if (*file < 0) {
    error = uv_translate_sys_error(errno);
    return bh_why_set(why, error, "the spool's lock %s cannot be opened: %s", path, uv_strerror(error));
  }
  error = lock_whole(*file, F_SETLK, &ours);
  if (error == 0) {
    return 0;
  }
  error = error == EACCES || error == EAGAIN
              ? taken(*file, path, why)
              : bh_why_set(why, uv_translate_sys_error(error), "the spool's lock %s cannot be locked: %s", path,
                           uv_strerror(uv_translate_sys_error(error)));
  close(*file);
  return error;
}

/* Under `mutex`. */
static int take(bh_lock *lock, const char *path, bh_why *why) {
  uv_stat_t status;
  int error;

  /* Before it is opened: closing it again would give up the lock that is held. */
  if (bh_file_link_status(path, &status) == 0 && is_held(&status)) {
    return bh_why_set(why, UV_EBUSY, "another hub, in this process itself, has the spool: %s is locked", path);
  }
  error = open_and_lock(path, &lock->file, why);
  if (error != 0) {
    lock->file = -1;
    return error;
  }
  bh_fork_guard(lock->file);
  add(lock);
  return 0;
}

int bh_lock_take(bh_lock *lock, const char *spool, bh_why *why) {
  char path[BH_PATH_MAX];
  int error = bh_path_join(path, spool, "lock", "");

  lock->file = -1;
  if (error != 0) {
    return bh_why_set(why, error, "the path of the lock in the spool %s is too long", spool);
  }
  pthread_mutex_lock(&mutex);
  error = take(lock, path, why);
  pthread_mutex_unlock(&mutex);
  return error;
}

bool bh_lock_is_held(const char *spool) {
  char path[BH_PATH_MAX];
  struct flock other;
  int file = bh_path_join(path, spool, "lock", "") == 0 ? bh_file_open(path) : -1;
  bool held_by_another = file >= 0 && lock_whole(file, F_GETLK, &other) == 0 && other.l_type != F_UNLCK;

  if (file >= 0) {
    bh_file_close(file);
  }
  return held_by_another;
}

void bh_lock_release(bh_lock *lock) {
  if (lock->file < 0) {
    return;
  }
  pthread_mutex_lock(&mutex);
  take_out(lock);
  bh_fork_forget(lock->file);
  close(lock->file);
  lock->file = -1;
  pthread_mutex_unlock(&mutex);
}
