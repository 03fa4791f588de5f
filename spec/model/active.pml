/* SPDX-License-Identifier: MIT */
/*
 * Section 4 of spec/protocol.md: who is active.
 *
 * A hub and three instances, who claim, hand over, release, lose their connection and come back. The hub can be killed
 * between any two steps; the next one knows the state file and nothing else. Time is left out: the time-out for a former
 * active instance, which is also a hub's youth, may end at any moment.
 */

#define INSTANCES 3
#define NOBODY 255
#ifndef TROUBLES
#define TROUBLES 1 /* kills and lost connections, of whomever */
#endif
#define REQUESTS 2

/* The hub. */
byte chosen = NOBODY; /* the active instance */
byte former = NOBODY; /* lost, and waited for (BH-ACT-005) */
bool young;           /* its time-out since it listens has not ended, and there was a hub before it */
bool released;        /* since the last claim (BH-REL-004) */
bool lonely;          /* one came to a young hub: at the end of its youth it may be active (BH-ACT-006) */
bool registered[INSTANCES];
bool hub_lives = true;

byte in_file = NOBODY;  /* whom the state file names */
byte promised = NOBODY; /* whom the last ACK named, until the next request is taken */

/* What was sent, and what each was told last. */
chan beat[INSTANCES] = [1] of { byte };
byte view[INSTANCES] = NOBODY;
bool linked[INSTANCES];

mtype = { CLAIM, RELEASE };
chan request = [1] of { mtype, byte, byte }; /* from, for */

/* A HEARTBEAT that says more replaces one that was not sent yet: the last one counts. */
inline tell(who) {
  if
  :: registered[who] ->
     if
     :: full(beat[who]) -> beat[who]?_
     :: nfull(beat[who])
     fi;
     beat[who]!chosen
  :: else
  fi
}

inline tell_all() {
  tell(0);
  tell(1);
  tell(2)
}

#define COUNT (registered[0] + registered[1] + registered[2])

inline make_active(who) {
  chosen = who;
  former = NOBODY;
  lonely = false;
  assert(chosen == NOBODY || registered[chosen]) /* BH-ACT-001 */
}

/* The state file, then the ACK and the HEARTBEATs: the hub can die between any two. */
inline take_request() {
  atomic {
    request?what, from, whom;
    if
    :: what == CLAIM && registered[from] && registered[whom] -> make_active(whom); released = false; promised = NOBODY
    :: what == RELEASE && registered[from] && chosen == from -> make_active(NOBODY); released = true; promised = NOBODY
    :: else -> from = NOBODY /* refused: nothing changes (BH-CLAIM-005 BH-REL-003) */
    fi
  };
  if
  :: from != NOBODY ->
     in_file = chosen;
     d_step {
       assert(in_file == chosen); /* BH-CLAIM-003 */
       promised = chosen;
       tell_all()
     }
  :: else
  fi;
  d_step { what = 0; from = 0; whom = 0 }
}

inline take_registration(who) {
  d_step {
    registered[who] = true;
    if
    :: former == who && chosen == NOBODY && !released -> make_active(who)
    :: else ->
       if
       :: chosen == NOBODY && !released && COUNT == 1 && !(young && resumes[who]) ->
          assert(!released); /* BH-REL-004 */
          make_active(who)
       :: chosen == NOBODY && !released && young && resumes[who] -> lonely = true
       :: else
       fi
    fi;
    assert(COUNT > 1 || chosen == who || released || young || former != NOBODY); /* BH-ACT-003 */
    resumes[who] = true;
    in_file = chosen;
    promised = chosen;
    tell_all()
  }
}

/* Nobody follows (BH-ACT-004). */
inline take_loss(who) {
  d_step {
    registered[who] = false;
    if
    :: chosen == who ->
       make_active(NOBODY);
       former = who;
       in_file = NOBODY;
       promised = NOBODY
    :: else
    fi;
    assert(chosen != who); /* BH-ACT-004 */
    tell_all()
  }
}

bool resumes[INSTANCES]; /* it has an id of its own by now */

proctype Hub() {
  mtype what;
  byte from;
  byte whom;

begin:
  {
end:
    do
    :: take_request()
    :: linked[0] && !registered[0] -> take_registration(0)
    :: linked[1] && !registered[1] -> take_registration(1)
    :: linked[2] && !registered[2] -> take_registration(2)
    :: registered[0] && !linked[0] -> take_loss(0)
    :: registered[1] && !linked[1] -> take_loss(1)
    :: registered[2] && !linked[2] -> take_loss(2)
    /* The time-out ends: nobody is waited for any more, and the only one that came may be active. */
    :: young || former != NOBODY ->
       d_step {
         young = false;
         former = NOBODY;
         if
         :: lonely && chosen == NOBODY && !released && COUNT == 1 ->
            chosen = (registered[0] -> 0 : (registered[1] -> 1 : 2));
            assert(registered[chosen]); /* BH-ACT-001 BH-ACT-006 */
            in_file = chosen;
            promised = chosen;
            tell_all()
         :: else
         fi;
         lonely = false
       }
    od
  } unless { !hub_lives };
  d_step {
    assert(promised == NOBODY || in_file == promised); /* BH-CLAIM-003 */
    what = 0;
    from = 0;
    whom = 0;
    chosen = NOBODY;
    former = in_file; /* BH-ACT-005 */
    young = true;
    released = false;
    lonely = false;
    hub_lives = true
  };
  goto begin
}

proctype Instance(byte me) {
end:
  do
  :: atomic { hub_lives && !linked[me] && !registered[me] -> linked[me] = true }
  :: atomic { beat[me]?view[me] }
  od
}

inline cut(who) {
  linked[who] = false;
  do
  :: nempty(beat[who]) -> beat[who]?_
  :: empty(beat[who]) -> break
  od;
  view[who] = NOBODY
}

/* What happens, and what people want. */
proctype World() {
  byte troubles;
  byte requests;

  do
  :: atomic {
       troubles < TROUBLES && hub_lives ->
       troubles++;
       hub_lives = false;
       cut(0);
       cut(1);
       cut(2);
       registered[0] = false;
       registered[1] = false;
       registered[2] = false;
       do
       :: nempty(request) -> request?_, _, _
       :: empty(request) -> break
       od
     }
  :: atomic { troubles < TROUBLES && linked[0] && registered[0] -> troubles++; cut(0) }
  :: atomic { troubles < TROUBLES && linked[1] && registered[1] -> troubles++; cut(1) }
  :: atomic { requests < REQUESTS && nfull(request) -> requests++; request!CLAIM, 0, 0 }
  :: atomic { requests < REQUESTS && nfull(request) -> requests++; request!CLAIM, 1, 1 }
  :: atomic { requests < REQUESTS && nfull(request) -> requests++; request!CLAIM, 2, 1 } /* hands over */
  :: atomic { requests < REQUESTS && nfull(request) -> requests++; request!RELEASE, 0, 0 }
  :: atomic { requests < REQUESTS && nfull(request) -> requests++; request!RELEASE, 1, 1 }
  :: break
  od
}

init {
  atomic { run Hub(); run Instance(0); run Instance(1); run Instance(2); run World() }
}

#define AGREES(who) (registered[who] && view[who] == chosen)

/* BH-ACT-002 BH-REG-001: in the end all are registered, and each knows who is active. */
ltl all_agree { <>[] (AGREES(0) && AGREES(1) && AGREES(2)) }
