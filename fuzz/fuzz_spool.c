/* SPDX-License-Identifier: MIT */
/*
 * What lies in the spool, and what a hub and a user do with it: the drivers of the spool on real files, in a directory
 * in memory. The input is a list of events, and every input is one: files appear, of all kinds and names, and the spool
 * is taken over, retried, listed, recorded, parked and emptied.
 *
 *  - What is found is what the obvious reading of section 6.1 says, in order, and all else is left alone and said once.
 *  - Each step does to the files what the specification says, and nothing to the others.
 */

#include "input.h"
#include "memory.h"
#include "obvious_spool.h"
#include "target.h"
#include "uv_spool.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FILES_MAX = 24, CONTENT_MAX = 300, NAME_LENGTH_MAX = 250, EVENTS_MAX = 40, SAID_MAX = 64, WHERE_MAX = 600 };

typedef enum { QUEUE, PARKED, RETRY, TMP, PLACES } place;
typedef enum { NOTHING, REGULAR, LINK, DIRECTORY, FIFO } kind;

static const char *const places[] = {"queue", "parked", "retry", "tmp"};

typedef struct {
  kind kind;
  place place;
  char name[NAME_LENGTH_MAX + 6];
  uint8_t content[CONTENT_MAX];
  size_t size;
} file;

typedef struct {
  input in;
  file files[FILES_MAX];
  /* What was said of the directories in the last search, and in this one. */
  char said[SAID_MAX][NAME_LENGTH_MAX + 8], says[SAID_MAX][NAME_LENGTH_MAX + 8];
  size_t said_count, says_count;
  unsigned lines; /* of the log that say so */
  /* What a search finds. */
  const file *found[FILES_MAX];
  size_t found_count, found_at;
  uint8_t refuses; /* which of the imports that it finds the hub does not take: bits */
} world;

static world w;
static bh_spool spool;
static char root[WHERE_MAX];

/* --------------------------------------------------------------------------------------------- the real directory */

static void path_of(char path[WHERE_MAX + 300], place where, const char *name) {
  snprintf(path, WHERE_MAX + 300, "%s/%s/%s", root, places[where], name);
}

static void empty_directory(place where) {
  char path[WHERE_MAX + 300];

  path_of(path, where, "");
  DIR *directory = opendir(path);
  for (const struct dirent *found; directory && (found = readdir(directory));) {
    if (strcmp(found->d_name, ".") != 0 && strcmp(found->d_name, "..") != 0 &&
        unlinkat(dirfd(directory), found->d_name, 0) != 0) {
      unlinkat(dirfd(directory), found->d_name, AT_REMOVEDIR);
    }
  }
  if (directory) {
    closedir(directory);
  }
}

static void remove_root(void) {
  char path[WHERE_MAX + 300];

  for (place where = QUEUE; where < PLACES; where++) {
    empty_directory(where);
    path_of(path, where, "");
    rmdir(path);
  }
  rmdir(root);
}

static void write_line(void *ctx, bh_log_level level, const char *line) {
  (void)ctx;
  (void)level;
  w.lines += strstr(line, "is left alone") != NULL;
  if (fuzz_tells) {
    fprintf(stderr, "            %s\n", line);
  }
}

static const bh_logger logger = {write_line, NULL};

/* Whoever runs many of them names a directory and removes it in the end: a fuzzer kills. */
static void begin(void) {
  const char *directory = getenv("FUZZ_DIRECTORY");
  bh_why why;

  if (root[0] != '\0') {
    return;
  }
  snprintf(root, sizeof root, "%s/bridgehub-fuzz-XXXXXX",
           directory                       ? directory
           : access("/dev/shm", W_OK) == 0 ? "/dev/shm"
                                           : "/tmp");
  REQUIRE(mkdtemp(root), "%s cannot be made", root);
  atexit(remove_root);
  REQUIRE(bh_spool_make(&spool, root, &logger, &why) == 0 && bh_spool_open(&spool, &why) == 0, "%s", why.text);
}

/* ---------------------------------------------------------------------------------------------- the other directory */

static file *at(place where, const char *name) {
  for (size_t i = 0; i < FILES_MAX; i++) {
    if (w.files[i].kind != NOTHING && w.files[i].place == where && strcmp(w.files[i].name, name) == 0) {
      return &w.files[i];
    }
  }
  return NULL;
}

static file *of_import(place where, const bh_import *import) {
  char name[BH_SPOOL_NAME_MAX];

  bh_spool_name(import, name);
  return at(where, name);
}

