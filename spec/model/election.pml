/* SPDX-License-Identifier: MIT */
/*
 * Section 7 of spec/protocol.md: who becomes the hub, and how the others find it.
 *
 * Three processes that may serve. The third was given another port by mistake, so that the spool's lock has work to do.
 * Each can be killed, stopped and woken at any step; a killed one is started again. The system frees what a dead process
 * held: its port, its lock and its connections.
 */

#define PROCESSES 3
#define NOBODY 255
#ifndef TROUBLES
#define TROUBLES 3 /* kills and stops, of whomever */
#endif

byte port[2] = NOBODY; /* who listens there */
#define PORT(who) port[(who) / 2]
byte lock_of = NOBODY;  /* who has the spool's lock */
byte endpoint = NOBODY; /* who takes connections there */
byte state_of = NOBODY; /* who wrote the state file last */
byte epoch;             /* as the state file has it */

bool alive[PROCESSES] = true;
bool stopped[PROCESSES];
bool touches[PROCESSES];         /* endpoint, state file and spool */
byte hubs;                       /* how many do */
byte hub_of[PROCESSES] = NOBODY; /* the hub that it is registered with */
byte told[PROCESSES];            /* the epoch of the last one */

/* Port and lock come before everything else, and without both nothing is touched. */
inline become_hub(me) {
  if
  :: atomic { PORT(me) == NOBODY -> PORT(me) = me };
     if
     :: atomic { lock_of == NOBODY -> lock_of = me };
        d_step {
          touches[me] = true;
          hubs++;
          assert(hubs == 1); /* BH-ELECT-001 BH-ELECT-002 */
          former = epoch
        };
        d_step {
          assert(epoch == former); /* BH-ELECT-004 */
          epoch = former + 1;
          state_of = me
        };
        endpoint = me
     :: else -> PORT(me) = NOBODY
     fi
  :: else
  fi
}

/* A stopped hub takes the connection and does not answer. */
inline find_hub(me) {
  if
  :: atomic {
       endpoint != NOBODY && !stopped[endpoint] ->
       assert(state_of == endpoint);                                        /* BH-ELECT-003 */
       assert(epoch > told[me] || (epoch == told[me] && last == endpoint)); /* BH-ELECT-004 */
       hub_of[me] = endpoint;
       last = endpoint;
       told[me] = epoch
     }
  :: else
  fi
}

proctype Process(byte me) provided (!stopped[me]) {
  byte former;
  byte last = NOBODY;

begin:
  {
end:
    do
    /* It tries again and again; what is left out are the attempts that change nothing. */
    :: hub_of[me] == NOBODY && !touches[me] && PORT(me) == NOBODY && lock_of == NOBODY -> become_hub(me)
    :: hub_of[me] == NOBODY && endpoint != NOBODY && !stopped[endpoint] -> find_hub(me)
    /* Silent for the time-out (BH-CLIENT-004). */
    :: atomic { hub_of[me] != NOBODY && stopped[hub_of[me]] -> hub_of[me] = NOBODY }
    od
  } unless { !alive[me] };
  d_step { former = 0; last = NOBODY; told[me] = 0; alive[me] = true };
  goto begin
}

inline end_of(who) {
  alive[who] = false;
  if :: PORT(who) == who -> PORT(who) = NOBODY :: else fi;
  if :: lock_of == who -> lock_of = NOBODY :: else fi;
  if :: touches[who] -> touches[who] = false; hubs-- :: else fi;
  if :: endpoint == who -> endpoint = NOBODY :: else fi;
  hub_of[who] = NOBODY;
  other = 0;
  do
  :: other < PROCESSES ->
     if :: hub_of[other] == who -> hub_of[other] = NOBODY :: else fi;
     other++
  :: else -> break
  od
}

inline kill(who) {
  atomic { troubles < TROUBLES && alive[who] -> end_of(who); stopped[who] = false; troubles++ }
}

inline stop(who) {
  atomic { troubles < TROUBLES && alive[who] -> stopped[who] = true; troubles++ };
  if
  :: stopped[who] = false
  :: kill(who)
  fi
}

/* What happens to processes. It comes to its end, and leaves none stopped. */
proctype World() {
  byte troubles;
  byte other;

  do
  :: kill(0)
  :: kill(1)
  :: kill(2)
  :: stop(0)
  :: stop(1)
  :: stop(2)
  :: break
  od
}

init {
  atomic { run Process(0); run Process(1); run Process(2); run World() }
}

#define IS_WITH(who) (hub_of[who] != NOBODY && hub_of[who] == endpoint)

/* BH-ELECT-007 BH-ELECT-009: in the end all are registered with one hub. */
ltl all_find_one_hub { <>[] (IS_WITH(0) && IS_WITH(1) && IS_WITH(2)) }
