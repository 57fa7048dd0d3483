#!/usr/bin/env python3
"""kill -9 of the program `parley` at the calls by which it writes and sends.

Each command is run once to count these calls, then killed at a dozen of them (100 with
PARLEY_LONG=1; at all where there are no more), by chance but spread evenly, half of the time with
the write half done. PARLEY_SEED repeats a run. Then the participant does what people do: syncs, looks, and repeats what isn't there.
In the end exactly what was acknowledged is there, once, in order, for everybody; and no
ciphertext was ever replaced by another one.
"""
import os
import random
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "hostile")]

# pylint: disable=wrong-import-position
import testing
from lib.mediation import ANA, BEN, TOMAS, Part
from scene import offline_channels, offline_texts

JOINT = "joint"
HARBOR = "caucus:Harbor"
POINTS = 100 if testing.LONG else 12
KILLED = -9
STALE = 10  # ABORTED


class Killing:
    """Sets what kill_at.c does in the programs started meanwhile."""

    def __init__(self, shim, **settings):
        self.settings = {"LD_PRELOAD": shim}
        self.settings.update({f"PARLEY_KILL_{name.upper()}": str(value)
                              for name, value in settings.items()})

    def __enter__(self):
        os.environ.update(self.settings)

    def __exit__(self, *_):
        for name in self.settings:
            del os.environ[name]


