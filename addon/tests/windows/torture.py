# SPDX-License-Identifier: GPL-3.0-or-later
"""Three Blenders that import at once, each killed at random, while Bridge exports: nothing is lost, and nothing is imported twice
without saying so.

torture.py [--exports N] [--kills N] [--seed N]
"""
import argparse
import json
import os
import random
import re
import sys
import time
from collections import Counter

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from blender import PATIENCE_S, Blender, Bridge, Display, Place, wait_for  # noqa: E402

NAMES = ('forest', 'castle', 'desert')
HEARTBEAT_MS, TIMEOUT_MS = 200, 2000
# Between two exports.
PAUSE_S = (0.05, 0.6)

# What the artist is told too.
IMPORTED = re.compile(r'\] Imported (Export \d+)(, sent before: attempt \d+)?, import \S+$')


class Run:
    def __init__(self, exports, kills, seed):
        self.random = random.Random(seed)
        self.exports, self.kills = exports, kills
        self.display = Display()
        self.place = Place(['surface'], heartbeat_ms=HEARTBEAT_MS, timeout_ms=TIMEOUT_MS, import_at_once=True)
        self.bridge = Bridge(self.place.port)
        self.template = json.loads(self.place.payloads['surface'])
        self.blenders = {}
        self.killed = []

    def close(self):
        for each in self.blenders.values():
            if each.process.poll() is None:
                each.kill()
        self.display.close()
        self.place.remove()

    def start(self, names):
        self.blenders.update({name: Blender(self.place, self.display, name) for name in names})
        for name in names:
            self.blenders[name].ready()

    def say(self, text):
        print('%6.1f s  %s' % (time.monotonic() - self.began, text), flush=True)

    def export(self, number):
        """As often as it takes: a sender whose hub dies sees a reset, and what it sent then is not safe."""
        record = dict(self.template[0], name='Export %d' % number, id='id%d' % number)

        def sent():
            try:
                return self.bridge.export(json.dumps([record]))
            except OSError:
                self.sent_again += 1
                return None
        wait_for('export %d is taken' % number, sent, every=0.1)

    def kill(self, name):
        blender = self.blenders[name]
        mode = 'the hub' if self.is_hub(blender) else 'a client'
        blender.kill()
        self.killed.append(name)
        self.say('killed %s, which was %s' % (name, mode))
        self.start([name])

    def is_hub(self, blender):
        try:
            return blender.value('session.status.mode == Mode.HUB')
        except OSError:
            return False

    def claim(self):
        """Somebody clicks, as people do who see that nothing arrives."""
        self.blenders[self.random.choice(NAMES)].run('session.claim()')

    def log(self):
        path = os.path.join(self.place.path, 'config', 'bridge_hub', 'bridge_hub.log')
        with open(path, encoding='utf-8') as file:
            return file.read().splitlines()

    def imported(self):
        """(name, whether it was said that it was sent before)"""
        return [(found[1], bool(found[2])) for found in map(IMPORTED.search, self.log()) if found]

    def run(self):
        self.began = time.monotonic()
        self.sent_again = 0
        self.start(NAMES)
        self.say('three Blenders have started')
        victims = [name for name in NAMES for _ in range(self.kills)]
        self.random.shuffle(victims)
        at = sorted(self.random.sample(range(1, self.exports), len(victims)))
        for number in range(self.exports):
            self.export(number)
            if number in at:
                self.kill(victims.pop())
            if self.random.random() < 0.3 or number in at:
                self.claim()
            time.sleep(self.random.uniform(*PAUSE_S))
        self.say('all is exported')
        return self.judge()

    def judge(self):
        wanted = {'Export %d' % number for number in range(self.exports)}

        def settled():
            if wanted <= {name for name, _ in self.imported()}:
                return True
            self.claim()
            # What three deaths have parked is retried by hand.
            self.blenders[NAMES[0]].run('[session.retry(item.import_id) for item in session.parked]')
            time.sleep(0.5)
            return False
        try:
            wait_for('all is imported', settled, patience=2 * PATIENCE_S)
        except AssertionError:
            pass
        return self.complaints(wanted)

    def complaints(self, wanted):
        imported = self.imported()
        counts = Counter(name for name, _ in imported)
        lost = sorted(wanted - set(counts))
        twice = {name for name in wanted if counts[name] > 1}
        unsaid = {name for name, count in Counter(name for name, said in imported if not said).items() if count > 1}
        self.say('%d exports, %d kills, %d sent again by Bridge; %d imports: %d lost, %d more than once, %d of these unsaid' % (
            self.exports, len(self.killed), self.sent_again, len(imported), len(lost), len(twice), len(unsaid)))
        return ['lost: ' + name for name in lost] + ['imported twice without a word: ' + name for name in sorted(unsaid)]


def main():
    parser = argparse.ArgumentParser(description=__doc__.split('\n\n')[0])
    parser.add_argument('--exports', type=int, default=50)
    parser.add_argument('--kills', type=int, default=2, help='of each Blender')
    parser.add_argument('--seed', type=int, default=random.randrange(1 << 32))
    arguments = parser.parse_args()
    if arguments.exports <= 3 * arguments.kills:
        parser.error('there must be more exports than kills')
    print('--seed %d' % arguments.seed, flush=True)
    run = Run(arguments.exports, arguments.kills, arguments.seed)
    try:
        found = run.run()
    finally:
        run.close()
    print('\n'.join(found) or 'nothing lost, and nothing imported twice without saying so')
    return 1 if found else 0


if __name__ == '__main__':
    sys.exit(main())
