/* SPDX-License-Identifier: MIT */
#include "bridgehub.h"

#include <inttypes.h>
#include <stdio.h>

void bh_spool_name(const bh_import *import, char name[BH_SPOOL_NAME_MAX]) {
  snprintf(name, BH_SPOOL_NAME_MAX, "%020" PRIu64 ".%s.%" PRIu32 ".%" PRIu32 ".%s.json", import->sequence,
           import->import, import->attempt, import->deaths, import->holder[0] == '\0' ? "_" : import->holder);
}
