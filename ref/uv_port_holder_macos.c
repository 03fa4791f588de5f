/* SPDX-License-Identifier: MIT */
/* libproc is no POSIX. */
#define _DARWIN_C_SOURCE

#include "uv_port_holder.h"

#include <libproc.h>
#include <stdlib.h>

#include <netinet/in.h>
#include <sys/proc_info.h>
#include <sys/types.h>

/* By libproc, which tells of one's own processes alone: there is no table of all sockets. */

enum { MORE = 16 /* that have begun between two questions */ };

static bool is_on_port(const struct socket_info *info, uint16_t port) {
  const struct tcp_sockinfo *tcp = &info->soi_proto.pri_tcp;
  const struct in_sockinfo *in = &tcp->tcpsi_ini;
  in_addr_t address = in->insi_laddr.ina_46.i46a_addr4.s_addr;

  return info->soi_kind == SOCKINFO_TCP && tcp->tcpsi_state == TSI_S_LISTEN &&
         ntohs((uint16_t)in->insi_lport) == port && (address == htonl(INADDR_LOOPBACK) || address == htonl(INADDR_ANY));
}

static bool listens(pid_t pid, const struct proc_fdinfo *file, uint16_t port) {
  struct socket_fdinfo socket;

  return file->proc_fdtype == PROX_FDTYPE_SOCKET &&
         proc_pidfdinfo(pid, file->proc_fd, PROC_PIDFDSOCKETINFO, &socket, sizeof socket) == (int)sizeof socket &&
         is_on_port(&socket.psi, port);
}

static bool has_port(pid_t pid, uint16_t port) {
  int room = proc_pidinfo(pid, PROC_PIDLISTFDS, 0, NULL, 0);
  struct proc_fdinfo *files = room <= 0 ? NULL : malloc((size_t)room);
  int size = files == NULL ? 0 : proc_pidinfo(pid, PROC_PIDLISTFDS, 0, files, room);
  bool found = false;

  for (int i = 0; !found && i < size / (int)sizeof *files; i++) {
    found = listens(pid, &files[i], port);
  }
  free(files);
  return found;
}

void bh_port_holder_look(uint16_t port, bh_port_holder *holder) {
  int room = proc_listallpids(NULL, 0) + MORE;
  pid_t *pids = room <= MORE ? NULL : malloc((size_t)room * sizeof *pids);
  int count = pids == NULL ? 0 : proc_listallpids(pids, room * (int)sizeof *pids);

  for (int i = 0; holder->pid == 0 && i < count; i++) {
    if (has_port(pids[i], port)) {
      holder->pid = (uint32_t)pids[i];
      proc_name(pids[i], holder->name, sizeof holder->name);
    }
  }
  free(pids);
}
