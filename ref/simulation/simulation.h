/* SPDX-License-Identifier: MIT */
#ifndef BH_SIMULATION_H
#define BH_SIMULATION_H

/*
 * One machine on which the real core runs: processes with a client and, in the one that has won the election, a hub; a
 * disk that keeps what was renamed; connections that chunk, delay and break; Bridge; a user; and trouble of every kind.
 * All that happens is drawn from one seed, and time is virtual: a seed always tells the same story.
 *
 *     world.c      a story: a time of trouble, then calm, in which everything must come right
 *     agenda.c     what happens next
 *     trouble.c    what the world and a user do to the processes
 *     process*.c   a process, driven as the libuv drivers drive it; each step may be its last
 *     net.c        connections, ports and the endpoint
 *     disk.c       the spool and the state file
 *     bridge.c     Bridge
 *     judge*.c     what must hold, checked with each step
 *     main.c       many seeds, side by side
 */

#include "body.h"
#include "election.h"
#include "reader.h"
#include "state_file.h"

enum {
  PROCESSES_MAX = 6,
  PORTS = 2, /* the group's, and that of a process that was told another one */
  SENDERS_MAX = 6,
  CONNECTIONS_MAX = 96,
  FILES_MAX = 160,
  VALUES_MAX = 96, /* that Bridge sends in one story */
  SENDER_VALUES_MAX = 4,
  BRIDGE_VALUE_MAX = 16384, /* octets */
  REQUESTS_MAX = 32,
  HANDS_MAX = 128,
  ASKED_MAX = 256, /* messages in one direction that wait for their answer */
  KNOWN_MAX = 128, /* instances in one story */
  ACKS_MAX = 16,
  WEIGHTS_MAX = 16,
  BACKLOG = 2, /* few, so that it is full at times */
  INPUT_MAX = 32768,
  NOBODY = -1,
  FOREIGNER = -2, /* has a port, and is no hub */
};

/* The unit of time is a microsecond; the core is given milliseconds. */
#define MS UINT64_C(1000)

typedef char instance_id[BH_INSTANCE_ID_MAX + 1];

/* ------------------------------------------------------------------------------------------------ what happens */

typedef enum {
  /* In a process; while it is stopped or at work they wait. */
  STEP_CLIENT_TIMER,
  STEP_HUB_TIMER,
  STEP_SWEEP,
  STEP_SERVE,     /* on the way to be the hub */
  STEP_WORK,      /* the hub goes on with what it was at */
  STEP_PATIENCE,  /* the answer to UNREGISTER is there, or is awaited no more */
  STEP_END,       /* on the way to a clean end */
  STEP_CONNECTED, /* an attempt to connect has ended */
  STEP_LOOKED,    /* a look at the port has ended */
  STEP_ACCEPT,
  STEP_DELIVER,  /* octets or the end, to one end of a connection */
  STEP_WRITABLE, /* one end may write again */
  STEP_FINISH,   /* the program is done with an import */
  /* In the world. */
  STEP_START,    /* a process */
  STEP_CONTINUE, /* SIGCONT */
  STEP_BRIDGE,   /* what a sender does next */
  STEP_FREE_PORT,
  STEP_TROUBLE,
  STEP_CALM,
  STEP_LOOK, /* whether everything has come right */
} step_kind;

typedef struct {
  uint64_t time;
  uint64_t order;
  step_kind kind;
  int process; /* NOBODY: the world */
  uint32_t life;
  int object;     /* a connection, a sender, a value, a port, or a result */
  uint32_t stamp; /* of the object, or the timer */
  int end;        /* of the connection; the result of connecting */
} step;

/* -------------------------------------------------------------------------------------------------- connections */

typedef enum { AT_ENDPOINT, AT_PORT } place;
enum { OPENER = 0, SERVER = 1 };

/* One direction. */
typedef struct {
  uint8_t *octets; /* on their way */
  size_t size, capacity;
  bool ended;       /* nothing follows what is on its way */
  bool reset;       /* ... and it ends by a reset */
  bool lost;        /* nothing that goes in here arrives, the end neither */
  bool under_way;   /* a STEP_DELIVER is planned */
  bool wants_space; /* the writer waits for STEP_WRITABLE */
} direction;

