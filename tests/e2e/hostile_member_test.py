#!/usr/bin/env python3
"""Members who break the rules, and who has no right to a mailbox (parley-rogue)."""
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "hostile")]

# pylint: disable=wrong-import-position
import testing
from lib.mediation import ANA, BEN, LEE, TOMAS
from scene import offline_channels, offline_texts, warnings_of

JOINT = "joint"
HARBOR = "caucus:Harbor"
NORTHLINE = "caucus:Northline"


class MemberTest(testing.SceneTest):
    parts = (TOMAS, ANA, BEN)

    def assert_messages_flow(self, channel, readers, text="It goes on."):
        self.scene[readers[0]].send(channel, text)
        self.scene.settle()
        for key in readers:
            self.assertEqual(offline_texts(self.scene[key], channel).count(text), 1, key)

    # ---- What the relay refuses ---------------------------------------------------------------

    def test_commit_without_the_control_key(self):
        """A party has the append key but no control key: no closing of theirs is taken."""
        for control in ("random", "none"):
            for act in ("add-stranger", "remove", "renew"):
                about = "Harbor" if act == "add-stranger" else "Ben"
                told = self.scene.act("ana", JOINT, act, about=about, control=control)
                self.assertTrue(told.startswith("refused"), told)
        self.assertIn("Ben Okafor", [one["name"] for one in
                                     self.scene["mira"].channels()[JOINT]["readers"]])
        self.assert_messages_flow(JOINT, ("ben", "mira", "ana", "tomas"))

    def knock(self, key, mailbox, generations):
        words = self.scene.rogue(key, "knock", self.scene.connection_of(key), mailbox,
                                 str(generations)).split()
        return int(words[1]), int(words[3])

    def test_no_key_opens_another_channel(self):
        """Ana tries each key that her profile has at every mailbox that isn't hers."""
        scene = self.scene
        for channel in (NORTHLINE, "neutrals"):
            opened, tried = self.knock("ana", scene.mailbox(channel), 4)
            self.assertEqual(opened, 0, f"{channel}: {opened} of {tried}")
            self.assertGreater(tried, 20)
        # The same search at a mailbox of hers finds its keys: it can find them.
        opened, _ = self.knock("ana", scene.mailbox(JOINT), 8)
        self.assertGreaterEqual(opened, 2)

    def test_removed_participant_stops_at_the_removal(self):
        scene = self.scene
        before = scene.generation(JOINT)
        mailbox = scene.mailbox(JOINT)
        scene["mira"].run("case", "remove", scene.case, "Ben", "--yes")
        # Ben has not synced: his keys are those of the time before the removal.
        told = scene.act("ben", JOINT, "propose-remove", about="Ana")
        self.assertTrue(told.startswith("refused"), told)
        after = scene.generation(JOINT)
        self.assertGreater(after, before)
        opened, tried = self.knock("ben", mailbox, after)
        # Of all keys and generations: to read his own last generation, and no other; and the
        # session that tells who may append there that it is closed.
        self.assertLessEqual(opened, 2, f"{opened} of {tried}")
        scene["mira"].send(JOINT, "Ben is gone.")
        scene["ben"].attempt("sync")
        self.assertEqual(offline_channels(scene["ben"])[JOINT]["status"], "closed")
        self.assertNotIn("Ben is gone.", offline_texts(scene["ben"], JOINT))

    # ---- What clients don't take in, and go on ------------------------------------------------

    def test_proposals_of_a_party(self):
        """An Add, and a Remove of somebody else, proposed by a party: no committer takes them in."""
        scene = self.scene
        for act, about in (("propose-add", "Harbor"), ("propose-remove", "Ben")):
            told = scene.act("ana", JOINT, act, about=about)
            self.assertTrue(told.startswith("appended"), told)
            scene.sync("mira", "tomas", "ben")
        scene.join(LEE)
        scene.mediation.approve(LEE)  # a commit, which would take them in
        scene.sync("tomas", "ben", "ana", "lee")
        readers = {one["name"] for one in scene["mira"].channels()[JOINT]["readers"]}
        self.assertIn("Ben Okafor", readers)
        self.assertNotIn("Mallory", readers)
        self.assert_messages_flow(JOINT, ("ben", "mira", "ana", "tomas", "lee"))

    def test_noise(self):
        """Entries that hold nothing are counted, named as the channel's, and burn nothing."""
        scene = self.scene
        scene.rogue("ana", "noise", scene.connection_of("ana"), JOINT)
        scene.rogue("ana", "noise", scene.connection_of("ana"), JOINT, "sealed=yes")
        scene.sync("ben")
        self.assertEqual(offline_channels(scene["ben"])[JOINT]["passed_over"], 2)
        self.assertEqual(offline_channels(scene["ben"])[JOINT]["status"], "active")
        self.assert_messages_flow(JOINT, ("mira", "ben", "tomas"))
        self.assertTrue(any(one["warning"] == "passed over" and JOINT in one["text"]
                            for one in warnings_of(scene["ben"])), warnings_of(scene["ben"]))

    def test_text_that_is_not_utf8(self):
        """Counted like noise, and nothing of it or about it lands on the terminal."""
        scene = self.scene
        # One message each: the acts use up no key of the profile's.
        for key, text, passed_over in (("ana", b"abc", 0), ("tomas", b"a\xffb", 1),
                                       ("mira", b"\xed\xa0\x80", 2)):
            # Content { message_id: 16 bytes, text { text: 3 bytes } }, docs/protocol.md section 6
            content = b"\x0a\x10" + os.urandom(16) + b"\x52\x05\x0a\x03" + text
            scene.rogue(key, "noise", scene.connection_of(key), JOINT, "content=" + content.hex())
            self.assertEqual(scene["ben"].run("sync").err, "")
            shown = offline_channels(scene["ben"])[JOINT]
            self.assertEqual((shown["status"], shown["passed_over"]), ("active", passed_over))
        scene["ben"].send(JOINT, "It goes on.")
        self.assertEqual(offline_texts(scene["ben"], JOINT), ["abc", "It goes on."])

    # ---- What halts ----------------------------------------------------------------------------

    def assert_halts(self, channel, by, act, readers, reopens="mira", words=(), **options):
        """The relay takes the act; every honest client refuses it, visibly; the mediator opens the
        channel anew with one command, and messages flow, old ones kept."""
        scene = self.scene
        scene[readers[0]].send(channel, "Before it.")
        scene.settle()
        told = scene.act(by, channel, act, **options)
        self.assertTrue(told.startswith("appended"), told)
        for key in readers:
            scene[key].attempt("sync")
            shown = offline_channels(scene[key])[channel]
            self.assertEqual(shown["status"], "halted", f"{key}: {shown}")
            for word in words:
                self.assertIn(word, shown["reason"], key)
            self.assertNotIn("Mallory", [one["name"] for one in shown["readers"]], key)
            refused = scene[key].refused("send", scene.case, channel, "Into the void.")
            self.assertIn("halted", refused)
            self.assertTrue(any(one["warning"] == "halted" for one in warnings_of(scene[key])), key)
        print(f"    {act}: {shown['reason']}", file=sys.stderr)
        scene[reopens].run("case", "reopen", scene.case, channel)
        scene.settle()
        self.assert_messages_flow(channel, readers, "After it.")
        for key in readers:
            texts = offline_texts(scene[key], channel)
            self.assertEqual(texts, ["Before it.", "After it."], key)
            self.assertEqual(offline_channels(scene[key])[channel]["status"], "active", key)

    # A party to whom a neutral, or somebody who has a neutral's disk, gave the control key.

    def test_party_adds(self):
        self.assert_halts(JOINT, "ana", "add-stranger", ("mira", "tomas", "ben"),
                          words=("Ana",), about="Harbor", control=self.scene["mira"].folder)

    def test_party_removes(self):
        self.assert_halts(JOINT, "ana", "remove", ("mira", "tomas", "ben"),
                          words=("Ana",), about="Tomas", control=self.scene["mira"].folder)

    # A neutral who breaks the rules with keys of their own.

    def test_neutral_adds_somebody_unlisted(self):
        self.assert_halts(JOINT, "tomas", "add-unlisted", ("mira", "ana", "ben"), about="Harbor")

    def test_neutral_lists_somebody_absent(self):
        self.assert_halts(JOINT, "tomas", "list-only", ("mira", "ana", "ben"), about="Harbor")

    def test_neutral_removes_but_keeps_listed(self):
        self.assert_halts(JOINT, "tomas", "remove-unlisted", ("mira", "ana"), about="Ben")

    def test_member_in_the_wrong_caucus(self):
        self.assert_halts(HARBOR, "tomas", "add-stranger", ("mira", "ana"),
                          words=("Mallory",), about="Northline")

    def test_role_changed(self):
        self.assert_halts(JOINT, "tomas", "promote", ("mira", "ana", "ben"), about="Ben")

    def test_mailbox_changed(self):
        self.assert_halts(JOINT, "tomas", "move-mailbox", ("mira", "ana", "ben"))

    def test_keys_of_nobody(self):
        self.assert_halts(JOINT, "tomas", "renew", ("mira", "ana", "ben"), keys="wrong")


if __name__ == "__main__":
    testing.main()
