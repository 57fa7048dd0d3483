#!/usr/bin/env python3
"""kill -9 of the relay at random while several participants send. In the end what the program has
accepted is there for everybody, once, in each author's order, and in one order for all."""
import os
import random
import sys
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "hostile")]

# pylint: disable=wrong-import-position
import testing
from lib.mediation import ANA, BEN, TOMAS
from scene import offline_channels

JOINT = "joint"
AUTHORS = ("mira", "ana", "ben")


class RelayCrashTest(testing.SceneTest):
    parts = (TOMAS, ANA, BEN)

    def setUp(self):
        super().setUp()
        self.rounds = 100 if testing.LONG else 5
        self.stop = threading.Event()
        self.accepted = {key: [] for key in AUTHORS}
        self.refused = []

    def author(self, key):
        """Sends one message after the other."""
        person = self.scene[key]
        number = 0
        while not self.stop.is_set():
            text = f"{key} {number}"
            number += 1
            outcome = person.attempt("send", person.case, JOINT, text)
            if outcome.status == 0:
                self.accepted[key].append(text)
            else:
                self.refused.append(f"{text}: {outcome}")

    def test_under_load(self):
        seed = int(os.environ.get("PARLEY_SEED", time.time()))
        print(f"    PARLEY_SEED={seed}", file=sys.stderr)
        chance = random.Random(seed)
        threads = [threading.Thread(target=self.author, args=(key,)) for key in AUTHORS]
        for thread in threads:
            thread.start()
        try:
            for _ in range(self.rounds):
                time.sleep(chance.uniform(0.2, 2.0))
                self.scene.mediation.relay.kill()
                time.sleep(chance.uniform(0.0, 0.3))
                self.scene.mediation.relay.start()
            time.sleep(1)
        finally:
            self.stop.set()
            for thread in threads:
                thread.join()
        self.assertEqual(self.refused, [], "a relay that can't be reached makes a message wait")
        self.scene.settle()
        self.check()

    def check(self):
        logs = {}
        for key in self.scene.people:
            shown = [(one["position"], one["text"]) for one in self.scene[key].read(JOINT)]
            logs[key] = shown
            for author in AUTHORS:
                said = [text for _, text in shown if text.startswith(author + " ")]
                self.assertEqual(said, self.accepted[author], f"{author}'s words at {key}")
            channel = offline_channels(self.scene[key])[JOINT]
            self.assertEqual((channel["status"], channel["passed_over"], channel["unsent"]),
                             ("active", 0, 0), key)
            self.assertEqual(shown, logs["mira"], f"{key} sees another order")
        total = sum(map(len, self.accepted.values()))
        print(f"    {total} messages, {self.rounds} kills", file=sys.stderr)
        self.assertGreater(total, self.rounds)


if __name__ == "__main__":
    testing.main()