/* One direction as the judge reads it. */
typedef struct {
  bh_reader reader;
  uint32_t asked[ASKED_MAX]; /* the messages that wait for their answer, in order */
  bh_type types[ASKED_MAX];
  uint64_t times_ms[ASKED_MAX];
  size_t count;
  uint32_t imports; /* of them, IMPORT_DATA */
} tap;

typedef struct {
  bool open;
  bool ready;          /* accepted; connected */
  bool deaf;           /* reads no more */
  int owner;           /* a process; Bridge's end of a connection: a sender */
  uint32_t handle;     /* bh_peer, bh_bridge */
  const uint8_t *lent; /* by the core, and not yet out; NULL: nothing */
  size_t lent_size, lent_at;
} net_end;

typedef struct {
  uint32_t stamp; /* 0: a free slot */
  place where;
  net_end ends[2];
  direction ways[2]; /* by who writes */
  /* At the endpoint. */
  tap *taps[2];
  instance_id instance; /* once the ACK of REGISTER was written */
  uint32_t opener_life;
  uint32_t window;
  bool unregisters; /* UNREGISTER was written */
  /* At a port. */
  int port;
  int file; /* of the value in hand; NOBODY: none */
  size_t committed;
  uint64_t received;
} connection;

/* ---------------------------------------------------------------------------------------------------- the spool */

typedef enum { IN_TMP, IN_QUEUE, IN_PARKED, IN_RETRY } directory;

typedef struct {
  bool there;
  directory where;
  char name[BH_SPOOL_NAME_MAX];
  uint8_t *octets;
  size_t size, capacity;
  int value; /* what it holds, once it is complete */
} file;

typedef enum { DISK_OK, DISK_FAILED, DISK_GONE } disk_result;

/* ------------------------------------------------------------------------------------------------------- Bridge */

typedef enum {
  VALUE_MADE,
  VALUE_COMPLETE, /* it lies in the spool */
  VALUE_DONE,     /* finished, and out of the spool */
  VALUE_BY_HAND,  /* somebody has removed it */
} value_state;

typedef struct {
  value_state state;
  char *text; /* as it must arrive */
  size_t size;
  char import[BH_IMPORT_ID_MAX + 1];
  uint64_t sequence;
  uint64_t tried_again;        /* court.batch when it was */
  uint32_t recorded;           /* attempts, by the spool */
  uint32_t attempt;            /* of the last IMPORT_DATA that was written, to its last octet */
  instance_id acked[ACKS_MAX]; /* whose program has finished it */
  size_t acks;
  instance_id refused; /* who has refused it last */
} value;

typedef enum {
  SENDER_WAITS,  /* half-closes and waits for the end: then all is safe */
  SENDER_LEAVES, /* closes and does not look back */
  SENDER_BREAKS, /* ends in the middle */
  SENDER_STALLS, /* falls silent in the middle */
  SENDER_ERRS,   /* something wrong follows its values */
  SENDER_SAYS_BYE,
} sender_manner;

typedef struct {
  bool active;
  uint32_t stamp;
  sender_manner manner;
  int link; /* NOBODY: it has not connected yet */
  uint32_t link_stamp;
  int values[SENDER_VALUES_MAX];
  size_t value_ends[SENDER_VALUES_MAX]; /* in the stream */
  size_t value_count;
  uint8_t *octets;
  size_t size, at;
  size_t stop_at; /* where it breaks or stalls */
  uint32_t tries;
} sender;

/* ---------------------------------------------------------------------------------------------------- processes */

typedef enum { ASK_CLAIM, ASK_CLAIM_FOR, ASK_RELEASE, ASK_HEARTBEAT, ASK_UNREGISTER } ask_kind;

typedef struct {
  uint32_t number; /* 0: free */
  ask_kind kind;
} open_request;

