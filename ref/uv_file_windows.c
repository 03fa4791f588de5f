/* SPDX-License-Identifier: MIT */
#include "uv_file.h"

#include "uv_wide_windows.h"

#include <stdlib.h>
#include <string.h>

#include <windows.h>

const char bh_path_separator[] = "\\";

enum { RENAMES_MAX = 10, RENAME_PAUSE_MS = 2 };

/* ---- paths */

/* What lifts the limit. Behind it stands a drive, or what follows the two backslashes of a server. */
static const WCHAR verbatim[] = L"\\\\?\\";
static const WCHAR verbatim_server[] = L"\\\\?\\UNC\\";

enum { DRIVE_SIZE = 3, VERBATIM_SIZE = 4 };

static bool is_separator(WCHAR c) {
  return c == L'\\' || c == L'/';
}

/* A name of a device, and a path that has the prefix already. */
static bool is_verbatim(const WCHAR *path) {
  return wcslen(path) >= VERBATIM_SIZE && is_separator(path[0]) && is_separator(path[1]) &&
         (path[2] == L'?' || path[2] == L'.') && is_separator(path[3]);
}

static bool is_on_drive(const WCHAR *absolute) {
  return wcslen(absolute) >= DRIVE_SIZE && absolute[1] == L':' && absolute[2] == L'\\';
}

static bool to_utf8(const WCHAR *wide, char *text, size_t size) {
  return WideCharToMultiByte(CP_UTF8, 0, wide, -1, text, (int)size, NULL, NULL) > 0;
}

static bool add_prefix(const WCHAR *absolute, char room[BH_NATIVE_PATH_MAX]) {
  const bool on_drive = is_on_drive(absolute);
  size_t prefix;

  if (is_verbatim(absolute) || (!on_drive && !(is_separator(absolute[0]) && is_separator(absolute[1])))) {
    return false;
  }
  to_utf8(on_drive ? verbatim : verbatim_server, room, BH_NATIVE_PATH_MAX);
  prefix = strlen(room);
  return to_utf8(on_drive ? absolute : absolute + 2, room + prefix, BH_NATIVE_PATH_MAX - prefix);
}

/* Behind the prefix the system takes a path as it stands: it has to be absolute, with no / and no .. in it. */
const char *bh_path_native(const char *path, char room[BH_NATIVE_PATH_MAX]) {
  WCHAR absolute[BH_NATIVE_PATH_MAX];
  WCHAR *wide = bh_wide(path);
  DWORD size = wide == NULL || wide[0] == L'\0' ? 0 : GetFullPathNameW(wide, BH_NATIVE_PATH_MAX, absolute, NULL);

  free(wide);
  return size > 0 && size < BH_NATIVE_PATH_MAX && add_prefix(absolute, room) ? room : path;
}

static WCHAR *wide_native(const char *path) {
  char room[BH_NATIVE_PATH_MAX];

  return bh_wide(bh_path_native(path, room));
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
  WCHAR *wide_from = wide_native(from);
  WCHAR *wide_to = wide_native(to);
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
