/* SPDX-License-Identifier: MIT */
/*
 * Section 6 of spec/protocol.md: nothing is lost.
 *
 * A hub, two clients with a window of 1, and two imports. The hub can be killed between any two steps, and the next one
 * finds what the spool keeps; a client can be killed, or lose its connection and come back. Time is left out: a
 * reservation may end at any moment at which its holder is away.
 */

#define IMPORTS 2
#define CLIENTS 2
#define NOBODY 255
#ifndef TROUBLES
#define TROUBLES 2 /* kills and lost connections, of whomever */
#endif
#define DEATHS_MAX 3

/* The spool: what a rename has made durable. */
mtype = { NOT_WHOLE, IN_QUEUE, PARKED, GONE };
mtype place[IMPORTS] = NOT_WHOLE;
byte attempt[IMPORTS];
byte deaths[IMPORTS] = 1; /* each has killed one before */
byte holder[IMPORTS] = NOBODY;
byte holder_life[IMPORTS]; /* an instance id is one life of one client */

/* What the hub knows, and its death forgets. */
mtype = { WAITING, IN_HAND, RESERVED };
mtype at[IMPORTS] = WAITING;
byte chosen = NOBODY; /* the active instance */
bool hub_lives;

/* Connections and clients. */
bool linked[CLIENTS];
byte life[CLIENTS];
chan to[CLIENTS] = [4] of { byte, byte };   /* IMPORT_DATA: import, attempt */
chan back[CLIENTS] = [4] of { byte, byte }; /* its ACK: import, attempt */
#define AT(client, import) ((client) * IMPORTS + (import))
bool in_hand[CLIENTS * IMPORTS];
bool finished[CLIENTS * IMPORTS];
byte newest[CLIENTS * IMPORTS]; /* the attempt that is to be answered */
byte handed_up[CLIENTS * IMPORTS]; /* in this life */
bool was_finished[IMPORTS];     /* by anybody, ever */
bool was_acknowledged[IMPORTS]; /* to this hub */

#define IS_FOR(import, client) (holder[import] == client && holder_life[import] == life[client])
#define HOLDS(client) ((at[0] == IN_HAND && IS_FOR(0, client)) || (at[1] == IN_HAND && IS_FOR(1, client)))

/* ---- the hub */

inline take_over() {
  d_step {
    chosen = NOBODY;
    i = 0;
    do
    :: i < IMPORTS ->
       at[i] = (holder[i] == NOBODY -> WAITING : RESERVED);
       was_acknowledged[i] = false;
       i++
    :: else -> break
    od;
    i = 0;
    hub_lives = true
  }
}

/* The record, and then the message: between the two the hub can die, or the client go. */
inline send(import, client) {
  d_step {
    assert(place[import] == IN_QUEUE);     /* BH-SPOOL-001 BH-ROUTE-016 */
    assert(!was_acknowledged[import]);     /* BH-ROUTE-006 */
    assert(deaths[import] < DEATHS_MAX);   /* BH-ROUTE-014 */
    attempt[import]++;
    holder[import] = client;
    holder_life[import] = life[client];
    at[import] = RESERVED
  };
  if
  :: atomic {
       linked[client] && IS_FOR(import, client) ->
       assert(holder[import] == client && attempt[import] > 0); /* BH-SPOOL-004 */
       assert(!(linked[client] && HOLDS(client)));              /* BH-ROUTE-003 */
       at[import] = IN_HAND;
       to[client]!import, attempt[import]
     }
  :: else
  fi
}

#define MAY_SEND_NEW(client) (chosen == client && linked[client] && !HOLDS(client))
#define WAITS(import) (place[import] == IN_QUEUE && at[import] == WAITING)
#define COMES_AGAIN(import, client) \
  (place[import] == IN_QUEUE && at[import] == RESERVED && IS_FOR(import, client) && linked[client] && !HOLDS(client))

inline send_first(client) {
  if
  :: WAITS(0) -> send(0, client)
  :: !WAITS(0) && WAITS(1) ->
     assert(at[0] != WAITING || place[0] != IN_QUEUE); /* BH-ROUTE-002 BH-ROUTE-007 */
     send(1, client)
  fi
}

inline take_ack(client) {
  atomic {
    back[client]?import, tried ->
    if
    :: at[import] == IN_HAND && IS_FOR(import, client) && attempt[import] == tried -> was_acknowledged[import] = true
    :: else -> import = NOBODY /* fits nothing (BH-MSG-006) */
    fi
  };
  if
  :: import != NOBODY ->
     d_step {
       assert(was_finished[import]); /* BH-SPOOL-005 */
       place[import] = GONE;
       at[import] = WAITING;
       holder[import] = NOBODY;
       holder_life[import] = 0;
       attempt[import] = 0;
       was_acknowledged[import] = false
     }
  :: else
  fi
}

/* One rename: to its next name in queue/, or to parked/. */
inline die(import) {
  d_step {
    deaths[import]++;
    holder[import] = NOBODY;
    holder_life[import] = 0;
    at[import] = WAITING;
    place[import] = (deaths[import] < DEATHS_MAX -> IN_QUEUE : PARKED);
    assert(deaths[import] <= DEATHS_MAX) /* BH-ROUTE-014 */
  }
}