typedef enum {
  SERVE_NOT,
  SERVE_LISTEN,
  SERVE_LOCK,
  SERVE_CLEAR_ENDPOINT,
  SERVE_READ_STATE,
  SERVE_OPEN_SPOOL,
  SERVE_TAKE_OVER,
  SERVE_WRITE_STATE,
  SERVE_OPEN_ENDPOINT,
  SERVE_READY,
} serve_phase;

typedef enum {
  END_NOT,
  END_UNREGISTER, /* asked, and the answer awaited */
  END_BRIDGES,
  END_ENDPOINT,
  END_STATE,
  END_PEERS,
  END_LOCK,
  END_PORT,
  END_EXIT,
} end_phase;

typedef struct {
  struct world *world;
  /* What it is in all its lives. */
  bool has_client; /* else it only serves */
  bool may_serve;
  bh_role role;
  uint32_t window;
  int port;
  /* This life. */
  bool alive;
  bool stopped;
  bool at_work; /* its one thread is at something that all else waits for */
  uint32_t life;
  uint32_t pid;
  uint64_t stopped_at;
  uint64_t fresh_until_ms; /* it was stopped for long, and may not take anybody for lost for being silent */
  step *deferred;
  size_t deferred_count, deferred_capacity;
  end_phase ending;
  uint64_t client_due, hub_due; /* the timers as they are planned */
  uint32_t client_timer, hub_timer;
  /* The client. */
  bh_client *client;
  bh_election election;
  int link; /* NOBODY: no connection */
  uint32_t link_stamp;
  bool connecting;
  bool superseded;
  bool told_active;
  instance_id instance; /* registered as, or to be resumed */
  bool resumes;         /* was started with `instance` */
  int hands[HANDS_MAX]; /* values */
  size_t hand_count;
  bool finished[VALUES_MAX];
  open_request requests[REQUESTS_MAX];
  uint32_t hub_of_order; /* the process that `last_sequence` is of */
  uint64_t last_sequence;
  uint64_t alone_since; /* not registered, and running */
  bool was_told;        /* ... and something was said about it */
  /* The hub. */
  serve_phase serving;
  bh_hub *hub;
  bh_ingest *ingest;
  int found[FILES_MAX]; /* in queue/, to be taken over */
  size_t found_count, found_at;
} process;

/* ------------------------------------------------------------------------------------------------------ the judge */

/* An instance, as the running hub's duty towards it is. */
typedef struct {
  instance_id instance;
  bool present;
  bool left; /* by UNREGISTER */
  bool gone; /* its process, and the hub was told */
  uint64_t lost_ms;
} acquaintance;

typedef struct {
  uint64_t batch; /* how often a hub has come to the end of its work */
  uint64_t began_ms;
  uint64_t epoch;
  bool late; /* its process was stopped at some time: what the hub measures is not what we do */
  bool release_asked;
  bool released; /* for certain: nobody may be active until a CLAIM_ACTIVE */
  instance_id active;
  instance_id former; /* who is active again when it comes back ... */
  bool former_left;   /* ... unless it has left, which its UNREGISTER may not have come far enough to tell */
  uint64_t former_until_ms;
  instance_id claimed[KNOWN_MAX]; /* for whom a CLAIM_ACTIVE has gone out to this hub */
  size_t claimed_count;
  bool expiring;  /* the hub is just told the time */
  bool told_gone; /* the hub is just told that the process behind a connection is gone */
  acquaintance known[KNOWN_MAX];
  size_t known_count;
  bool disk_failed; /* at any time: the order need not be that of arrival then */
  /* What the state file should say; nothing is to be concluded from a spoilt one. */
  bool state_spoilt;
  uint64_t state_epoch;
  instance_id state_active;
} court;

/* -------------------------------------------------------------------------------------------------------- the world */

/* What happened, for the closing line. */
typedef struct {
  uint64_t steps, starts, kills, stops, takeovers, clean_ends, connections, breaks;
  uint64_t messages, values, complete, finished, parked, handed_up, repeats;
} tallies;

