/* SPDX-License-Identifier: MIT */
#ifndef FUZZ_STATES_H
#define FUZZ_STATES_H

#include <stdbool.h>

enum { BH_MACHINES = 8 };

void bh_state_reached(int machine, int state);

#endif
