/* SPDX-License-Identifier: MIT */
#include "cmd_system.h"

#include "uv_file.h"
#include "uv_wide_windows.h"

#include <errno.h>
#include <fcntl.h>
#include <io.h>
#include <signal.h>
#include <stdlib.h>

#include <windows.h>

#include <shellapi.h>

/* NULL: no memory. */
static char *to_utf8(const WCHAR *wide) {
  int size = WideCharToMultiByte(CP_UTF8, 0, wide, -1, NULL, 0, NULL, NULL);
  char *text = size <= 0 ? NULL : malloc((size_t)size);

  if (text != NULL) {
    WideCharToMultiByte(CP_UTF8, 0, wide, -1, text, size, NULL, NULL);
  }
  return text;
}

/* main() gets what the system's code page has of it. It is kept until the process ends. */
static void take_command_line(int *argc, char ***argv) {
  int count = 0;
  WCHAR **wide = CommandLineToArgvW(GetCommandLineW(), &count);
  char **texts = wide == NULL ? NULL : calloc((size_t)count + 1, sizeof *texts);

  for (int i = 0; texts != NULL && i < count; i++) {
    texts[i] = to_utf8(wide[i]);
    if (texts[i] == NULL) {
      fprintf(stderr, "bridgehub: no memory\n");
      exit(EXIT_FAILURE);
    }
  }
  LocalFree(wide);
  if (texts != NULL) {
    *argc = count;
    *argv = texts;
  }
}

/* As in cmd_system_posix.c: no pipe is to get the place of one that is missing. */
static void open_standard_files(void) {
  for (int file = 0; file <= 2; file++) {
    int null = _get_osfhandle(file) >= 0 ? file : _open("NUL", file == 2 ? _O_WRONLY : _O_RDONLY);

    if (null >= 0 && null != file) {
      _dup2(null, file);
      _close(null);
    }
  }
}

/* Lines end as everywhere, and a console shows UTF-8 and understands what moves its cursor. */
static void set_standard_files(void) {
  static const DWORD outputs[] = {STD_OUTPUT_HANDLE, STD_ERROR_HANDLE};

  for (int file = 0; file <= 2; file++) {
    _setmode(file, _O_BINARY);
  }
  SetConsoleOutputCP(CP_UTF8);
  for (size_t i = 0; i < sizeof outputs / sizeof outputs[0]; i++) {
    HANDLE output = GetStdHandle(outputs[i]);
    DWORD mode;

    if (GetConsoleMode(output, &mode)) {
      SetConsoleMode(output, mode | ENABLE_PROCESSED_OUTPUT | ENABLE_VIRTUAL_TERMINAL_PROCESSING);
    }
  }
}

void cmd_system_begin(int *argc, char ***argv) {
  open_standard_files();
  set_standard_files();
  take_command_line(argc, argv);
}

/* libuv makes the last of the closing of a console, after which Windows gives a process some seconds. */
const cmd_signal cmd_signal_list[CMD_SIGNALS_MAX] = {
    {SIGINT, "interrupted"}, {SIGBREAK, "interrupted by Ctrl-Break"}, {SIGHUP, "its console is closed"}};

/* libuv's stat tells no device from a file. */
bool cmd_input_is_null(void) {
  HANDLE input = (HANDLE)_get_osfhandle(0);
  DWORD mode;

  return GetFileType(input) == FILE_TYPE_CHAR && !GetConsoleMode(input, &mode);
}

FILE *cmd_open_file(const char *name) {
  char room[BH_NATIVE_PATH_MAX];
  wchar_t *wide = bh_wide(bh_path_native(name, room));
  FILE *file;

  if (wide == NULL) {
    errno = EINVAL;
    return NULL;
  }
  file = _wfopen(wide, L"rb");
  free(wide);
  return file;
}
