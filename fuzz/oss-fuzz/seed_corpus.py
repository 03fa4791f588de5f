# SPDX-License-Identifier: MIT
"""The seeds of a target as one archive: seed_corpus.py NAME FILE.zip

They are those that the tree's own build makes too, and what lies in fuzz/corpus/NAME. A target that has neither
begins with nothing, and gets no archive.
"""
import os
import sys
import tempfile
import zipfile

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path[:0] = [os.path.join(TOP, 'site_scons'), os.path.join(TOP, 'fuzz')]

import fuzzing
import seeds


def main(name: str, archive: str) -> None:
    with tempfile.TemporaryDirectory() as directory:
        for source in fuzzing.SEEDS.get(name, []):
            argument, file = fuzzing.seed_source(source)
            seeds.main(os.path.join(TOP, argument) if file else argument, name, directory)
        kept = os.path.join(TOP, 'fuzz/corpus', name)
        found = [os.path.join(place, file) for place in (directory, kept) if os.path.isdir(place)
                 for file in sorted(os.listdir(place))]
        if found:
            with zipfile.ZipFile(archive, 'w', zipfile.ZIP_DEFLATED) as out:
                for path in found:
                    out.write(path, os.path.basename(path))


if __name__ == '__main__':
    main(*sys.argv[1:])