static file *free_file(void) {
  for (size_t i = 0; i < FILES_MAX; i++) {
    if (w.files[i].kind == NOTHING) {
      return &w.files[i];
    }
  }
  return NULL;
}

static void rename_file(file *f, place where, const bh_import *import) {
  f->place = where;
  bh_spool_name(import, f->name);
}

/* The n-th import in a directory, by what its name says. NULL: none. */
static file *nth_import(place where, uint8_t n, bh_import *import) {
  file *found[FILES_MAX];
  bh_import ignored;
  size_t count = 0;

  for (size_t i = 0; i < FILES_MAX; i++) {
    if (w.files[i].kind != NOTHING && w.files[i].place == where && obvious_spool_name(w.files[i].name, &ignored)) {
      found[count++] = &w.files[i];
    }
  }
  if (count == 0) {
    return NULL;
  }
  obvious_spool_name(found[n % count]->name, import);
  return found[n % count];
}

static file *why_of(const char *name) {
  char why[NAME_LENGTH_MAX + 6];

  strcpy(why, name);
  strcpy(why + strlen(why) - 4, "why");
  return at(PARKED, why);
}

static void check_directory(place where) {
  char path[WHERE_MAX + 300];
  size_t expected = 0, count = 0;

  for (size_t i = 0; i < FILES_MAX; i++) {
    expected += w.files[i].kind != NOTHING && w.files[i].place == where;
  }
  path_of(path, where, "");
  DIR *directory = opendir(path);
  REQUIRE(directory, "%s is gone", path);
  for (const struct dirent *found; (found = readdir(directory));) {
    if (strcmp(found->d_name, ".") == 0 || strcmp(found->d_name, "..") == 0) {
      continue;
    }
    const file *f = at(where, found->d_name);
    REQUIRE(f, "%s/%s should not be there", places[where], found->d_name);
    unsigned char type = f->kind == REGULAR ? DT_REG : f->kind == LINK ? DT_LNK : f->kind == FIFO ? DT_FIFO : DT_DIR;
    REQUIRE(found->d_type == type, "%s/%s is of another kind", places[where], found->d_name);
    count++;
    if (f->kind != REGULAR) {
      continue;
    }
    uint8_t content[CONTENT_MAX + 1];
    int handle = openat(dirfd(directory), found->d_name, O_RDONLY);
    ssize_t size = read(handle, content, sizeof content);
    close(handle);
    REQUIRE(size == (ssize_t)f->size && memcmp(content, f->content, f->size) == 0, "%s/%s holds something else",
            places[where], found->d_name);
  }
  closedir(directory);
  REQUIRE(count == expected, "%zu files in %s/, and there should be %zu", count, places[where], expected);
}

/* ---------------------------------------------------------------------------------------------------- files appear */

static void fill(file *f, uint8_t how) {
  static const char *const contents[] = {
      "[{}]",    "[{\"a\":[1,{}]},{\"b\":\"\\u0000\"}]", "[ {}\n]", "[]", "[1]", "{}", "[{}", " [{}]", "[{}] ",
      "[{}][{}]"};
  const uint8_t *taken;
  size_t size;

  f->kind = REGULAR;
  switch (how % 16) {
  case 10:
  case 11:
    size = input_next(&w.in);
    taken = input_take(&w.in, &size);
    memcpy(f->content, taken, size);
    f->size = size;
    return;
  case 12:
    f->kind = LINK;
    break;
  case 13:
    f->kind = DIRECTORY;
    break;
  case 14:
    f->kind = FIFO;
    break;
  case 15: /* as deep as an import may be, or deeper */
    size = 60 + how / 16 % 4;
    f->content[0] = '[';
    f->size = 1;
    for (size_t i = 0; i < size; i++) {
      memcpy(f->content + f->size, i == 0 ? "{\"\":" : "[", i == 0 ? 4 : 1);
      f->size += i == 0 ? 4 : 1;
    }
    f->content[f->size++] = '1';
    for (size_t i = 0; i + 1 < size; i++) {
      f->content[f->size++] = ']';
    }
    f->content[f->size++] = '}';
    f->content[f->size++] = ']';
    break;
  default:
    f->size = strlen(contents[how % 10]);
    memcpy(f->content, contents[how % 10], f->size);
  }
}

