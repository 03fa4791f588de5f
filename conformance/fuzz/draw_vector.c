/* SPDX-License-Identifier: MIT */
/* The vectors as the beginnings of further octets. */

#include "draw.h"
#include "vectors.h"

/* Longer ones are the suite's own cases. */
#define SIZE_MAX_DRAWN 70000

static size_t count_of(const char *name) {
  bh_vectors *file = bh_vectors_open(name);
  bh_vector vector = {0};
  size_t count = 0;
  if (!file) {
    suite_broke("the vectors cannot be read: name their directory in BH_VECTORS");
  }
  while (bh_vectors_next(file, &vector)) {
    count++;
  }
  bh_vectors_close(file);
  return count;
}

static bool is_usable(const bh_vector *vector) {
  bh_node receiver = bh_node_member(vector->group, "receiver");
  return !bh_node_given(receiver) || bh_node_is(receiver, "hub");
}

static void append_octets(bh_buffer *out, bh_node test) {
  bh_expanded octets;
  if (bh_node_octets(bh_node_member(test, "octets"), &octets)) {
    if (octets.size <= SIZE_MAX_DRAWN) {
      bh_buffer_append(out, octets.octets, octets.size);
    }
    bh_expanded_free(&octets);
  }
}

void draw_vector(bh_buffer *out, const char *const *files, uint32_t wrongness) {
  size_t names = 0;
  while (files[names]) {
    names++;
  }
  const char *name = files[random_below((uint32_t)names)];
  size_t chosen = random_below((uint32_t)count_of(name));
  bh_vectors *file = bh_vectors_open(name);
  bh_vector vector = {0};
  for (size_t i = 0; file && bh_vectors_next(file, &vector); i++) {
    if (i >= chosen && is_usable(&vector)) {
      append_octets(out, vector.test);
      break;
    }
  }
  bh_vectors_close(file);
  while (draw_once_in(wrongness)) {
    damage(out);
  }
}