/* How much trouble there is: one in so many; 0: none. */
typedef struct {
  uint32_t crash, pause, disk, trouble_ms;
  uint32_t odd_chunks, slow;
  uint32_t weights[WEIGHTS_MAX]; /* of the kinds of trouble: see trouble.c */
  bool sees_processes;           /* the hub learns whether a peer's process is gone */
  bool doubles;                  /* a process may be told another's instance id */
  size_t room;                   /* octets that a direction takes */
  uint32_t latency_us;
} mood;

typedef struct world {
  uint64_t seed;
  uint64_t random;
  bool tracing;
  uint64_t now;
  uint64_t order;
  step *agenda; /* a heap */
  size_t agenda_size, agenda_capacity;
  size_t blocks; /* of memory that the core has */

  uint32_t heartbeat_ms, timeout_ms;
  mood mood;
  bool calm;
  uint64_t calm_since;
  int scene; /* of the calm: see world.c */
  uint64_t scene_since;

  process processes[PROCESSES_MAX];
  int process_count;
  uint32_t last_pid;
  connection connections[CONNECTIONS_MAX];
  uint32_t last_stamp;
  int ports[PORTS]; /* who has it: a process, NOBODY, FOREIGNER */
  int lock;
  int endpoint;       /* who listens */
  bool endpoint_file; /* there is one */
  file files[FILES_MAX];
  bh_buffer state; /* the state file */
  bool state_there;
  value values[VALUES_MAX];
  int value_count;
  sender senders[SENDERS_MAX];
  court court;
  tallies tallies;
  bh_allocator allocator;
  uint8_t (*inputs)[INPUT_MAX]; /* each process's */
} world;

/* world.c */
void story(world *w, uint64_t seed, bool tracing); /* all of it */
uint64_t now_ms(const world *w);
void copy_id(instance_id to, const char *from);

/* chance.c */
uint64_t draw_bits(world *w);
uint32_t draw_below(world *w, uint32_t bound);                  /* 0 <= x < bound */
uint64_t draw_between(world *w, uint64_t least, uint64_t most); /* both included */
bool one_in(world *w, uint32_t count);                          /* 0: never */

/* agenda.c */
void plan(world *w, uint64_t delay_us, step s);
void plan_in(world *w, uint64_t delay_us, step_kind kind, int process, int object);
bool agenda_next(world *w, step *s);
void agenda_free(world *w);

/* net.c */
connection *net_find(world *w, int index, uint32_t stamp); /* NULL: it is that one no more */
int net_index(const world *w, const connection *c);
connection *net_open(world *w, place where, int opener, int server); /* NULL: there are too many */
void net_ready(world *w, connection *c, int end);                    /* octets may be delivered there */
/* How many octets are taken; -1: the connection is broken. */
int64_t net_write(world *w, connection *c, int end, const uint8_t *octets, size_t size);
/* Writes what the core has lent to that end. True: all of it is out, or the connection is broken. */
bool net_write_lent(world *w, connection *c, int end);
void net_shut_down(world *w, connection *c, int end); /* it writes no more, and still reads */
void net_close(world *w, connection *c, int end, bool reset);
void net_cut(world *w, connection *c);                      /* both ends see it break */
void net_swallow(world *w, connection *c, int end);         /* what that end writes arrives no more */
void net_refuse_waiting(world *w, int server, place where); /* who was not accepted yet */
size_t net_count_waiting(const world *w, int server);       /* at the endpoint */
/* Octets that arrive; `into` has INPUT_MAX. 0: the end. */
size_t net_take(world *w, connection *c, int to, uint8_t *into, bool *reset);
void net_taken(world *w, int index, uint32_t stamp, int to); /* plans what follows */
void net_free(world *w);

/* disk.c */
int disk_create(world *w); /* in tmp/; NOBODY: it failed */
bool disk_append(world *w, int index, const uint8_t *octets, size_t size);
disk_result disk_commit(world *w, int index, const bh_import *import, int value);
void disk_drop(world *w, int index);
disk_result disk_move(world *w, directory from, const bh_import *before, directory to, const bh_import *import);
disk_result disk_remove(world *w, directory where, const bh_import *import);
file *disk_find(world *w, directory where, const bh_import *import);
size_t disk_count(const world *w, directory where);
size_t disk_list(world *w, directory where, int indexes[FILES_MAX]); /* in an order of chance */
bh_import disk_import(const file *f);
void disk_free(world *w);