static void create(file *f) {
  char path[WHERE_MAX + 300];
  int handle, result = 0;

  path_of(path, f->place, f->name);
  switch (f->kind) {
  case REGULAR:
    handle = open(path, O_WRONLY | O_CREAT | O_EXCL, 0600);
    result = handle < 0 || write(handle, f->content, f->size) != (ssize_t)f->size ? -1 : 0;
    close(handle);
    break;
  case LINK:
    result = symlink("/dev/null", path);
    break;
  case DIRECTORY:
    result = mkdir(path, 0700);
    break;
  case FIFO:
    result = mkfifo(path, 0600);
    break;
  case NOTHING:
    break;
  }
  REQUIRE(result == 0, "%s cannot be made: %s", path, strerror(errno));
}

static void put(place where, const char *name) {
  file *f = free_file();
  uint8_t how = input_next(&w.in);

  if (!f || name[0] == '\0' || strcmp(name, ".") == 0 || strcmp(name, "..") == 0 || at(where, name)) {
    return;
  }
  f->place = where;
  f->size = 0;
  strcpy(f->name, name);
  fill(f, how);
  create(f);
}

/* Two in retry/ that become the same in queue/ would depend on which of them is first. */
static bool is_twice(place where, const bh_import *import) {
  for (size_t i = 0; i < FILES_MAX; i++) {
    bh_import other;
    if (w.files[i].kind != NOTHING && (w.files[i].place == RETRY || where == RETRY) &&
        obvious_spool_name(w.files[i].name, &other) && other.sequence == import->sequence &&
        w.files[i].place == where) {
      return true;
    }
  }
  return false;
}

static void made_import(bh_import *import, uint8_t how) {
  static const char *const holders[] = {"", "a", "Z-9", "_"};
  static const uint32_t counts[] = {0, 1, UINT32_MAX, 7};

  memset(import, 0, sizeof *import);
  import->sequence = how & 1 ? UINT64_MAX - how / 2 : how / 2;
  import->attempt = counts[how >> 2 & 3];
  import->deaths = counts[how >> 4 & 3];
  strcpy(import->holder, holders[(how >> 6 & 3) % 3]);
  snprintf(import->import, sizeof import->import, "0123456789abcdef-%u", 1u + how % 8);
}

static void put_made(place where) {
  char name[BH_SPOOL_NAME_MAX];
  bh_import import;

  made_import(&import, input_next(&w.in));
  bh_spool_name(&import, name);
  put(where, is_twice(where, &import) ? "" : name);
}

static void put_raw(place where) {
  char name[NAME_LENGTH_MAX + 1];
  size_t size = input_next(&w.in) % NAME_LENGTH_MAX;
  const uint8_t *octets = input_take(&w.in, &size);
  bh_import import;

  for (size_t i = 0; i < size; i++) {
    name[i] = (char)(octets[i] == '/' || octets[i] == '\0' ? '_' : octets[i]);
  }
  name[size] = '\0';
  bool right = obvious_spool_name(name, &import);
  put(where, right && is_twice(where, &import) ? "" : name);
}

static void put_why(uint8_t which) {
  char name[NAME_LENGTH_MAX + 6];
  bh_import import;
  const file *f = nth_import(PARKED, which, &import);

  if (f) {
    strcpy(name, f->name);
    strcpy(name + strlen(name) - 4, "why");
    put(PARKED, name);
  }
}

/* ------------------------------------------------------------------------------------------------------- searches */

static void says(const char *directory, const char *name) {
  if (w.says_count < SAID_MAX) {
    char *line = w.says[w.says_count++];
    line[0] = directory[0];
    strcpy(line + 1, name);
  }
}

/* BH-SPOOL-008: those that were not said in the search before. */
static void check_said(unsigned lines_before) {
  unsigned expected = 0;

  for (size_t i = 0; i < w.says_count; i++) {
    bool again = false;
    for (size_t j = 0; j < w.said_count; j++) {
      again = again || strcmp(w.says[i], w.said[j]) == 0;
    }
    expected += !again;
  }
  REQUIRE(w.lines - lines_before == expected, "%u files are said to be left alone, and %u are", w.lines - lines_before,
          expected);
  memcpy(w.said, w.says, w.says_count * sizeof w.says[0]);
  w.said_count = w.says_count;
}

static uint64_t sequence_of(const file *f) {
  bh_import import;

  obvious_spool_name(f->name, &import);
  return import.sequence;
}

