/* SPDX-License-Identifier: MIT */

/*
 * Criterion compares texts for its own assertions by libgit2, and initialises that in each worker; libgit2 then reads
 * all certificates of the host, which takes longer than many a case. No case asserts by Criterion: these are found in
 * place of libgit2's.
 */
int git_libgit2_init(void);
int git_libgit2_shutdown(void);

int git_libgit2_init(void) {
  return 1;
}

int git_libgit2_shutdown(void) {
  return 0;
}
