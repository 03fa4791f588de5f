/* SPDX-License-Identifier: MIT */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include <windows.h>

#include <shellapi.h>

/*
 * What a console does to a program:
 *
 *     in_console break|close|without FILE COMMAND
 *
 * starts the command line COMMAND in a group of processes of its own, in a console of its own, or without any. When
 * FILE is there the first gets a Ctrl-Break, and of the second the console is closed. Says how it ended.
 */

enum { WAY = 1, READY, COMMAND, ARGUMENTS };

enum { PATIENCE_MS = 60000, PAUSE_MS = 20, SENT = 3 };

/* Of Windows 10 of 2018, and newer than what the rest is built for. */
typedef HRESULT(WINAPI *create_console)(COORD size, HANDLE input, HANDLE output, DWORD flags, HANDLE *console);
typedef void(WINAPI *close_console)(HANDLE console);

enum { ATTRIBUTE_CONSOLE = 0x00020016, COLUMNS = 80, ROWS = 25 };

typedef struct {
  create_console create;
  close_console close;
  HANDLE console;
  HANDLE input, output; /* our ends */
} console;

static bool find(const char *name, void *function) {
  FARPROC found = GetProcAddress(GetModuleHandleA("kernel32.dll"), name);

  memcpy(function, &found, sizeof found);
  return found != NULL;
}

static bool make_console(console *c) {
  HANDLE its_input;
  HANDLE its_output;
  bool made = find("CreatePseudoConsole", &c->create) && find("ClosePseudoConsole", &c->close) &&
              CreatePipe(&its_input, &c->input, NULL, 0) && CreatePipe(&c->output, &its_output, NULL, 0) &&
              c->create((COORD){COLUMNS, ROWS}, its_input, its_output, 0, &c->console) == S_OK;

  if (made) {
    CloseHandle(its_input);
    CloseHandle(its_output);
  }
  return made;
}

/* What is shown there is read, or writing would wait. */
static DWORD WINAPI read_output(void *argument) {
  console *c = argument;
  char octets[4096];
  DWORD size;

  while (ReadFile(c->output, octets, sizeof octets, &size, NULL) && size > 0) {
  }
  return 0;
}

static bool start(WCHAR *command, DWORD flags, STARTUPINFOEXW *with, PROCESS_INFORMATION *process) {
  with->StartupInfo.cb = sizeof *with;
  return CreateProcessW(NULL, command, NULL, NULL, with->lpAttributeList == NULL, flags | EXTENDED_STARTUPINFO_PRESENT,
                        NULL, NULL, &with->StartupInfo, process) != 0;
}

static bool start_in(const console *c, WCHAR *command, PROCESS_INFORMATION *process) {
  static char room[1024];
  STARTUPINFOEXW with = {.lpAttributeList = (LPPROC_THREAD_ATTRIBUTE_LIST)room};
  SIZE_T size = sizeof room;

  return InitializeProcThreadAttributeList(with.lpAttributeList, 1, 0, &size) &&
         UpdateProcThreadAttribute(with.lpAttributeList, 0, ATTRIBUTE_CONSOLE, c->console, sizeof c->console, NULL,
                                   NULL) &&
         start(command, 0, &with, process);
}

static bool is_there(const WCHAR *file) {
  for (int waited = 0; waited < PATIENCE_MS; waited += PAUSE_MS) {
    if (GetFileAttributesW(file) != INVALID_FILE_ATTRIBUTES) {
      return true;
    }
    Sleep(PAUSE_MS);
  }
  printf("it is not ready\n");
  return false;
}

static int end(const PROCESS_INFORMATION *process) {
  DWORD status = 0;

  if (WaitForSingleObject(process->hProcess, PATIENCE_MS) != WAIT_OBJECT_0) {
    printf("it goes on\n");
    TerminateProcess(process->hProcess, 1);
    return 1;
  }
  GetExitCodeProcess(process->hProcess, &status);
  printf("ended with %lu\n", status);
  return 0;
}

static int failed(const char *what) {
  printf("%s: error %lu\n", what, GetLastError());
  return 1;
}

/* An event for all that are in a console, by a process that is started there for it: this one has none. */
static bool send_event(const console *c, const WCHAR *way) {
  static WCHAR command[MAX_PATH + 32] = L"\"";
  PROCESS_INFORMATION sender;
  DWORD status = 1;

  GetModuleFileNameW(NULL, command + 1, MAX_PATH);
  wcscat(wcscat(wcscat(command, L"\" send "), way), L" -");
  return start_in(c, command, &sender) && WaitForSingleObject(sender.hProcess, PATIENCE_MS) == WAIT_OBJECT_0 &&
         GetExitCodeProcess(sender.hProcess, &status) && status == SENT;
}

static BOOL WINAPI ignore(DWORD event) {
  (void)event;
  return TRUE;
}

static int send_here(const WCHAR *way) {
  DWORD event = wcscmp(way, L"c") == 0 ? CTRL_C_EVENT : CTRL_BREAK_EVENT;

  return SetConsoleCtrlHandler(ignore, TRUE) && GenerateConsoleCtrlEvent(event, 0) ? SENT : 1;
}

static int run_without(WCHAR *command) {
  STARTUPINFOEXW with = {.StartupInfo = {.dwFlags = STARTF_USESTDHANDLES,
                                         .hStdOutput = GetStdHandle(STD_OUTPUT_HANDLE),
                                         .hStdError = GetStdHandle(STD_ERROR_HANDLE)}};
  PROCESS_INFORMATION process;

  return start(command, DETACHED_PROCESS, &with, &process) ? end(&process) : failed("it cannot be started");
}

static int run_in_console(WCHAR **arguments) {
  PROCESS_INFORMATION process;
  console c;

  if (!make_console(&c) || CreateThread(NULL, 0, read_output, &c, 0, NULL) == NULL ||
      !start_in(&c, arguments[COMMAND], &process)) {
    return failed("it cannot be started in a console");
  }
  if (!is_there(arguments[READY])) {
    TerminateProcess(process.hProcess, 1);
  } else if (wcscmp(arguments[WAY], L"close") == 0) {
    c.close(c.console);
  } else if (!send_event(&c, arguments[WAY])) {
    printf("the system does not tell it\n");
    TerminateProcess(process.hProcess, 1);
  }
  return end(&process);
}

static int run(WCHAR **arguments) {
  if (wcscmp(arguments[WAY], L"send") == 0) {
    return send_here(arguments[READY]);
  }
  if (wcscmp(arguments[WAY], L"without") == 0) {
    return run_without(arguments[COMMAND]);
  }
  return run_in_console(arguments);
}

int main(void) {
  int count = 0;
  WCHAR **arguments = CommandLineToArgvW(GetCommandLineW(), &count);

  setvbuf(stdout, NULL, _IONBF, 0);
  return count == ARGUMENTS ? run(arguments) : 2;
}