static void expect_imports(place where) {
  w.found_count = w.found_at = w.says_count = 0;
  for (size_t i = 0; i < FILES_MAX; i++) {
    const file *f = &w.files[i];
    bh_import import;
    if (f->kind == NOTHING || f->place != where) {
      continue;
    }
    if (!obvious_spool_name(f->name, &import) || f->kind != REGULAR || !obvious_is_import(f->content, f->size)) {
      says(places[where], f->name);
      continue;
    }
    size_t to = w.found_count++;
    for (; to > 0 && sequence_of(w.found[to - 1]) > import.sequence; to--) {
      w.found[to] = w.found[to - 1];
    }
    w.found[to] = f;
  }
}

/* Of those with the same sequence any may come first. */
static const file *next_found(const char *name) {
  for (size_t i = w.found_at; i < w.found_count && sequence_of(w.found[i]) == sequence_of(w.found[w.found_at]); i++) {
    if (strcmp(w.found[i]->name, name) == 0) {
      const file *f = w.found[i];
      w.found[i] = w.found[w.found_at];
      w.found[w.found_at++] = f;
      return f;
    }
  }
  return NULL;
}

static int found_in_queue(void *ctx, const bh_import *import) {
  char name[BH_SPOOL_NAME_MAX];

  (void)ctx;
  bh_spool_name(import, name);
  REQUIRE(next_found(name), "%s is found, and is not next", name);
  if (!(w.refuses >> (w.found_at % 8) & 1)) {
    return BH_OK;
  }
  says("queue", name);
  return BH_E_INVALID;
}

static void take_over(void) {
  unsigned lines = w.lines;
  bh_why why;

  w.refuses = input_next(&w.in);
  expect_imports(QUEUE);
  REQUIRE(bh_spool_take_over(&spool, found_in_queue, NULL, &why) == 0, "%s", why.text);
  REQUIRE(w.found_at == w.found_count, "%zu imports are found of %zu", w.found_at, w.found_count);
  check_said(lines);
}

/* In retry/ each sequence is there once: what comes next is known. Those whose place is taken stay. */
static bool moves(file *f, bh_import *back) {
  obvious_spool_name(f->name, back);
  back->deaths = 0;
  back->holder[0] = '\0';
  return !of_import(QUEUE, back);
}

static bool is_same(const bh_import *a, const bh_import *b) {
  return a->sequence == b->sequence && strcmp(a->import, b->import) == 0 && a->attempt == b->attempt &&
         a->deaths == b->deaths && strcmp(a->holder, b->holder) == 0;
}

static int found_in_retry(void *ctx, const bh_import *import) {
  bh_import back;

  (void)ctx;
  while (w.found_at < w.found_count && !moves((file *)w.found[w.found_at], &back)) {
    says("retry", w.found[w.found_at++]->name);
  }
  REQUIRE(w.found_at < w.found_count && is_same(&back, import), "%s is retried, and is not next", import->import);
  file *f = (file *)w.found[w.found_at++];
  if (w.refuses >> (w.found_at % 8) & 1) {
    says("retry", f->name);
    return BH_E_INVALID;
  }
  rename_file(f, QUEUE, &back);
  return BH_OK;
}

static void retry_all(void) {
  unsigned lines = w.lines;
  bh_import back;

  w.refuses = input_next(&w.in);
  expect_imports(RETRY);
  bh_spool_retry_all(&spool, found_in_retry, NULL);
  while (w.found_at < w.found_count) {
    REQUIRE(!moves((file *)w.found[w.found_at], &back), "%s is not retried", w.found[w.found_at]->name);
    says("retry", w.found[w.found_at++]->name);
  }
  check_said(lines);
}

/* -------------------------------------------------------------------------------------------------------- by hand */

static void check_item(const bh_parked *item) {
  const file *f = of_import(PARKED, &item->import);
  char reason[BH_REASON_OCTETS_MAX + 1] = "";

  REQUIRE(f && f->kind == REGULAR, "%s is listed, and is not parked", item->import.import);
  REQUIRE(item->size == f->size && item->assets == obvious_count(f->content, f->size), "%s: %u assets in %llu octets",
          item->import.import, (unsigned)item->assets, (unsigned long long)item->size);
  const file *why = why_of(f->name);
  if (why && why->kind == REGULAR) {
    memcpy(reason, why->content, why->size);
    reason[why->size] = '\0';
  }
  REQUIRE(strcmp(item->reason, reason) == 0, "%s: the reason is '%s'", item->import.import, item->reason);
}

