/* SPDX-License-Identifier: MIT */
#ifndef HARNESS_H
#define HARNESS_H

/*
 * What a case of the suite is written with.
 *
 *     CASE(active, the_latest_claim_wins, MUST, "BH-CLAIM-001 BH-CLAIM-002") {
 *       struct hub *hub = hub_start();
 *       struct conn *a = conn_open(hub);
 *       struct conn *b = conn_open(hub);
 *       register_instance(a, "A");
 *       register_instance(b, "B");
 *       const struct message *ack = request(b, "CLAIM_ACTIVE", NULL);
 *       checking("BH-CLAIM-002");
 *       expect_text(&ack->json, "active", b->instance);
 *     }
 *
 * Everything here waits by itself: it runs the loop until what it is about has come, or a deadline has passed. What
 * does not come as the specification has it ends the case, with a verdict and an explanation; there is nothing to
 * check for afterwards and nothing to free. Pointers that functions return live until the end of the case.
 *
 * A case asserts what its requirements say, and is tolerant of everything else: a faulty hub fails the cases whose
 * requirement it breaks, and only those. What goes wrong on the way to what the case is about (a registration that
 * fails in a case about claims) gives it the verdict SKIP, and is reported as seen in passing.
 */

#include <criterion/criterion.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* ------------------------------------------------------------------------------------------------------- cases */

#define MUST "MUST"
#define SHOULD "SHOULD"

/*
 * The case's slug is `section/what-it-shows`: `name` with - for _. It is never changed. `ids` are the requirements
 * that it judges, separated by spaces: every failed check is laid to them, or to the one of checking().
 */
