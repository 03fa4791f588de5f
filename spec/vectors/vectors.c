/* SPDX-License-Identifier: MIT */
#include "vectors.h"

#include "body.h"
#include "json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define JSMN_STATIC
#define JSMN_PARENT_LINKS
#include <jsmn.h>

enum {
  SPLIT_EVERYWHERE = 2048, /* up to here: at each octet */
  SPLIT_STRIDES = 32,
  SPLIT_NEAR = 4, /* octets on each side of an edge */
  SPLIT_SPARE = 1024 * 1024,
};

struct bh_vectors {
  char *text;
  size_t size;
  jsmntok_t *tokens;
  int count;
};

/* ---- loading */

static bool read_whole(bh_vectors *file, FILE *in) {
  size_t capacity = 0;

  for (;;) {
    if (file->size == capacity) {
      char *more = realloc(file->text, capacity += 65536);
      if (more == NULL) {
        return false;
      }
      file->text = more;
    }
    size_t got = fread(file->text + file->size, 1, capacity - file->size, in);
    if (got == 0) {
      return ferror(in) == 0;
    }
    file->size += got;
  }
}

static bool is_json(const bh_vectors *file) {
  bh_json json;
  size_t consumed;

  bh_json_init(&json, BH_DEPTH_MAX, false);
  bh_json_feed(&json, (const uint8_t *)file->text, file->size, &consumed);
  return bh_json_end(&json) == BH_JSON_DONE;
}

static bool tokenise(bh_vectors *file) {
  jsmn_parser parser;

  jsmn_init(&parser);
  file->count = jsmn_parse(&parser, file->text, file->size, NULL, 0);
  if (file->count <= 0) {
    return false;
  }
  file->tokens = calloc((size_t)file->count, sizeof *file->tokens);
  if (file->tokens == NULL) {
    return false;
  }
  jsmn_init(&parser);
  return jsmn_parse(&parser, file->text, file->size, file->tokens, (unsigned)file->count) == file->count;
}

static const char *load(bh_vectors *file, const char *path) {
  FILE *in = fopen(path, "rb");
  bool read;

  if (in == NULL) {
    return "cannot be opened (set BH_VECTORS to the directory of the vectors)";
  }
  read = read_whole(file, in);
  fclose(in);
  if (!read) {
    return "cannot be read";
  }
  if (!is_json(file)) {
    return "is not JSON";
  }
  return tokenise(file) ? NULL : "cannot be taken apart";
}

bh_vectors *bh_vectors_open(const char *name) {
  const char *directory = getenv("BH_VECTORS");
  bh_vectors *file = calloc(1, sizeof *file);
  const char *wrong;
  char path[4096];

  if (file == NULL) {
    return NULL;
  }
  snprintf(path, sizeof path, "%s/%s", directory == NULL ? "spec/vectors" : directory, name);
  wrong = load(file, path);
  if (wrong != NULL) {
    fprintf(stderr, "%s: %s\n", path, wrong);
    bh_vectors_close(file);
    return NULL;
  }
  return file;
}

void bh_vectors_close(bh_vectors *file) {
  if (file != NULL) {
    free(file->tokens);
    free(file->text);
    free(file);
  }
}

/* ---- walking */

static bh_node node_at(const bh_vectors *file, int token) {
  return (bh_node){file, token};
}

static const jsmntok_t *token_of(bh_node node) {
  return node.token < 0 ? NULL : &node.file->tokens[node.token];
}

static bool is_of(bh_node node, jsmntype_t type) {
  const jsmntok_t *token = token_of(node);

  return token != NULL && token->type == type;
}

/* The next token that is not inside this one, as long as it is inside `parent`. */
static int behind(const bh_vectors *file, int token, int parent) {
  int end = file->tokens[token].end;
  int next = token + 1;

  while (next < file->count && file->tokens[next].start < end) {
    next++;
  }
  return next < file->count && file->tokens[next].start < file->tokens[parent].end ? next : -1;
}

bh_node bh_vectors_root(const bh_vectors *file) {
  return node_at(file, 0);
}

bool bh_node_given(bh_node node) {
  return node.token >= 0;
}

bh_node bh_node_member(bh_node object, const char *name) {
  int key = is_of(object, JSMN_OBJECT) && token_of(object)->size > 0 ? object.token + 1 : -1;

  while (key >= 0) {
    if (bh_node_is(node_at(object.file, key), name)) {
      return node_at(object.file, key + 1);
    }
    key = behind(object.file, key + 1, object.token);
  }
  return node_at(object.file, -1);
}

bh_node bh_node_first(bh_node array) {
  return node_at(array.file, bh_node_count(array) > 0 ? array.token + 1 : -1);
}

bh_node bh_node_next(bh_node array, bh_node element) {
  return node_at(array.file, behind(array.file, element.token, array.token));
}

size_t bh_node_count(bh_node array) {
  return is_of(array, JSMN_ARRAY) ? (size_t)token_of(array)->size : 0;
}

static bool enter_group(bh_vector *vector, bh_node group) {
  vector->group = group;
  vector->test = bh_node_first(bh_node_member(group, "tests"));
  return bh_node_given(vector->test);
}

bool bh_vectors_next(const bh_vectors *file, bh_vector *vector) {
  bh_node groups = bh_node_member(bh_vectors_root(file), "testGroups");

  if (vector->group.file == NULL) {
    return bh_node_count(groups) > 0 && enter_group(vector, bh_node_first(groups));
  }
  vector->test = bh_node_next(bh_node_member(vector->group, "tests"), vector->test);
  if (bh_node_given(vector->test)) {
    return true;
  }
  vector->group = bh_node_next(groups, vector->group);
  return bh_node_given(vector->group) && enter_group(vector, vector->group);
}

