/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>

#include <windows.h>

#include <aclapi.h>
#include <sddl.h>

/*
 * What the system says of a hub's pipe, one line each:
 *
 *     look_at_pipe NAME
 *
 * who may use it, whether it lets a remote client in, and whether a second server can have its name.
 */

static void say_access(const char *name) {
  HANDLE pipe = CreateFileA(name, READ_CONTROL | GENERIC_READ, 0, NULL, OPEN_EXISTING, 0, NULL);
  SECURITY_DESCRIPTOR *descriptor;
  ACL *list;
  char *text = NULL;

  if (pipe == INVALID_HANDLE_VALUE || GetSecurityInfo(pipe, SE_KERNEL_OBJECT, DACL_SECURITY_INFORMATION, NULL, NULL,
                                                      &list, NULL, (void **)&descriptor) != 0) {
    printf("access cannot be read: error %lu\n", GetLastError());
    return;
  }
  ConvertSecurityDescriptorToStringSecurityDescriptorA(descriptor, SDDL_REVISION_1, DACL_SECURITY_INFORMATION, &text,
                                                       NULL);
  printf("access %s\n", text == NULL ? "?" : text);
  LocalFree(text);
  LocalFree(descriptor);
  CloseHandle(pipe);
}

static void say_user(void) {
  BYTE user[sizeof(TOKEN_USER) + SECURITY_MAX_SID_SIZE];
  HANDLE token;
  DWORD size;
  char *text = NULL;

  if (OpenProcessToken(GetCurrentProcess(), TOKEN_QUERY, &token) &&
      GetTokenInformation(token, TokenUser, user, sizeof user, &size)) {
    ConvertSidToStringSidA(((TOKEN_USER *)user)->User.Sid, &text);
  }
  printf("user %s\n", text == NULL ? "?" : text);
  LocalFree(text);
}

static void say_second(const char *name) {
  HANDLE pipe = CreateNamedPipeA(name, PIPE_ACCESS_DUPLEX | FILE_FLAG_FIRST_PIPE_INSTANCE, PIPE_TYPE_BYTE | PIPE_WAIT,
                                 PIPE_UNLIMITED_INSTANCES, 4096, 4096, 0, NULL);

  if (pipe == INVALID_HANDLE_VALUE) {
    printf("second server: refused, error %lu\n", GetLastError());
  } else {
    printf("second server: let in\n");
    CloseHandle(pipe);
  }
}

int main(int argc, char **argv) {
  if (argc != 2) {
    return 1;
  }
  say_user();
  say_access(argv[1]);
  say_second(argv[1]);
  return 0;
}
