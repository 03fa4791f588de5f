# SPDX-License-Identifier: MIT
"""fuzz/oss-fuzz/build.sh, run as OSS-Fuzz runs it, in a clean directory and with clang's libFuzzer; and each target on its seeds."""
import functools
import os
import shutil
import subprocess
import tempfile
import zipfile

import steps
import tree

BUILD = 'fuzz/oss-fuzz/build.sh'
# Not optimised: it is built once for each time that it runs, and for a moment.
SANITIZE = '-fsanitize=fuzzer-no-link,address'
SECONDS_MAX = 600
# Of each target, beyond its seeds. All of those are replayed by the tests; here as many are enough to see that they are the target's.
RUNS = 200
SEEDS_MAX = 200


def _run(argv, **more):
    """Complaints: what it said, where it fails."""
    done = subprocess.run(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          errors='replace', timeout=SECONDS_MAX, **more)
    return ['%s ended with status %d:\n%s' % (argv[0], done.returncode, done.stdout[-4000:])] if done.returncode else []


def _source(place):
    """A tree in which nothing was ever built."""
    for path in tree.files():
        copy = os.path.join(place, path)
        os.makedirs(os.path.dirname(copy), exist_ok=True)
        shutil.copy2(os.path.join(tree.TOP, path), copy)


def _build(directory):
    _source(os.path.join(directory, 'src/bridge-hub'))
    os.makedirs(directory + '/absent')
    with open(directory + '/absent/SCons.py', 'w', encoding='utf-8') as file:
        file.write("raise ImportError('there is no SCons in the image of OSS-Fuzz')\n")
    environment = {'PATH': os.environ['PATH'], 'SRC': directory + '/src', 'OUT': directory + '/out', 'CC': 'clang', 'CXX': 'clang++',
                   'CFLAGS': SANITIZE, 'CXXFLAGS': SANITIZE, 'LIB_FUZZING_ENGINE': '-fsanitize=fuzzer', 'TMPDIR': directory,
                   'PYTHONPATH': directory + '/absent'}
    # As it is copied there.
    shutil.copy2(os.path.join(tree.TOP, BUILD), directory + '/src/build.sh')
    return _run(['bash', directory + '/src/build.sh'], cwd=directory, env=environment)


def _try(directory, name):
    """Complaints about a target."""
    out, seeds = directory + '/out/', '%s/seeds/%s' % (directory, name)
    missing = [file for file in (name, name + '.dict', name + '.options') if not os.path.exists(out + file)]
    if missing:
        return ['%s makes no %s' % (BUILD, ' and no '.join(missing))]
    os.makedirs(seeds)
    archive = out + name + '_seed_corpus.zip'
    if os.path.exists(archive):
        with zipfile.ZipFile(archive) as file:
            names = file.namelist()
            file.extractall(seeds, names[::1 + len(names) // SEEDS_MAX])
    count = len(os.listdir(seeds))
    complaints = _run([out + name, '-dict=%s%s.dict' % (out, name), '-runs=%d' % (count + RUNS), '-max_len=70000', seeds], cwd=directory)
    print('%-14s %d seeds, and %d runs more' % (name, count, RUNS), flush=True)
    return complaints


def run():
    """Counts."""
    names = [name[:-2] for name in tree.names('fuzz', 'fuzz_*.c')]
    with tempfile.TemporaryDirectory() as directory:
        built = _build(directory)
        if built:
            return steps.complaints(BUILD, built)
        return steps.add([steps.complaints(BUILD, []),
                          steps.together([(name, functools.partial(_try, directory, name)) for name in names])])
