/* SPDX-License-Identifier: MIT */
#include "bridgehub.h"

#include <stdio.h>
#include <string.h>

#include <windows.h>

#include <shellapi.h>

/*
 * As an application of another language does it: loads the DLL by its path, starts an instance that may serve, takes
 * one import, stops, unloads; and all of it again, because a port or a pipe that was left behind would show then.
 *
 *     use_library LIBRARY ENDPOINT PORT STATE SPOOL
 */

enum { ROUNDS = 2, PATIENCE_MS = 60000, PAUSE_MS = 10, TEXT_MAX = 1024 };

typedef struct {
  HMODULE module;
  int (*start)(const bh_instance_config *config, bh_instance **instance, char *why, size_t why_size);
  bool (*poll)(bh_instance *instance, bh_instance_event *event);
  int (*ack)(bh_instance *instance, const char *import);
  void (*stop)(bh_instance *instance);
} library;

static bool find(HMODULE module, const char *name, void *function) {
  FARPROC found = GetProcAddress(module, name);

  memcpy(function, &found, sizeof found);
  if (found == NULL) {
    printf("the library has no %s\n", name);
  }
  return found != NULL;
}

static bool load(const char *path, library *l) {
  l->module = LoadLibraryA(path);
  if (l->module == NULL) {
    printf("%s cannot be loaded: error %lu\n", path, GetLastError());
    return false;
  }
  return find(l->module, "bh_instance_start", &l->start) && find(l->module, "bh_instance_poll", &l->poll) &&
         find(l->module, "bh_instance_ack", &l->ack) && find(l->module, "bh_instance_stop", &l->stop);
}

static bool wait_for(const library *l, bh_instance *instance, bh_instance_event_kind kind, bh_instance_event *event) {
  for (int waited = 0; waited < PATIENCE_MS; waited += PAUSE_MS) {
    while (l->poll(instance, event)) {
      if (event->kind == kind) {
        return true;
      }
    }
    Sleep(PAUSE_MS);
  }
  printf("no event of kind %d has come\n", (int)kind);
  return false;
}

static bool use(const library *l, const bh_instance_config *config) {
  static bh_instance_event event;
  char why[TEXT_MAX] = "";
  bh_instance *instance;
  bool done;

  if (l->start(config, &instance, why, sizeof why) != BH_OK) {
    printf("no instance: %s\n", why);
    return false;
  }
  done = wait_for(l, instance, BH_INSTANCE_ACTIVE, &event);
  if (done) {
    printf("active\n");
    printf("console window: %s\n", GetConsoleWindow() == NULL ? "none" : "there");
    done = wait_for(l, instance, BH_INSTANCE_IMPORT, &event);
  }
  if (done) {
    printf("import %s\n", event.assets);
    l->ack(instance, event.import);
  }
  l->stop(instance);
  printf("stopped\n");
  return done;
}

enum { LIBRARY = 1, ENDPOINT, PORT, STATE, SPOOL, ARGUMENTS };

/* As UTF-8, which the library takes, and main() does not get. */
static bool read_arguments(char arguments[ARGUMENTS][TEXT_MAX]) {
  int count = 0;
  WCHAR **wide = CommandLineToArgvW(GetCommandLineW(), &count);

  for (int i = 0; i < ARGUMENTS && i < count; i++) {
    WideCharToMultiByte(CP_UTF8, 0, wide[i], -1, arguments[i], TEXT_MAX, NULL, NULL);
  }
  LocalFree(wide);
  return count == ARGUMENTS;
}

int main(void) {
  static char arguments[ARGUMENTS][TEXT_MAX];
  library l;
  bool done = read_arguments(arguments);

  setvbuf(stdout, NULL, _IONBF, 0);
  for (int i = 0; done && i < ROUNDS; i++) {
    bh_instance_config config = {.endpoint = arguments[ENDPOINT],
                                 .port = (uint16_t)atoi(arguments[PORT]),
                                 .state = arguments[STATE],
                                 .spool = arguments[SPOOL],
                                 .name = "a program",
                                 .may_serve = true};

    done = load(arguments[LIBRARY], &l) && use(&l, &config) && FreeLibrary(l.module);
    printf("%s\n", GetModuleHandleA(arguments[LIBRARY]) == NULL ? "unloaded" : "still loaded");
  }
  return done ? 0 : 1;
}
