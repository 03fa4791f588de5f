/* SPDX-License-Identifier: MIT */
#ifndef BH_UV_FILE_H
#define BH_UV_FILE_H

#include <uv.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Files, at once: the order of these operations is what the spool and the state file promise, and all of them end in
 * the page cache. Each returns 0 (or what is said), or a negative error of libuv's.
 */

#define BH_PATH_MAX 4096

extern const char bh_path_separator[]; /* "/", or on Windows "\\" */

/* A path as the system is called with it: `path` itself, or a text in `room`. Windows takes no more than 260 characters
 * of one that does not begin with \\?\. */
enum { BH_NATIVE_PATH_MAX = 2 * BH_PATH_MAX };
const char *bh_path_native(const char *path, char room[BH_NATIVE_PATH_MAX]);

/* UV_ENAMETOOLONG rather than cut short. `name` and `suffix` may be "". */
int bh_path_join(char path[BH_PATH_MAX], const char *directory, const char *name, const char *suffix);

/* Never through a symbolic link. The file is not inherited by children. */
int bh_file_create(const char *path); /* a new one, mode 0600: UV_EEXIST otherwise; returns its descriptor */
int bh_file_open(const char *path);   /* a regular one, for reading: UV_EINVAL otherwise; returns its descriptor */
int bh_file_append(
    const char *path); /* a regular one or a new one, mode 0600, for writing at its end; its descriptor */
int bh_file_status(int file, uv_stat_t *status);
int bh_file_write(int file, const void *octets, size_t size);
int bh_file_read(int file, void *octets, size_t size); /* returns how many; 0: the end */
void bh_file_close(int file);
int bh_file_rename(const char *from, const char *to); /* over what is there, also where somebody has that open */
int bh_file_remove(const char *path);                 /* one that is not there is removed already */
bool bh_file_exists(const char *path);
int bh_file_link_status(const char *path, uv_stat_t *status); /* of the link, not of what it leads to */

/* On Windows a user's own directory is in his profile, and its access list keeps the others out. */
bool bh_file_is_ours(const uv_stat_t *status);
bool bh_directory_is_private(const uv_stat_t *status); /* mode 0700 */

/* Mode 0700. One that is there already is fine. */
int bh_directory_make(const char *path);
/* Whether this process may list it and use what is in it, and make and remove things there. */
int bh_directory_access(const char *path, bool writing);
/* Calls `entry` with each name; stops at the first that is not 0 and returns that. */
int bh_directory_list(const char *path, int (*entry)(void *ctx, const char *name), void *ctx);

#endif
