#!/bin/bash
# SPDX-License-Identifier: MIT
#
# Builds each fuzz/fuzz_*.c into $OUT, as OSS-Fuzz and ClusterFuzzLite ask for it: with CC, CXX, CFLAGS, CXXFLAGS and LIB_FUZZING_ENGINE
# as they have them, and for each NAME also NAME_seed_corpus.zip, NAME.dict and NAME.options. $SRC/bridge-hub is the tree; it stays as it is.

set -euo pipefail

: "${SRC:?}" "${OUT:?}" "${CC:?}" "${CXX:?}" "${LIB_FUZZING_ENGINE:?}"
CFLAGS=${CFLAGS:-} CXXFLAGS=${CXXFLAGS:-$CFLAGS}
cd "$SRC/bridge-hub"
mkdir -p "$OUT"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# The C of the machines.
for machine in ragel/*.rl; do
  case $machine in
    *_grammar.rl) ;;
    *) ragel -C -G2 -L -o "$work/$(basename "$machine" .rl).c" "$machine" ;;
  esac
done

# The core, and the drivers of this system.
read -ra drivers < <(python3 -c 'import sys; sys.path.insert(0, "site_scons"); import platforms, tree
print(*platforms.of(tree.names("ref", "uv_*.c"), "linux"))')
sources=("${drivers[@]/#/ref/}")
for source in ref/*.c ragel/*.c fuzz/common/*.c "$work"/*.c; do
  case ${source##*/} in
    test_* | main.c | cmd_* | uv_*) ;;
    *) sources+=("$source") ;;
  esac
done

export CC CFLAGS work
compile() {
  # shellcheck disable=SC2086 # a list of flags
  $CC $CFLAGS -std=c11 -Wno-unused -D_DEFAULT_SOURCE -D_POSIX_C_SOURCE=200809L -D_XOPEN_SOURCE=700 -Iref -Iragel -Ifuzz/common \
    -c "$1" -o "$work/$(echo "$1" | tr '/' '_').o"
}
export -f compile
printf '%s\0' "${sources[@]}" fuzz/fuzz_*.c | xargs -0 -n 1 -P "$(nproc)" bash -c 'compile "$1"' compile

targets=("$work"/fuzz_fuzz_*.c.o)
for object in "$work"/*.o; do
  case $object in
    "$work"/fuzz_fuzz_*) ;;
    *) ar q "$work/tested.a" "$object" 2>/dev/null ;;
  esac
done

# What runs the targets has no libuv.
libuv=-luv
for archive in /usr/lib/*/libuv_a.a /usr/lib/*/libuv.a; do
  if [ -f "$archive" ]; then
    libuv=$archive
    break
  fi
done

python3 fuzz/dictionary.py >"$work/dictionary"
for object in "${targets[@]}"; do
  name=$(basename "$object" .c.o)
  name=${name#fuzz_}
  # shellcheck disable=SC2086 # lists of flags
  $CXX $CXXFLAGS "$object" "$work/tested.a" $LIB_FUZZING_ENGINE "$libuv" -lpthread -ldl -o "$OUT/$name"
  cp "$work/dictionary" "$OUT/$name.dict"
  cp fuzz/oss-fuzz/options "$OUT/$name.options"
  python3 fuzz/oss-fuzz/seed_corpus.py "$name" "$OUT/${name}_seed_corpus.zip"
done
