#!/usr/bin/env python3
"""A relay that alters, drops or holds back entries of inboxes.

Both ends are warned while it does; when it behaves again, ordinary syncs repair everything, and
nobody has lost anything.
"""
import os
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "hostile")]

# pylint: disable=wrong-import-position
import testing
from lib.mediation import ANA, LEE, SHAH, TOMAS
from scene import offline_channels, offline_texts, warnings_of

JOINT = "joint"
CAUCUS = "caucus:Harbor"
# Nobody asks for a lost introduction: it is sent again after a quarter of a minute.
PATIENCE = 90


class InboxTest(testing.SceneTest):
    parts = (TOMAS, ANA)

    def setUp(self):
        super().setUp()
        self.channels = {self.scene.mailbox(name) for name in (JOINT, CAUCUS, "neutrals")}

    def told(self, key, kind, word):
        """The warning of that kind with the word, or nothing."""
        for one in warnings_of(self.scene[key]):
            if one["warning"] == kind and word in one["text"]:
                return one["text"]
        return ""

    def sync(self, *keys):
        for key in keys:
            outcome = self.scene[key].attempt("sync")
            self.assertIn(outcome.status, (0, 1), outcome)

    def lie_about_approval(self):
        """Lee is approved; of every entry in Lee's inbox one bit is another. Lee's inbox."""
        self.scene.join(LEE)
        for position in range(1, 40):
            self.scene.relays["lee"].rule("alter", position=position)
        self.scene.relays["mira"].appends()
        self.scene.mediation.approve(LEE)
        inboxes = {one.mailbox for one in self.scene.relays["mira"].appends()} - self.channels
        for _ in range(2):
            self.sync("lee", "mira")
        self.assertGreater(self.scene.relays["lee"].hits(), 2, "the lie was not told")
        self.assertEqual(offline_channels(self.scene["lee"]), {})
        told = self.told("lee", "passed over", "inbox")
        self.assertTrue(told, "Lee is warned of nothing")
        print(f"    lee: {told}", file=sys.stderr)
        told = self.told("mira", "unconfirmed", LEE.name)
        self.assertTrue(told, "Mira is warned of nothing")
        print(f"    mira: {told}", file=sys.stderr)
        self.assertEqual(len(inboxes), 1, inboxes)
        return inboxes.pop()

    def assert_repaired(self, *keys):
        """Ordinary syncs bring Lee in, with nothing lost, and end the sender's warning."""
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until:
            self.sync(*keys)
            if {JOINT, CAUCUS} <= set(offline_channels(self.scene["lee"])):
                break
            time.sleep(1)
        self.assertLessEqual({JOINT, CAUCUS}, set(offline_channels(self.scene["lee"])))
        self.scene["mira"].send(JOINT, "Lee hears this.")
        self.scene["mira"].send(CAUCUS, "And this.")
        self.sync("lee", "mira")
        self.assertIn("Lee hears this.", offline_texts(self.scene["lee"], JOINT))
        self.assertIn("And this.", offline_texts(self.scene["lee"], CAUCUS))
        self.assertEqual(self.told("mira", "unconfirmed", LEE.name), "")
        for key in ("lee", "mira"):
            self.assertEqual(self.told(key, "refused", ""), "")

    def test_altered(self):
        self.lie_about_approval()
        self.scene.relays["lee"].clear()
        self.assert_repaired("lee", "mira")

    def test_dropped(self):
        """What is sent again is acknowledged by the relay and not stored."""
        inbox = self.lie_about_approval()
        mira = self.scene.relays["mira"]
        mira.rule("swallow", mailbox=inbox, position=99)
        self.sync("lee", "mira")
        self.assertGreater(mira.hits(), 0, "nothing was sent again")
        self.assertTrue(self.told("mira", "unconfirmed", LEE.name))
        self.scene.relays["lee"].clear()
        self.sync("lee")
        self.assertEqual(offline_channels(self.scene["lee"]), {})
        mira.clear()
        self.assert_repaired("lee", "mira")

    def test_withheld_is_only_late(self):
        self.scene.join(LEE)
        self.scene.relays["lee"].rule("truncate", position=1)
        self.scene.mediation.approve(LEE)
        self.sync("lee", "mira")
        self.assertGreater(self.scene.relays["lee"].hits(), 0)
        self.assertEqual(offline_channels(self.scene["lee"]), {})
        # They may be away: no alarm so soon.
        self.assertEqual(self.told("mira", "unconfirmed", ""), "")
        self.scene.relays["lee"].clear()
        self.assert_repaired("lee", "mira")

    def test_altered_introduction(self):
        """Shah's hello to Tomas: the two would never be paired."""
        self.scene.join(SHAH)
        tomas = self.scene.relays["tomas"]
        self.scene.mediation.approve(SHAH)
        self.scene.relays["shah"].appends()
        self.sync("shah", "mira", "shah")
        channels = self.channels | {self.scene.mailbox("caucus:Northline")}
        hellos = [one for one in self.scene.relays["shah"].appends()
                  if one.mailbox not in channels]
        self.assertTrue(hellos)
        for one in hellos:
            tomas.rule("alter", mailbox=one.mailbox, position=one.position)
        for _ in range(2):
            self.sync("tomas", "mira", "shah")
        self.assertGreater(tomas.hits(), 0, "the lie was not told")
        told = self.told("tomas", "passed over", "inbox")
        self.assertTrue(told, "Tomas is warned of nothing")
        print(f"    tomas: {told}", file=sys.stderr)
        self.assertFalse(self.paired())
        tomas.clear()
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until and not self.paired():
            time.sleep(1)
            self.sync("shah", "tomas")
        self.assertTrue(self.paired())
        self.sync("shah", "tomas")
        self.assertEqual(self.told("shah", "unconfirmed", ""), "")

    def paired(self):
        """Whether Tomas has a safety number with Shah."""
        people = self.scene["tomas"].run("--offline", "--json", "case", "participants",
                                         self.scene.case).objects()
        return any(one["name"] == SHAH.name and one["safety_number"] for one in people)


if __name__ == "__main__":
    testing.main()