/* bridge.c */
void bridge_begin(world *w);
void bridge_step(world *w, const step *s);
void bridge_deliver(world *w, connection *c);
void bridge_writable(world *w, const connection *c);
void bridge_free(world *w);
int value_of(const world *w, const char *import); /* NOBODY: of none */

/* process.c */
void process_start(world *w, int index);
void process_kill(world *w, int index);
void process_stop(world *w, int index, uint64_t us);
void process_continue(world *w, int index);
void process_terminate(world *w, int index); /* SIGTERM */
void process_exit(world *w, int index);
void process_step(world *w, const step *s);
void process_release(world *w, int index); /* it is at work no more: what waited comes */
void process_free(world *w, int index);
bool dies_here(world *w, int index); /* this is where kill -9 strikes, and has */

/* process_client.c */
void client_begin(world *w, int index);
void client_timer(world *w, int index);
void client_connected(world *w, const step *s);
void client_looked(world *w, const step *s);
void client_deliver(world *w, connection *c);
void client_writable(world *w, connection *c);
void client_finish(world *w, const step *s);
void client_served(world *w, int index, bh_serve_result result);
uint32_t client_ask(world *w, int index, ask_kind kind, const char *instance); /* 0: not now */
bool client_is_registered(const world *w, int index);

/* process_hub.c */
void serve_begin(world *w, int index);
void serve_step(world *w, int index);
void hub_work(world *w, int index);
void hub_timer(world *w, int index);
void hub_sweep(world *w, int index);
void hub_accept(world *w, connection *c);
void hub_deliver(world *w, connection *c);
void hub_writable(world *w, connection *c);
void hub_end_step(world *w, int index);
void hub_let_go(world *w, int index); /* of lock, port and endpoint */
void hub_write_state(world *w, int index, bool ended);

/* process_bridge.c: the hub's side of Bridge's connections */
void hub_bridge_deliver(world *w, connection *c);
void hub_bridge_event(world *w, int index, const bh_ingest_event *event);
void hub_bridge_gone(world *w, connection *c); /* drops the value in hand */

/* trouble.c */
void trouble_draw(world *w);
void trouble_step(world *w);
void trouble_end(world *w);

/* judge.c. What does not hold ends the story, and this process of the simulator. */
void wrong(world *w, const char *format, ...) __attribute__((format(printf, 2, 3), noreturn));
void judge_commit(world *w, const connection *c, const bh_import *import, const file *f, int v);
void judge_record(world *w, int index, const bh_import *before, const bh_import *import);
void judge_park(world *w, int index, const bh_import *before, const bh_import *import);
void judge_remove(world *w, const bh_import *import);
void judge_handed_up(world *w, int index, const bh_event *event);
void judge_registered(world *w, int index, const bh_event *event);
void judge_alone(world *w, int index);
void judge_claimed(world *w, const char *instance);
void judge_sender_end(world *w, const sender *s, bool reset);
void judge_bridge_closed(world *w, const connection *c, bool orderly);
void judge_hub_began(world *w, int index, const bh_state_hint *former);
void judge_hub(world *w, int index); /* after each call on it */
/* A message of this type was asked with and is not answered yet. */
bool judge_is_open(const world *w, bh_type type);
void judge_quiet(world *w);

/* judge_wire.c: what goes over the endpoint's connections */
void tap_begin(world *w, connection *c);
void tap_octets(world *w, connection *c, int from, const uint8_t *octets, size_t size);
void tap_end(connection *c);

/* trace.c */
bh_logger trace_logger(world *w, int index);
void trace(const world *w, int index, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* main.c: where `wrong` and `trace` go */
void report_wrong(uint64_t seed, const char *text) __attribute__((noreturn));

#endif
