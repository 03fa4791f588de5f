/* SPDX-License-Identifier: MIT */
/* Before windows.h, which would bring another winsock. */
#include <winsock2.h>

#include "uv_port_holder.h"

#include <iphlpapi.h>
#include <stdlib.h>
#include <wchar.h>
#include <windows.h>

/* By the system's table of sockets, which names the process of each. */

enum { PATH_ROOM = 1024, TRIES = 4 /* the table grows between two questions */ };

/* To be freed; NULL: it cannot be had. */
static MIB_TCPTABLE_OWNER_PID *listeners(void) {
  MIB_TCPTABLE_OWNER_PID *table = NULL;
  DWORD size = 0;

  for (int i = 0; i < TRIES; i++) {
    DWORD error = GetExtendedTcpTable(table, &size, FALSE, AF_INET, TCP_TABLE_OWNER_PID_LISTENER, 0);

    if (error == NO_ERROR && table != NULL) {
      return table;
    }
    free(table);
    table = error == ERROR_INSUFFICIENT_BUFFER ? malloc(size) : NULL;
    if (table == NULL) {
      return NULL;
    }
  }
  free(table);
  return NULL;
}

static bool is_on_port(const MIB_TCPROW_OWNER_PID *row, uint16_t port) {
  return ntohs((uint16_t)row->dwLocalPort) == port &&
         (row->dwLocalAddr == htonl(INADDR_LOOPBACK) || row->dwLocalAddr == htonl(INADDR_ANY));
}

static void read_name(uint32_t pid, char name[BH_PROGRAM_MAX + 1]) {
  wchar_t path[PATH_ROOM];
  DWORD size = PATH_ROOM;
  HANDLE process = OpenProcess(PROCESS_QUERY_LIMITED_INFORMATION, FALSE, pid);
  const wchar_t *slash;

  if (process == NULL) {
    return;
  }
  if (QueryFullProcessImageNameW(process, 0, path, &size)) {
    slash = wcsrchr(path, L'\\');
    if (WideCharToMultiByte(CP_UTF8, 0, slash == NULL ? path : slash + 1, -1, name, BH_PROGRAM_MAX + 1, NULL, NULL) ==
        0) {
      name[0] = '\0'; /* longer than that is no program's name */
    }
  }
  CloseHandle(process);
}

void bh_port_holder_look(uint16_t port, bh_port_holder *holder) {
  MIB_TCPTABLE_OWNER_PID *table = listeners();

  for (DWORD i = 0; table != NULL && holder->pid == 0 && i < table->dwNumEntries; i++) {
    if (is_on_port(&table->table[i], port) && table->table[i].dwOwningPid != 0) {
      holder->pid = table->table[i].dwOwningPid;
      read_name(holder->pid, holder->name);
    }
  }
  free(table);
}