class CrashTest(testing.SceneTest):
    parts = (TOMAS, ANA, BEN)
    fresh = False

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.shim = os.path.join(cls.programs, "parley_kill_at.so")
        cls.counted = {}
        cls.attempts = []
        seed = int(os.environ.get("PARLEY_SEED", time.time()))
        print(f"    PARLEY_SEED={seed}", file=sys.stderr)
        cls.chance = random.Random(seed)

    def tearDown(self):
        self.note_attempts()
        self.check_ciphertexts()
        for key in self.scene.people:
            for channel in offline_channels(self.scene[key]).values():
                self.assertEqual(channel["passed_over"], 0, f"{key}: {channel}")

    # ---- Killing ---------------------------------------------------------------------------------

    def count(self, key, *command):
        """Runs a command to its end and gives the number of points at which it can be killed."""
        path = os.path.join(self.work, "count")
        with Killing(self.shim, count=path):
            self.scene[key].run(*command)
        with open(path, encoding="ascii") as file:
            number = int(file.read())
        self.assertGreater(number, 5, f"{command[0]} hardly writes: is the shim in it?")
        return number

    def points(self, number, most=POINTS):
        """Points to kill at: pairs of the call's number and whether it is half done."""
        wanted = min(most, number)
        return [(1 + int((index + self.chance.random()) * number / wanted), index % 2 == 1)
                for index in range(wanted)]

    def kill(self, key, point, *command):
        """Runs a command and kills it there; whether it was done before that."""
        at, torn = point
        settings = {"at": at, **({"torn": 1} if torn else {})}
        with Killing(self.shim, **settings):
            outcome = self.scene[key].attempt(*command)
        self.assertIn(outcome.status, (0, KILLED), f"{command} killed at {at}: {outcome}")
        self.killed = getattr(self, "killed", 0) + (outcome.status == KILLED)
        return outcome.status == 0

    def report(self, name, number, points):
        print(f"    {name}: {number} calls, killed at {self.killed} of {len(points)} points",
              file=sys.stderr)
        self.assertGreater(self.killed, 0)
        self.killed = 0

    # ---- What must hold of ciphertexts -------------------------------------------------------------

    def note_attempts(self):
        for relay in self.scene.relays.values():
            type(self).attempts += relay.attempts()

    def check_ciphertexts(self):
        """One append id, one payload; one nonce, one payload; and what was once sent is stored in
        the end, and not another ciphertext in its place."""
        by_id, by_nonce, settled = {}, {}, set()
        for attempt in self.attempts:
            name = (attempt.mailbox, attempt.append_id)
            self.assertEqual(by_id.setdefault(name, attempt.payload), attempt.payload,
                             "an append id was used for two payloads")
            if attempt.nonce:
                self.assertEqual(by_nonce.setdefault(attempt.nonce, attempt.payload),
                                 attempt.payload, "a nonce was used for two payloads")
            # A ciphertext for a generation that is over is never stored.
            if attempt.position or attempt.code == STALE:
                settled.add(name)
        self.assertFalse(set(by_id) - settled, "a ciphertext was sent and then given up")

    # ---- Messages ------------------------------------------------------------------------------------

    def assert_same_everywhere(self, channel, keys, wanted):
        for key in keys:
            self.scene.sync(key)
            shown = [text for text in offline_texts(self.scene[key], channel) if text in wanted]
            self.assertEqual(shown, wanted, key)

    def test_send(self):
        number = self.count("ana", "send", self.scene.case, JOINT, "send 0")
        said = ["send 0"]
        points = self.points(number)
        for point in points:
            text = f"send {len(said)}"
            done = self.kill("ana", point, "send", self.scene.case, JOINT, text)
            self.scene.sync("ana")
            there = offline_texts(self.scene["ana"], JOINT).count(text)
            if done:
                self.assertEqual(there, 1, f"acknowledged, and then gone; killed at {point}")
            if there == 0:
                self.scene["ana"].send(JOINT, text)
            said.append(text)
        self.report("send", number, points)
        self.assert_same_everywhere(JOINT, ("ana", "mira", "ben", "tomas"), said)

    def test_receive(self):
        said = ["receive 0"]
        self.scene["mira"].send(JOINT, said[0])
        number = self.count("ben", "sync")
        points = self.points(number)
        for point in points:
            for _ in range(2):
                said.append(f"receive {len(said)}")
                self.scene["mira"].send(JOINT, said[-1])
            self.kill("ben", point, "sync")
            self.assert_same_everywhere(JOINT, ("ben",), said)
        self.report("sync", number, points)
        self.assert_same_everywhere(JOINT, ("mira", "ana"), said)

    def test_share(self):
        path = os.path.join(self.work, "paper-{}.bin")
        made = []

        def make():
            target = path.format(len(made))
            made.append(os.urandom(2_300_000))
            with open(target, "wb") as file:
                file.write(made[-1])
            return target

        number = self.count("ana", "share", self.scene.case, JOINT, make())
        points = self.points(number)
        for index, point in enumerate(points):
            # A party's share takes a voucher. More are asked for when few are left; nobody is given
            # as many in a week as there are points.
            key = ("ana", "mira", "ben", "tomas")[index % 4]
            self.scene.sync(key, "mira", key)
            target = make()
            name = os.path.basename(target)
            done = self.kill(key, point, "share", self.scene.case, JOINT, target)
            self.scene.sync(key)
            there = [one["name"] for one in
                     self.scene[key].objects("documents", self.scene.case, JOINT)].count(name)
            if done:
                self.assertEqual(there, 1, f"acknowledged, and then gone; killed at {point}")
            if there == 0:
                self.scene[key].share(JOINT, target)
        self.report("share", number, points)
        names = [f"paper-{index}.bin" for index in range(len(made))]
        for key in ("ana", "mira", "ben"):
            shown = [one["name"] for one in
                     self.scene[key].objects("documents", self.scene.case, JOINT)]
            self.assertEqual([name for name in shown if name.startswith("paper-")], names, key)
        for index in (1, len(made) // 2, len(made) - 1):
            target = os.path.join(self.work, f"got-{index}")
            self.scene["ben"].fetch(JOINT, names[index], target)
            with open(target, "rb") as file:
                self.assertEqual(file.read(), made[index])

    # ---- Who takes part ------------------------------------------------------------------------------

    def test_membership(self):
        """join, approve, receiving the commit, and remove, each killed, one new participant for
        each point."""
        newcomer = Part("guest0", "Guest 0", "party", "Harbor")
        calls, points = self.count_membership(newcomer)
        for index in range(max(map(len, points.values()))):
            part = Part(f"guest{index + 1}", f"Guest {index + 1}", "party", "Harbor")
            at = {name: some[min(index, len(some) - 1)] for name, some in points.items()}
            self.join_killed(part, at["join"])
            self.approve_killed(part, at["approve"])
            self.kill("ana", at["commit"], "sync")
            self.talk_with(part)
            self.remove_killed(part, at["remove"])
            self.talk_without(part)
        print(f"    membership: {calls}", file=sys.stderr)

    def count_membership(self, part):
        calls = {}
        person = self.scene.mediation.profile(part)
        person.case = self.scene.case
        calls["join"] = self.count(part.key, "join", self.scene.invite(part))
        calls["approve"] = self.count("mira", "case", "approve", self.scene.case, part.name)
        calls["commit"] = self.count("ana", "sync")
        self.talk_with(part)
        calls["remove"] = self.count("mira", "case", "remove", self.scene.case, part.name, "--yes")
        self.talk_without(part)
        return calls, {name: self.points(number, POINTS * 2 // 3) for name, number in calls.items()}

    def join_killed(self, part, point):
        person = self.scene.mediation.profile(part)
        person.case = self.scene.case
        invitation = self.scene.invite(part)
        if not self.kill(part.key, point, "join", invitation):
            person.run("join", invitation)
        self.scene.sync("mira")
        shown = self.scene["mira"].participants()[part.name]
        self.assertEqual(shown["state"], "waiting", f"{part.name} joins, killed at {point}")
        self.assertEqual(shown["alarms"], [], "one's own second attempt is no second use")

    def state(self, part):
        return self.scene["mira"].participants()[part.name]["state"]

    def approve_killed(self, part, point):
        command = ("case", "approve", self.scene.case, part.name)
        done = self.kill("mira", point, *command)
        self.scene.sync("mira")
        if self.state(part) != "approved":
            self.assertFalse(done)
            self.scene["mira"].run(*command)
        self.assertEqual(self.state(part), "approved", f"killed at {point}")

    def remove_killed(self, part, point):
        command = ("case", "remove", self.scene.case, part.name, "--yes")
        done = self.kill("mira", point, *command)
        self.scene.sync("mira")
        if self.state(part) != "removed":
            self.assertFalse(done)
            self.scene["mira"].run(*command)
        self.assertEqual(self.state(part), "removed", f"killed at {point}")

    def talk_with(self, part):
        """The newcomer is in both channels, reads and is read."""
        everybody = (part.key, "tomas", "ana")
        self.scene.sync(part.key)
        for channel in (JOINT, HARBOR):
            text = f"{part.name} says hello in {channel}"
            self.scene[part.key].send(channel, text)
            for key in everybody:
                self.scene.sync(key)
                self.assertEqual(offline_texts(self.scene[key], channel).count(text), 1,
                                 f"{key}, {channel}: {part.name}")

    def talk_without(self, part):
        """They no longer read, and the others do."""
        self.scene.sync("tomas", "ana", "ben")
        for channel in (JOINT, HARBOR):
            text = f"{part.name} is gone from {channel}"
            self.scene["ana"].send(channel, text)
            self.scene.sync("mira")
            self.assertEqual(offline_texts(self.scene["mira"], channel).count(text), 1)
            readers = [one["name"] for one in offline_channels(self.scene["mira"])[channel]["readers"]]
            self.assertEqual(len(readers), len(set(readers)))
            self.assertNotIn(part.name, readers)
            self.scene[part.key].attempt("sync")
            self.assertNotIn(text, offline_texts(self.scene[part.key], channel))
        del self.scene.people[part.key]


if __name__ == "__main__":
    testing.main()