#define IS_AWAY(import) \
  (place[import] == IN_QUEUE && at[import] == RESERVED && \
   (!linked[0] || !IS_FOR(import, 0)) && (!linked[1] || !IS_FOR(import, 1)))

bool hub_killed;
byte whole; /* imports that Bridge has sent */

proctype Hub() {
  byte i;
  byte import;
  byte tried;

begin:
  {
    take_over();
end:
    do
    :: whole < IMPORTS -> d_step { place[whole] = IN_QUEUE; at[whole] = WAITING; whole++ }
    /* Somebody claims where nobody is active, or the active one has gone (BH-ACT-004). */
    :: atomic { linked[0] && (chosen == NOBODY || !linked[chosen]) -> chosen = 0 }
    :: atomic { linked[1] && (chosen == NOBODY || !linked[chosen]) -> chosen = 1 }
    :: MAY_SEND_NEW(0) && !COMES_AGAIN(0, 0) && !COMES_AGAIN(1, 0) && (WAITS(0) || WAITS(1)) -> send_first(0)
    :: MAY_SEND_NEW(1) && !COMES_AGAIN(0, 1) && !COMES_AGAIN(1, 1) && (WAITS(0) || WAITS(1)) -> send_first(1)
    :: COMES_AGAIN(0, 0) -> send(0, 0)
    :: COMES_AGAIN(0, 1) -> send(0, 1)
    :: COMES_AGAIN(1, 0) && !COMES_AGAIN(0, 0) -> send(1, 0)
    :: COMES_AGAIN(1, 1) && !COMES_AGAIN(0, 1) -> send(1, 1)
    :: take_ack(0)
    :: take_ack(1)
    :: IS_AWAY(0) -> die(0)
    :: IS_AWAY(1) -> die(1)
    od
  } unless { hub_killed };
  d_step { hub_killed = false; import = 0; tried = 0 };
  goto begin
}

/* ---- a client */

bool killed[CLIENTS];

/* Without a connection it remembers, and answers when the import comes again (section 6.3). */
inline finish(which) {
  in_hand[AT(me, which)] = false;
  finished[AT(me, which)] = true;
  was_finished[which] = true;
  if
  :: linked[me] -> back[me]!which, newest[AT(me, which)]
  :: else
  fi;
  newest[AT(me, which)] = 0
}

proctype Client(byte me) {
  byte import;
  byte tried;

begin:
  {
end:
    do
    :: atomic { hub_lives && !linked[me] -> linked[me] = true }
    :: atomic {
         to[me]?import, tried ->
         if
         :: finished[AT(me, import)] -> back[me]!import, tried /* BH-CLIENT-001 */
         :: !finished[AT(me, import)] && !in_hand[AT(me, import)] ->
            handed_up[AT(me, import)]++;
            assert(handed_up[AT(me, import)] == 1); /* BH-CLIENT-001 BH-CLIENT-002 */
            in_hand[AT(me, import)] = true;
            newest[AT(me, import)] = tried
         :: else -> newest[AT(me, import)] = tried /* BH-CLIENT-002: answered when it is finished */
         fi;
         import = 0;
         tried = 0
       }
    :: atomic { in_hand[AT(me, 0)] -> finish(0) }
    :: atomic { in_hand[AT(me, 1)] -> finish(1) }
    od
  } unless { killed[me] };
  d_step { killed[me] = false; import = 0; tried = 0 };
  goto begin
}

/* ---- what happens to them */

inline empty_of(channel) {
  do
  :: nempty(channel) -> channel?_, _
  :: empty(channel) -> break
  od
}

/* The hub reserves what it held (BH-ROUTE-011). */
inline cut(client) {
  linked[client] = false;
  empty_of(to[client]);
  empty_of(back[client]);
  if :: at[0] == IN_HAND && IS_FOR(0, client) -> at[0] = RESERVED :: else fi;
  if :: at[1] == IN_HAND && IS_FOR(1, client) -> at[1] = RESERVED :: else fi
}

inline forget(client, import) {
  in_hand[AT(client, import)] = false;
  finished[AT(client, import)] = false;
  newest[AT(client, import)] = 0;
  handed_up[AT(client, import)] = 0
}

inline kill_client(client) {
  atomic {
    troubles < TROUBLES ->
    troubles++;
    cut(client);
    forget(client, 0);
    forget(client, 1);
    life[client]++; /* another instance begins */
    killed[client] = true
  }
}

proctype World() {
  byte troubles;

  do
  :: atomic {
       troubles < TROUBLES && hub_lives ->
       troubles++;
       hub_lives = false;
       cut(0);
       cut(1);
       hub_killed = true
     }
  :: kill_client(0)
  :: kill_client(1)
  :: atomic { troubles < TROUBLES && linked[0] -> troubles++; cut(0) }
  :: atomic { troubles < TROUBLES && linked[1] -> troubles++; cut(1) }
  :: break
  od
}

init {
  atomic { run Hub(); run Client(0); run Client(1); run World() }
}

#define RESTS(import) ((place[import] == GONE && was_finished[import]) || place[import] == PARKED)

/* BH-ROUTE-004 BH-ROUTE-013 BH-SPOOL-007: in the end each import is finished, or parked. */
ltl none_is_lost { <>[] (RESTS(0) && RESTS(1)) }
