#!/usr/bin/env python3
"""A co-mediator who discloses what nobody let him disclose (parley-rogue): the other neutral's
program refuses it and names him; so does the program of whom he speaks for."""
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "hostile")]

# pylint: disable=wrong-import-position
import testing
from lib.mediation import ANA, BEN, TOMAS
from scene import warnings_of

HARBOR = "caucus:Harbor"
NORTHLINE = "caucus:Northline"
SAID = "CANARY-H: floor 690 thousand; covenant on 30 June. Fast payment matters."
WORDS = "Fast payment matters."
DISCLOSURE_ID = bytes(range(16))


def field(number, value):
    """A protobuf field: of bytes length-delimited, of a small number as such."""
    if isinstance(value, int):
        assert value < 128
        return bytes([number << 3, value])
    tag = number << 3 | 2
    lead = bytes([tag]) if tag < 128 else bytes([tag & 127 | 128, tag >> 7])
    assert len(value) < 128 * 128
    size = len(value)
    return lead + (bytes([size]) if size < 128 else bytes([size & 127 | 128, size >> 7])) + value


def place(position):
    """A LogPlace of the first incarnation."""
    assert position < 128
    return bytes([1 << 3, 1, 2 << 3, position])


def content(message_id, number, *fields):
    """A Content with a body of docs/protocol.md section 6."""
    body = b"".join(field(index, value) for index, value in fields if value)
    return (field(1, message_id) + field(number, body)).hex()


class DisclosureTest(testing.SceneTest):
    parts = (TOMAS, ANA, BEN)

    def setUp(self):
        super().setUp()
        scene = self.scene
        scene["ana"].send(HARBOR, SAID)
        item = scene["ana"].read(HARBOR)[-1]["position"]
        self.leave = scene["ana"].made("authorise", scene.case, HARBOR, item, "--to", NORTHLINE,
                                       "--words", WORDS)
        self.leave_position = scene["ana"].read(HARBOR)[-1]["position"]
        scene.sync("tomas")
        self.ana_id = bytes.fromhex(scene["mira"].participants()[ANA.name]["participant"])

    def say(self, channel, hexadecimal):
        scene = self.scene
        told = scene.rogue("tomas", "noise", scene.connection_of("tomas"), channel,
                           "content=" + hexadecimal)
        self.assertTrue(told.startswith("appended"), told)

    def use(self, message_id=DISCLOSURE_ID, leave=None, position=None):
        self.say(HARBOR, content(os.urandom(16), 52, (1, leave or bytes.fromhex(self.leave)),
                                 (2, message_id), (3, place(position or self.leave_position))))

    def disclose(self, words=WORDS, channel=NORTHLINE, leave=None, message_id=DISCLOSURE_ID):
        self.say(channel, content(message_id, 53, (1, leave or bytes.fromhex(self.leave)),
                                  (2, words.encode()), (4, self.ana_id),
                                  (5, ANA.name.encode())))

    def assert_refused(self, why, channel=NORTHLINE, keys=("mira", "ana")):
        scene = self.scene
        scene.sync("mira", "ana", "ben")
        for key in keys:
            if key == "ana" and channel == NORTHLINE:
                continue  # she doesn't read it
            shown = scene[key].read(channel)[-1]
            self.assertEqual((shown["kind"], shown["refused"], shown["text"]),
                             ("disclosure", True, ""), shown)
            self.assertIn(why, shown["note"])
            named = [one["text"] for one in warnings_of(scene[key]) if one["warning"] == "refused"]
            self.assertEqual(len(named), 1, named)
            self.assertIn(TOMAS.name, named[0])
            self.assertIn(why, named[0])

    def test_what_was_authorised_passes(self):
        """The forger's tools make what the program makes: what is refused below isn't their fault."""
        self.use()
        self.disclose()
        self.scene.sync("mira", "ben")
        for key in ("mira", "ben"):
            shown = self.scene[key].read(NORTHLINE)[-1]
            self.assertEqual((shown["text"], shown["refused"]), (WORDS, False), shown)
            self.assertNotIn("refused", [one["warning"] for one in warnings_of(self.scene[key])])

    def test_a_word_altered(self):
        self.use()
        self.disclose(words="Fast payment matters!")
        self.assert_refused("is for other words")
        # Ben can't know; he sees who attests it.
        shown = self.scene["ben"].read(NORTHLINE)[-1]
        self.assertEqual(shown["note"],
                         f"attested by {TOMAS.name}, from {ANA.name} in confidence, with leave")

    def test_a_wider_audience(self):
        self.use()
        self.disclose(channel="joint")
        self.assert_refused("is for " + NORTHLINE, channel="joint")

    def test_without_leave(self):
        self.disclose(words=SAID, channel="joint", leave=os.urandom(16))
        self.assert_refused("no authorisation", channel="joint")

    def test_invented_leave_that_is_marked_as_used(self):
        """Neither the other neutral nor whose name is used takes it for older than they are."""
        invented = os.urandom(16)
        self.use(leave=invented, position=self.leave_position - 1)
        self.disclose(words=SAID, channel="joint", leave=invented)
        self.assert_refused("no authorisation", channel="joint")

    def test_words_repeated_and_then_authorised(self):
        """What Ana confided isn't Tomas' to tell because he said it again where she did."""
        scene = self.scene
        scene["tomas"].send(HARBOR, "She says: " + SAID)
        item = scene["tomas"].read(HARBOR)[-1]
        told = scene["tomas"].refused("authorise", scene.case, HARBOR, item["position"], "--to",
                                      NORTHLINE, "--words", SAID)
        self.assertIn("said that before", told)
        leave = os.urandom(16)
        self.say(HARBOR, content(leave, 50, (1, bytes.fromhex(item["message"])),
                                 (2, SAID.encode()), (3, 2), (4, b"Northline"),
                                 (8, place(item["position"]))))
        for key in ("mira", "ana"):
            scene.sync(key)
            self.assertIn("counts for nothing", scene[key].read(HARBOR)[-1]["text"])

    def test_not_marked_as_used(self):
        self.disclose()
        self.assert_refused("was not marked as used")

    def test_revoked(self):
        self.scene["ana"].made("revoke", self.scene.case, self.leave)
        self.scene.sync("tomas")
        self.use()
        self.disclose()
        self.assert_refused("was revoked before")

    def test_already_used(self):
        scene = self.scene
        scene["mira"].made("disclose", scene.case, self.leave)
        scene.sync("tomas")
        self.use()
        self.disclose()
        self.assert_refused("was used already")


if __name__ == "__main__":
    testing.main()
