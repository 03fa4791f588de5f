/* SPDX-License-Identifier: MIT */
#ifndef BH_VECTORS_H
#define BH_VECTORS_H

/*
 * The vectors beside this file, for unit tests, the conformance suite and the maker of fuzz seeds. What a test is to
 * show stands in its members; schema/vectors.schema.json says which there are.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct bh_vectors bh_vectors;

/* A value in the file. A value that is not there has a token below 0, and so has everything asked of it. */
typedef struct {
  const bh_vectors *file;
  int token;
} bh_node;

/* One test after another; begin with {0}. */
typedef struct {
  bh_node group;
  bh_node test;
} bh_vector;

/* Octets written out; to be freed by bh_expanded_free(). */
typedef struct {
  uint8_t *octets;
  size_t size;
  size_t *edges; /* where one part ends and the next begins: the ends of both included */
  size_t edge_count;
} bh_expanded;

/* Opens `name` in the directory $BH_VECTORS, or spec/vectors. NULL: it said why on standard error. */
bh_vectors *bh_vectors_open(const char *name);
void bh_vectors_close(bh_vectors *file);
bh_node bh_vectors_root(const bh_vectors *file);
bool bh_vectors_next(const bh_vectors *file, bh_vector *vector);

bool bh_node_given(bh_node node);
bool bh_node_is_null(bh_node node);
bh_node bh_node_member(bh_node object, const char *name);
/* Elements of an array: the first, and the one behind another. */
bh_node bh_node_first(bh_node array);
bh_node bh_node_next(bh_node array, bh_node element);
size_t bh_node_count(bh_node array);
/* 0 where it is no integer. */
uint64_t bh_node_number(bh_node node);
/* "" where it is no string. Cut at `capacity` - 1 octets. */
void bh_node_text(bh_node node, char *out, size_t capacity);
bool bh_node_is(bh_node node, const char *text);
/* Whether an array of strings, such as `flags`, has this one. */
bool bh_node_has(bh_node array, const char *text);
/* {text}, {hex} or {parts}. False: no memory, or none of these. */
bool bh_node_octets(bh_node node, bh_expanded *out);
void bh_expanded_free(bh_expanded *expanded);

/*
 * The split points at which a resumable parser is tried, in order: begin with 0, and 0 is the end. Short octets are
 * split everywhere. Long ones, which are long because of a `repeat`, are split around the edges of their parts and at
 * a stride in between, and very long ones at the edges alone.
 */
size_t bh_expanded_split(const bh_expanded *expanded, size_t last);

#endif