#define CASE(section, name, level, ids)                                                                                \
  static void case_##section##_##name(void);                                                                           \
  Test(section, name, .fini = case_end, .description = level " " ids) {                                                \
    case_run(level " " ids, case_##section##_##name);                                                                  \
  }                                                                                                                    \
  static void case_##section##_##name(void)

void case_run(const char *level_and_ids, void (*body)(void));
void case_end(void);

/* Lays the checks that follow to this one of the case's requirements. */
void checking(const char *id);
/* Says what the case does, in the transcript. */
void note(const char *pattern, ...) __attribute__((format(printf, 1, 2)));

/* Ends the case. `expected` is a static sentence; the format says what came. */
_Noreturn void fail(const char *expected, const char *pattern, ...) __attribute__((format(printf, 2, 3)));
#define EXPECT(condition, expected, ...)                                                                               \
  do {                                                                                                                 \
    if (!(condition))                                                                                                  \
      fail(expected, __VA_ARGS__);                                                                                     \
  } while (0)
/* The same, where `id` is the requirement that is broken: a case that does not judge it gets the verdict SKIP. */
_Noreturn void fail_as(const char *id, const char *expected, const char *pattern, ...)
    __attribute__((format(printf, 3, 4)));
/* The implementation, or the system that it runs on, has nothing that the case could be about. */
_Noreturn void unimplemented(const char *pattern, ...) __attribute__((format(printf, 1, 2)));
/* This host cannot run the case (no ::1, for one). */
_Noreturn void skip(const char *pattern, ...) __attribute__((format(printf, 1, 2)));
/* `id` is broken, and the case can go on: it fails where it judges that one, and the runner tells of it otherwise. */
void breach(const char *id, const char *pattern, ...) __attribute__((format(printf, 2, 3)));
/* The case names `id` among the requirements that it is about. */
bool judges(const char *id);

/* 0 to bound - 1, always the same ones with the same --seed. */
uint32_t random_below(uint32_t bound);

/* -------------------------------------------------------------------------------------------------------- time */

/* Milliseconds of a clock that never goes back. */
uint64_t now_ms(void);
/* How long something that is to come at once may take. */
uint64_t deadline_ms(void);
/* The case may last as much longer than others. */
void case_allow_ms(uint64_t ms);
/* Runs the loop until condition(arg) is true, looking again with every event and each 5 ms; false: `ms` have passed. */
bool wait_until(bool (*condition)(void *arg), void *arg, uint64_t ms);

/* --------------------------------------------------------------------------------------------------------- hub */

/* All of it may be left 0. */
struct hub_options {
  uint32_t heartbeat_ms; /* 100, */
  uint32_t timeout_ms;   /* and 1000; the hub is given them times --time-scale */
  const char *group;     /* the default group: {group} is empty */
  const char *need;      /* {need}, beside what the whole section needs: "spool,groups" */
  const char *survives;  /* the requirement by which it gets ready over what the case plants, and not BH-IUT-001 */
  const char *endpoint;  /* in place of the case's own; a path in its directory where it has no / */
  const char *state;
  const char *spool;
  uint16_t port;
};

/* Timings with which a hub's periodic HEARTBEAT never comes in the time of a case: one that comes has a cause. */
#define RARE_HEARTBEATS .heartbeat_ms = 60000, .timeout_ms = 600000
/* Timings for cases that wait for time-outs. */
#define QUICK_TIMEOUTS .heartbeat_ms = 60, .timeout_ms = 300

/* A hub, and the directory, endpoint, state file, spool and port that are its own; to be read only. */
struct hub {
  char *dir;
  char *endpoint;
  char *state;
  char *spool;
  uint16_t port;
  uint16_t also_port;                /* a further one for Bridge, where the command line has {also_port} */
  uint32_t heartbeat_ms, timeout_ms; /* as the hub was given them */
  bool running;
  bool peopled;                 /* a client has registered */
  int exit_status, exit_signal; /* once it has ended */
  struct hub_process *process;
};

/* Starts a hub and waits until it is ready. */
struct hub *hub_start(void);
struct hub *hub_start_with(struct hub_options options);
/* The directory and the port alone, for what a case plants there; then hub_run(). The hub makes state and spool. */
struct hub *hub_prepare(struct hub_options options);
/* Starts it, again too after it has ended, and waits until it is ready. */
void hub_run(struct hub *hub);
/* Starts it and waits for nothing; hub_ready() waits. A case that expects it to end says so by hub_expect_end(). */
void hub_launch(struct hub *hub);
void hub_ready(struct hub *hub);
/* The same for one that another hub may keep out. False: it has ended instead. */
bool hub_ready_or_ended(struct hub *hub);
/* To its process group. A stopped hub (SIGSTOP) is continued by the end of the case. */
void hub_signal(struct hub *hub, int signal);
/* Waits for its end, for up to `ms`; see exit_status and exit_signal. False: it runs on. */
bool hub_wait_end(struct hub *hub, uint64_t ms);
/* The same with the deadline, and the case fails where it runs on. */
void hub_expect_end(struct hub *hub);
/*
 * Something is at its endpoint: a file, or, where the suite reaches the endpoint by --connect alone and there is none,
 * somebody who takes a connection.
 */
bool endpoint_is_there(struct hub *hub);
/*
 * Of a hub that is launched, with what the case is about at the path of its endpoint: UNIMPLEMENTED where it is ready,
 * and no unix socket is there.
 */
void needs_endpoint_file(struct hub *hub);
void hub_end(struct hub *hub);  /* SIGTERM, and waits */
void hub_kill(struct hub *hub); /* SIGKILL, and waits */
void hub_close_stdin(struct hub *hub);
/* What it has written to standard output and error so far, with a 0 behind. */
const char *hub_log(const struct hub *hub);
size_t hub_log_size(const struct hub *hub);
/* From a path below its directory. */
char *hub_path(const struct hub *hub, const char *pattern, ...) __attribute__((format(printf, 2, 3)));

/* -------------------------------------------------------------------------------------------------------- JSON */

/*
 * One strict JSON text. A path is made of names and indices: "active", "instances[2].pid". The functions that read
 * end the case where there is no such value or it is of another type.
 */
struct json {
  const char *text; /* with a 0 behind */
  size_t size;
  bool valid; /* by RFC 8259, at most 64 deep */
};

struct json json_read(const char *text, size_t size);
bool json_has(const struct json *json, const char *path);
bool json_is_null(const struct json *json, const char *path); /* false also where there is none */
bool json_is_text(const struct json *json, const char *path);
bool json_is_integer(const struct json *json, const char *path); /* written as BH-BODY-005 has it */
const char *json_text(const struct json *json, const char *path);
uint64_t json_integer(const struct json *json, const char *path);
size_t json_count(const struct json *json, const char *path); /* elements of an array, members of an object */
/* The value's own octets. */
const char *json_octets(const struct json *json, const char *path, size_t *size);
/* The same value, however it is written: with other white space, escapes or digits. */
bool json_same(const char *a, size_t a_size, const char *b, size_t b_size);

/* NULL is null. */
void expect_text(const struct json *json, const char *path, const char *text);
void expect_integer(const struct json *json, const char *path, uint64_t value);
/* Where in the array at `path` stands an object with "instance" `id`; -1: nowhere. */
int json_find_instance(const struct json *json, const char *path, const char *id);

/* ------------------------------------------------------------------------------------------------- connections */

struct message {
  const char *type; /* "ACK" */
  uint32_t id;
  struct json json; /* the body; an empty one is {} */
  uint64_t at;      /* now_ms() when it was whole */
};

/* A connection to the endpoint of a hub under test, or of a client under test to the suite; to be read only. */
struct conn {
  struct hub *hub;       /* NULL for one of a client */
  struct client *client; /* NULL for one to a hub */
  const char *peer;      /* "hub", "client": the other side */
  const char *name;      /* "conn 1": as the transcript calls it */
  char instance[65];     /* the last id that REGISTER was given here */
  uint64_t opened_at;    /* now_ms() when it was connected */
  bool ended;            /* the other side has closed it; messages that came before may still wait to be read */
  uint64_t ended_at;
  struct conn_stream *stream;
};

/* Waits until it is connected. HEARTBEATs from the hub are answered with ACK by themselves. */
struct conn *conn_open(struct hub *hub);
/*
 * The same, opened by a process of its own: it is the one that the operating system names as the peer. UNIMPLEMENTED
 * where the endpoint is reached by --connect alone.
 */
struct conn *conn_open_by_process(struct hub *hub);
/* SIGKILL to that process, and waits for its end. The connection goes on. */
void conn_kill_process(struct conn *conn);
/* No HEARTBEAT is answered any more. */
void conn_mute(struct conn *conn);
/* Octets are left in the socket, until conn_read_again(). */
void conn_stop_reading(struct conn *conn);
void conn_read_again(struct conn *conn);
void conn_close(struct conn *conn);
/* Of one that was closed: UNIMPLEMENTED where that ended a process, which a hub may find gone (BH-ROUTE-011). */
void conn_needs_process(const struct conn *conn);
/* No more octets to the hub; what it sends is still read. */
void conn_half_close(struct conn *conn);

/*
 * Sends a message with the connection's next id and returns that. In the format ' stands for "; NULL is an empty body.
 */
uint32_t send_message(struct conn *conn, const char *type, const char *pattern, ...)
    __attribute__((format(printf, 3, 4)));
/* The same with a body octet for octet. */
uint32_t send_body(struct conn *conn, const char *type, const void *body, size_t size);
/* The id that the next message has to have; it stays so until something is sent or waited for. */
uint32_t next_id(const struct conn *conn);
/* Octets as they are. Answers to HEARTBEATs wait while they end inside a message, and end with a break of framing. */
void send_octets(struct conn *conn, const void *octets, size_t size);
void send_text(struct conn *conn, const char *pattern, ...) __attribute__((format(printf, 2, 3)));
/* In writes of at most `piece` octets, each taken by the socket on its own. */
void send_pieces(struct conn *conn, const void *octets, size_t size, size_t piece);

/*
 * The next message, of any type, in the order in which they came. A case that passes over HEARTBEATs by calling it
 * again waits no longer for that: the deadline of the first call counts.
 */
const struct message *next_message(struct conn *conn);
/* The same, or NULL where none comes in `ms` or the connection ends. */
const struct message *next_message_in(struct conn *conn, uint64_t ms);
/* The next message that is no HEARTBEAT: it must be of this type. */
const struct message *expect_message(struct conn *conn, const char *type);
/* ... must be the ACK (ERROR, either) for that id; an ERROR's id may be 0 for null. */
const struct message *expect_ack(struct conn *conn, uint32_t id);
const struct message *expect_error(struct conn *conn, const char *code, uint32_t id);
const struct message *expect_answer(struct conn *conn, uint32_t id);
/* The next message must be a HEARTBEAT. */
const struct message *expect_heartbeat(struct conn *conn);
/* The next HEARTBEAT that has a member `member`: those without are passed over. */
const struct message *expect_heartbeat_with(struct conn *conn, const char *member);
/* The next HEARTBEAT that says that `instance` is active (NULL: nobody): others are passed over. */
const struct message *expect_active(struct conn *conn, const char *instance);
/* The hub closes the connection, and sends nothing but HEARTBEATs before. */
void expect_closed(struct conn *conn);
/* The connection goes on, and nothing but HEARTBEATs has come: a HEARTBEAT of ours is answered next. */
void fence(struct conn *conn);
/* The messages that have come so far and were not taken yet: how many are of this type. */
size_t pending(const struct conn *conn, const char *type);

/* send_message() and expect_ack(). */
const struct message *request(struct conn *conn, const char *type, const char *pattern, ...)
    __attribute__((format(printf, 3, 4)));

/*
 * These register and return the ACK; conn->instance is set. They judge nothing: where it fails, BH-REG-001 is broken.
 * The HEARTBEAT that follows is left to be read or passed over.
 */
const struct message *register_instance(struct conn *conn, const char *name);
const struct message *register_observer(struct conn *conn, const char *name);
/* With further members of the body: ", 'window':3". */
const struct message *register_with(struct conn *conn, const char *name, const char *pattern, ...)
    __attribute__((format(printf, 3, 4)));
/* A new connection that is registered. */
struct conn *join(struct hub *hub, const char *name);
/* CLAIM_ACTIVE on the way to something else; judges nothing: where it fails, BH-CLAIM-001 is broken. */
void make_active(struct conn *conn);

/* ------------------------------------------------------------------------------------------------------ Bridge */

/* A connection that Bridge opens to the port. */
struct bridge {
  struct hub *hub;
  const char *name; /* "bridge 1" */
  bool connected;
  bool ended; /* the hub has closed it: */
  bool reset; /* by a reset */
  uint64_t ended_at;
  struct bridge_stream *stream;
};

struct bridge *bridge_open(struct hub *hub);
/* At another address or port; connected is false where nobody listens. */
struct bridge *bridge_open_at(struct hub *hub, const char *address, uint16_t port);
void bridge_send(struct bridge *bridge, const void *octets, size_t size);
void bridge_send_text(struct bridge *bridge, const char *text);
void bridge_send_pieces(struct bridge *bridge, const void *octets, size_t size, size_t piece);
void bridge_half_close(struct bridge *bridge);
void bridge_close(struct bridge *bridge);
void bridge_reset(struct bridge *bridge);
/* The hub closes it: by an orderly end, by a reset, by either. */
void bridge_expect_end(struct bridge *bridge);
void bridge_expect_reset(struct bridge *bridge);
void bridge_expect_closed(struct bridge *bridge);
/* Opens, sends, half-closes and waits for the orderly end: the import is complete. Judges nothing: BH-INGEST-017. */
void bridge_export(struct hub *hub, const char *text);
void bridge_export_octets(struct hub *hub, const void *octets, size_t size);
/* The same, where what comes of it is the case's to judge, and not how the connection ends. */
void bridge_offer(struct hub *hub, const void *octets, size_t size);
/* Just these octets were exported so in this case, to whichever hub. */
bool bridge_exported(const void *octets, size_t size);

/* ------------------------------------------------------------------------------------------------------- files */

/* The file whole, with a 0 behind; NULL: there is none. */
char *file_read(const char *path, size_t *size);
void file_write(const char *path, const void *octets, size_t size);
/* The names in a directory, sorted, "." and ".." left out, with a NULL behind; none where there is no directory. */
char **directory(const char *path, size_t *count);

/* The state file now; not valid where there is none. */
struct json state_read(const struct hub *hub);
/* Waits until the state file is there and has this text (NULL: null) at `path`; false: it never has by the deadline. */
bool state_has_text(struct hub *hub, const char *path, const char *text);

/* -------------------------------------------------------------------------------------------------------- text */

/* Formats into memory that lives until the end of the case. */
char *format(const char *pattern, ...) __attribute__((format(printf, 1, 2)));
/* `count` times `octets`. */
char *repeat(const char *octets, size_t count);
void *allocate(size_t size);
/* Octets made fit to be read, cut at about `limit`. */
const char *printable(const void *octets, size_t size, size_t limit);

#endif