/* ---- values */

bool bh_node_is_null(bh_node node) {
  return is_of(node, JSMN_PRIMITIVE) && node.file->text[token_of(node)->start] == 'n';
}

uint64_t bh_node_number(bh_node node) {
  return is_of(node, JSMN_PRIMITIVE) ? strtoull(node.file->text + token_of(node)->start, NULL, 10) : 0;
}

void bh_node_text(bh_node node, char *out, size_t capacity) {
  out[0] = '\0';
  if (is_of(node, JSMN_STRING)) {
    const jsmntok_t *token = token_of(node);
    const uint8_t *begin = (const uint8_t *)node.file->text + token->start - 1;
    bh_body_text((bh_octets){begin, (size_t)(token->end - token->start) + 2}, out, capacity);
  }
}

bool bh_node_is(bh_node node, const char *text) {
  char own[64]; /* longer than each name and word that is asked for */

  bh_node_text(node, own, sizeof own);
  return is_of(node, JSMN_STRING) && strcmp(own, text) == 0;
}

bool bh_node_has(bh_node array, const char *text) {
  bh_node element = bh_node_first(array);

  while (bh_node_given(element) && !bh_node_is(element, text)) {
    element = bh_node_next(array, element);
  }
  return bh_node_given(element);
}

/* ---- octets */

static bool reserve(bh_expanded *out, size_t more) {
  uint8_t *octets = realloc(out->octets, out->size + more + 1);
  size_t *edges;

  if (octets == NULL) {
    return false;
  }
  out->octets = octets;
  edges = realloc(out->edges, (out->edge_count + 2) * sizeof *edges);
  if (edges == NULL) {
    return false;
  }
  out->edges = edges;
  return true;
}

static size_t length_of(bh_node string) {
  return (size_t)(token_of(string)->end - token_of(string)->start);
}

static uint8_t hex_digit(char c) {
  return (uint8_t)(c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10);
}

/* Writes {text} or {hex}, which never has more octets than its token has characters, and returns how many it has. */
static size_t write_unit(bh_node text, bh_node hex, uint8_t *out) {
  const char *digits;

  if (bh_node_given(text)) {
    bh_node_text(text, (char *)out, length_of(text) + 1);
    return strlen((char *)out);
  }
  digits = hex.file->text + token_of(hex)->start;
  for (size_t i = 0; i < length_of(hex) / 2; i++) {
    out[i] = (uint8_t)(hex_digit(digits[2 * i]) << 4 | hex_digit(digits[2 * i + 1]));
  }
  return length_of(hex) / 2;
}

static bool append_unit(bh_expanded *out, bh_node unit, size_t count) {
  bh_node text = bh_node_member(unit, "text");
  bh_node hex = bh_node_member(unit, "hex");
  bh_node string = bh_node_given(text) ? text : hex;
  uint8_t *begin;
  size_t done;
  size_t total;

  if (!is_of(string, JSMN_STRING) || !reserve(out, count * length_of(string))) {
    return false;
  }
  begin = out->octets + out->size;
  done = write_unit(text, hex, begin);
  total = done * count;
  while (done < total) {
    size_t step = done < total - done ? done : total - done;
    memcpy(begin + done, begin, step);
    done += step;
  }
  out->size += total;
  out->edges[out->edge_count++] = out->size;
  return true;
}

static bool append_part(bh_expanded *out, bh_node part) {
  bh_node repeat = bh_node_member(part, "repeat");

  if (bh_node_given(repeat)) {
    return append_unit(out, repeat, (size_t)bh_node_number(bh_node_member(repeat, "count")));
  }
  return append_unit(out, part, 1);
}

static bool append_parts(bh_expanded *out, bh_node node) {
  bh_node parts = bh_node_member(node, "parts");

  if (!bh_node_given(parts)) {
    return append_part(out, node);
  }
  for (bh_node part = bh_node_first(parts); bh_node_given(part); part = bh_node_next(parts, part)) {
    if (!append_part(out, part)) {
      return false;
    }
  }
  return true;
}

bool bh_node_octets(bh_node node, bh_expanded *out) {
  memset(out, 0, sizeof *out);
  if (reserve(out, 0)) {
    out->edges[out->edge_count++] = 0;
    if (append_parts(out, node)) {
      return true;
    }
  }
  bh_expanded_free(out);
  return false;
}

void bh_expanded_free(bh_expanded *expanded) {
  free(expanded->octets);
  free(expanded->edges);
  memset(expanded, 0, sizeof *expanded);
}

static size_t next_edge(const bh_expanded *expanded, size_t last) {
  for (size_t i = 0; i < expanded->edge_count; i++) {
    if (expanded->edges[i] > last) {
      return expanded->edges[i];
    }
  }
  return expanded->size;
}

static bool is_near_edge(const bh_expanded *expanded, size_t at) {
  for (size_t i = 0; i < expanded->edge_count; i++) {
    size_t edge = expanded->edges[i];
    if (at + SPLIT_NEAR >= edge && at <= edge + SPLIT_NEAR) {
      return true;
    }
  }
  return false;
}

static size_t next_split(const bh_expanded *expanded, size_t last) {
  size_t stride = expanded->size / SPLIT_STRIDES + 1;
  size_t at = last + 1;

  if (expanded->size > SPLIT_SPARE) {
    return next_edge(expanded, last);
  }
  if (expanded->size > SPLIT_EVERYWHERE) {
    while (at < expanded->size && !is_near_edge(expanded, at) && at % stride != 0) {
      at++;
    }
  }
  return at;
}

size_t bh_expanded_split(const bh_expanded *expanded, size_t last) {
  size_t at = next_split(expanded, last);

  return at < expanded->size ? at : 0;
}