static void list_parked(void) {
  bh_parked *items;
  size_t count, expected = 0;
  char why[BH_WHY_MAX];
  uint64_t sequence, last = 0;
  uint32_t names = 0;

  REQUIRE(bh_parked_list(root, &items, &count, why, sizeof why) == BH_OK, "%s", why);
  for (size_t i = 0; i < FILES_MAX; i++) {
    const file *f = &w.files[i];
    bh_import import;
    if (f->kind != NOTHING && (f->place == PARKED || f->place == RETRY) && obvious_spool_name(f->name, &import)) {
      expected += f->place == PARKED && f->kind == REGULAR;
      names += f->place == PARKED;
      last = import.sequence > last ? import.sequence : last;
    }
  }
  REQUIRE(count == expected, "%zu are listed of %zu", count, expected);
  for (size_t i = 0; i < count; i++) {
    check_item(&items[i]);
    REQUIRE(i == 0 || items[i - 1].import.sequence <= items[i].import.sequence, "the list is not in order");
  }
  bh_parked_free(items);
  REQUIRE(bh_spool_count_parked(&spool, &sequence) == names && sequence == last, "%u are parked, the last is %llu",
          (unsigned)names, (unsigned long long)last);
}

/* By its id: the first by name, where there are several. */
static file *parked_by_id(const char *id) {
  file *first = NULL;

  for (size_t i = 0; i < FILES_MAX; i++) {
    file *f = &w.files[i];
    bh_import import;
    if (f->kind != NOTHING && f->place == PARKED && obvious_spool_name(f->name, &import) &&
        strcmp(import.import, id) == 0 && (!first || strcmp(f->name, first->name) < 0)) {
      first = f;
    }
  }
  return first;
}

static void forget_why(const char *name) {
  file *why = why_of(name);

  if (why && why->kind != DIRECTORY) {
    why->kind = NOTHING;
  }
}

static void by_hand(bool retries) {
  char id[BH_IMPORT_ID_MAX + 1] = "nothing";
  char why[BH_WHY_MAX];
  bh_import import;

  if (nth_import(PARKED, input_next(&w.in), &import)) {
    strcpy(id, import.import);
  }
  file *f = parked_by_id(id);
  bool right = f && (retries ? !at(RETRY, f->name) : f->kind != DIRECTORY);
  if (f && retries && right && obvious_spool_name(f->name, &import) && is_twice(RETRY, &import)) {
    return;
  }
  int result = retries ? bh_parked_retry(root, id, why, sizeof why) : bh_parked_drop(root, id, why, sizeof why);
  REQUIRE(result == (!f ? BH_E_INVALID : right ? BH_OK : BH_E_STATE), "%s: %d: %s", id, result, why);
  if (right) {
    forget_why(f->name);
    if (retries) {
      f->place = RETRY;
    } else {
      f->kind = NOTHING;
    }
  }
}

/* ------------------------------------------------------------------------------------------------ an import in queue/
 */

static void check_moved(int result, file *f, place to, const bh_import *before, const bh_import *import) {
  bool stays = to == QUEUE && f && f == of_import(to, import);
  int expected = stays ? 0 : of_import(to, import) ? UV_EEXIST : f ? 0 : UV_ENOENT;

  REQUIRE(result == expected, "%s is moved with result %d, and not %d", before->import, result, expected);
  if (result == 0) {
    rename_file(f, to, import);
  }
}

static void park(file *f, const bh_import *before, const bh_import *import) {
  static const char reason[] = "a refused it: why";
  int result = bh_spool_park(&spool, before, import, reason);

  check_moved(result, f, PARKED, before, import);
  if (result != 0) {
    return;
  }
  file *why = why_of(f->name);
  if (why && why->kind == DIRECTORY) {
    return;
  }
  why = why ? why : free_file();
  REQUIRE(why, "there is room for one more");
  why->kind = REGULAR;
  why->place = PARKED;
  strcpy(why->name, f->name);
  strcpy(why->name + strlen(why->name) - 4, "why");
  why->size = sizeof reason - 1;
  memcpy(why->content, reason, why->size);
}

static void load(const file *f, const bh_import *import) {
  bh_buffer octets;

  bh_buffer_init(&octets, memory_allocator());
  int result = bh_spool_load(&spool, import, &octets);
  bool right = f && f->kind == REGULAR;
  REQUIRE((result == 0) == right, "%s is read with result %d", import->import, result);
  REQUIRE(!right || (octets.size == f->size && (f->size == 0 || memcmp(octets.octets, f->content, f->size) == 0)),
          "%s is read otherwise", import->import);
  bh_buffer_free(&octets);
  REQUIRE(bh_spool_is_gone(&spool, import) == !f, "whether %s is gone", import->import);
}

