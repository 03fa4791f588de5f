/* SPDX-License-Identifier: MIT */
#include "uv_file.h"

#include "uv_wide_windows.h"

#include <stdlib.h>
#include <string.h>

#include <windows.h>

const char bh_path_separator[] = "\\";

enum { RENAMES_MAX = 10, RENAME_PAUSE_MS = 2 };

/* A link is not followed; Windows has no flag for that. */
static int check_link(const char *path) {
  uv_stat_t status;

  return bh_file_link_status(path, &status) == 0 && (status.st_mode & S_IFMT) == S_IFLNK ? UV_ELOOP : 0;
}

static int open_file(const char *path, int flags) {
  uv_fs_t request;
  int file;

  uv_fs_open(NULL, &request, path, flags, _S_IREAD | _S_IWRITE, NULL);
  file = (int)request.result;
  uv_fs_req_cleanup(&request);
  return file;
}

int bh_file_create(const char *path) {
  return open_file(path, UV_FS_O_WRONLY | UV_FS_O_CREAT | UV_FS_O_EXCL);
}

static int open_regular(const char *path, int flags) {
  uv_stat_t status;
  int error = check_link(path);
  int file = error != 0 ? error : open_file(path, flags);

  if (file < 0) {
    return file;
  }
  error = bh_file_status(file, &status);
  if (error == 0 && (status.st_mode & S_IFMT) != S_IFREG) {
    error = UV_EINVAL;
  }
  if (error != 0) {
    bh_file_close(file);
    return error;
  }
  return file;
}

int bh_file_open(const char *path) {
  return open_regular(path, UV_FS_O_RDONLY);
}

int bh_file_append(const char *path) {
  return open_regular(path, UV_FS_O_WRONLY | UV_FS_O_CREAT | UV_FS_O_APPEND);
}

/* ---- rename */

/* Of a rename that somebody's handle stands in the way of. */
static bool is_passing(DWORD error) {
  return error == ERROR_SHARING_VIOLATION || error == ERROR_ACCESS_DENIED || error == ERROR_LOCK_VIOLATION;
}

/* FILE_RENAME_INFO as Windows 10 has it, for which the headers of mingw-w64 10 have no flags. */
typedef struct {
  DWORD flags;
  HANDLE root;
  DWORD name_octets;
  WCHAR name[];
} rename_info;

enum { RENAME_REPLACE = 1, RENAME_POSIX = 2, CLASS_RENAME_INFO_EX = 22 };

/* As POSIX has it: whoever has the old file open goes on with it. From Windows 10 on, and on NTFS. */
static DWORD rename_open(const WCHAR *from, const WCHAR *to) {
  size_t octets = wcslen(to) * sizeof *to;
  size_t size = sizeof(rename_info) + octets + sizeof *to;
  rename_info *info = calloc(1, size);
  HANDLE file;
  DWORD error = 0;

  if (info == NULL) {
    return ERROR_NOT_ENOUGH_MEMORY;
  }
  info->flags = RENAME_REPLACE | RENAME_POSIX;
  info->name_octets = (DWORD)octets;
  memcpy(info->name, to, octets);
  file = CreateFileW(from, DELETE | SYNCHRONIZE, FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE, NULL,
                     OPEN_EXISTING, FILE_FLAG_OPEN_REPARSE_POINT | FILE_FLAG_BACKUP_SEMANTICS, NULL);
  if (file == INVALID_HANDLE_VALUE ||
      !SetFileInformationByHandle(file, (FILE_INFO_BY_HANDLE_CLASS)CLASS_RENAME_INFO_EX, info, (DWORD)size)) {
    error = GetLastError();
  }
  if (file != INVALID_HANDLE_VALUE) {
    CloseHandle(file);
  }
  free(info);
  return error;
}

static DWORD rename_once(const WCHAR *from, const WCHAR *to) {
  DWORD error = MoveFileExW(from, to, MOVEFILE_REPLACE_EXISTING) ? 0 : GetLastError();

  return is_passing(error) ? rename_open(from, to) : error;
}

/* A reader that allows no renaming (most do not) is soon done: a virus scanner, an editor. */
int bh_file_rename(const char *from, const char *to) {
  WCHAR *wide_from = bh_wide(from);
  WCHAR *wide_to = bh_wide(to);
  DWORD error = wide_from == NULL || wide_to == NULL ? ERROR_NOT_ENOUGH_MEMORY : rename_once(wide_from, wide_to);

  for (int i = 1; i < RENAMES_MAX && is_passing(error); i++) {
    Sleep(RENAME_PAUSE_MS);
    error = rename_once(wide_from, wide_to);
  }
  free(wide_from);
  free(wide_to);
  return error == 0 ? 0 : uv_translate_sys_error((int)error);
}

/* ---- whose it is */

bool bh_file_is_ours(const uv_stat_t *status) {
  (void)status;
  return true;
}

bool bh_directory_is_private(const uv_stat_t *status) {
  (void)status;
  return true;
}