static void with_import(void) {
  uint8_t what = input_next(&w.in);
  bh_import before, import;
  file *f = nth_import(QUEUE, input_next(&w.in), &before);
  int result;

  made_import(&import, input_next(&w.in));
  if (!f) {
    made_import(&before, what);
  }
  if (what & 64) {
    import.sequence = before.sequence;
    strcpy(import.import, before.import);
  }
  switch (what % 4) {
  case 0:
    result = bh_spool_record(&spool, &before, &import);
    check_moved(result, f, QUEUE, &before, &import);
    break;
  case 1:
    load(f, &before);
    break;
  case 2:
    result = bh_spool_remove(&spool, &before);
    REQUIRE((result == 0) == (!f || f->kind != DIRECTORY), "%s is removed with result %d", before.import, result);
    if (f && result == 0) {
      f->kind = NOTHING;
    }
    break;
  default:
    if (free_file()) {
      park(f, &before, &import);
    }
  }
}

/* ------------------------------------------------------------------------------------------------ a value from Bridge
 */

static void value(void) {
  uint8_t how = input_next(&w.in);
  size_t size = input_next(&w.in);
  const uint8_t *octets = input_take(&w.in, &size);
  bh_spool_value v;
  bh_import import;
  char name[32];

  made_import(&import, how);
  import.holder[0] = '\0';
  file *there = of_import(QUEUE, &import), *f = there ? there : free_file();
  snprintf(name, sizeof name, "%llu", (unsigned long long)spool.values + 1);
  if (!f) {
    return;
  }
  bool right = !at(TMP, name);
  int result = bh_spool_begin(&spool, &v);
  REQUIRE((result == 0) == right, "a value begins with result %d", result);
  if (!right) {
    return;
  }
  REQUIRE(bh_spool_append(&v, octets, size / 2) == 0 && bh_spool_append(&v, octets + size / 2, size - size / 2) == 0 &&
              v.size == size,
          "octets cannot be written");
  if (input_next(&w.in) % 4 == 0) {
    bh_spool_drop(&spool, &v);
    return;
  }
  result = bh_spool_commit(&spool, &v, &import);
  REQUIRE((result == 0) == (f->kind != DIRECTORY), "a value is made complete with result %d", result);
  if (result == 0) {
    f->kind = REGULAR;
    rename_file(f, QUEUE, &import);
    f->size = size;
    memcpy(f->content, octets, size);
  }
}

/* As a hub that starts does: what is in tmp/ goes. */
static void open_again(void) {
  bh_why why;

  REQUIRE(bh_spool_open(&spool, &why) == 0 && bh_spool_try(&spool, input_next(&w.in), &why) == 0, "%s", why.text);
  for (size_t i = 0; i < FILES_MAX; i++) {
    if (w.files[i].place == TMP && w.files[i].kind != DIRECTORY) {
      w.files[i].kind = NOTHING;
    }
  }
}

/* ----------------------------------------------------------------------------------------------------- the events */

static void happen(void) {
  uint8_t octet = input_next(&w.in);

  if (fuzz_tells) {
    fprintf(stderr, "%6zu event %u\n", w.in.at - 1, octet % 16u);
  }
  switch (octet % 16) {
  case 0:
  case 1:
  case 2:
  case 3:
    put_made((place)(octet % 4));
    break;
  case 4:
  case 5:
  case 6:
  case 7:
    put_raw((place)(octet % 4));
    break;
  case 8:
    put_why(input_next(&w.in));
    break;
  case 9:
    take_over();
    break;
  case 10:
    retry_all();
    break;
  case 11:
    list_parked();
    break;
  case 12:
    by_hand(true);
    break;
  case 13:
    by_hand(false);
    break;
  case 14:
    with_import();
    break;
  default:
    if (octet / 16 % 4 == 0) {
      open_again();
    } else {
      value();
    }
  }
}

int LLVMFuzzerTestOneInput(const uint8_t *octets, size_t size) {
  begin();
  w.in = (input){octets, size, 0};
  for (size_t i = 0; i < FILES_MAX; i++) {
    w.files[i].kind = NOTHING;
  }
  w.said_count = w.lines = 0;
  bh_spool_close(&spool);
  spool.values = 0;
  for (size_t i = 0; i < EVENTS_MAX && w.in.at < w.in.size; i++) {
    happen();
  }
  for (place where = QUEUE; where < PLACES; where++) {
    check_directory(where);
    empty_directory(where);
  }
  memory_reset();
  return 0;
}
