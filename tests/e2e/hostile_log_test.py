#!/usr/bin/env python3
"""A relay that lies about a channel's log, to one participant at a time.

Whatever it does: what the participant is shown was really said, by whom it is said to be; the lie is
noticed and named, at the latest with the next message that anybody sends; and when the relay behaves
again, all that it held back is there.
"""
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "hostile")]

# pylint: disable=wrong-import-position
import testing
from lib.mediation import ANA, BEN, LEE, TOMAS
from scene import offline_channels, offline_texts, warnings_of

JOINT = "joint"
CAUCUS = "caucus:Harbor"


class LogTest(testing.SceneTest):
    parts = (ANA, BEN)

    def setUp(self):
        super().setUp()
        self.said = []
        self.relay = self.scene.relays["ana"]
        self.mailbox = self.scene.mailbox(JOINT)
        self.say("mira", "The first word.")
        self.scene.sync()

    def say(self, key, text):
        """Somebody else than Ana says something, through their own honest relay."""
        self.said.append(text)
        return self.scene.sent_at(key, JOINT, text)

    def ana_syncs(self):
        """Ana syncs behind the liar: what she is told, as one text, and the exit status."""
        outcome = self.scene["ana"].attempt("sync")
        self.assertIn(outcome.status, (0, 1), outcome)
        shown = offline_texts(self.scene["ana"], JOINT)
        for text in shown:
            self.assertIn(text, self.said, "something is shown that nobody said")
        self.assertEqual(len(shown), len(set(shown)), "a message is shown twice")
        return outcome

    def assert_named(self, outcome, since=""):
        """The lie is named: by the command's failure, or by a warning, with the channel."""
        ana = self.scene["ana"]
        warnings = [one["text"] for one in warnings_of(ana)
                    if one["warning"] in ("fork", "halted", "passed over")]
        told = ([outcome.err.strip()] if outcome.status else []) + warnings
        self.assertTrue(told, f"nothing was noticed{since}: {outcome}")
        self.assertTrue(any(JOINT in line for line in told),
                        f"the channel is not named: {told}")
        return " | ".join(told)

    def lie(self, kind, noticed_at_once=True, recovers=True, **arguments):
        """Tells Ana one lie about what was said since she last looked."""
        self.relay.rule(kind, mailbox=self.mailbox, **arguments)
        outcome = self.ana_syncs()
        self.assertGreater(self.relay.hits(), 0, "the lie was not told")
        told = ""
        if noticed_at_once:
            told = self.assert_named(outcome)
        else:
            self.say("ben", "Something later, from Ben.")
            told = self.assert_named(self.ana_syncs(), " after the next message")
        self.relay.clear()
        if recovers:
            self.say("ben", "All is well again.")
            after = self.ana_syncs()
            self.assertEqual(after.status, 0, after)
            self.assertEqual(offline_texts(self.scene["ana"], JOINT), self.said)
            self.scene["ana"].send(JOINT, "I have it all.")
        print(f"    {kind}: {told}", file=sys.stderr)
        return told

    # ---- Lies about the log's shape: nothing of them is taken in ------------------------------

    def test_drop(self):
        place = self.say("mira", "one")
        self.say("mira", "two")
        self.lie("drop", position=place)

    def test_truncate_below_what_was_seen(self):
        place = self.scene.sent_at("mira", JOINT, "one")
        self.said.append("one")
        self.scene.sync("ana")
        self.lie("truncate", position=place)

    def test_trimmed(self):
        place = self.say("mira", "one")
        self.lie("trimmed", position=place + 1)

    def test_forge_closing(self):
        place = self.say("mira", "one")
        self.lie("forge-closing", position=place)

    def test_withhold_is_only_late(self):
        place = self.say("mira", "one")
        self.relay.rule("truncate", mailbox=self.mailbox, position=place)
        self.assertEqual(self.ana_syncs().status, 0)
        self.assertNotIn("one", offline_texts(self.scene["ana"], JOINT))
        self.relay.clear()
        self.assertEqual(self.ana_syncs().status, 0)
        self.assertEqual(offline_texts(self.scene["ana"], JOINT), self.said)

    def test_unavailable(self):
        self.say("mira", "one")
        self.relay.rule("withhold", mailbox=self.mailbox)
        outcome = self.ana_syncs()
        self.assertEqual(outcome.status, 1, outcome)
        self.relay.clear()
        self.assertEqual(self.ana_syncs().status, 0)
        self.assertEqual(offline_texts(self.scene["ana"], JOINT), self.said)

    # ---- Lies about entries: noticed by the seal, or by the next author's transcript ------------
    # Of what doesn't open nothing is taken in, so an honest answer later makes it good. What opens
    # (in another order, or as another act) is taken in: that remains a fork.

    def test_alter(self):
        place = self.say("mira", "one")
        self.lie("alter", position=place)

    def test_alter_append_id(self):
        place = self.say("mira", "one")
        self.lie("alter-append-id", position=place, noticed_at_once=False, recovers=False)

    def test_swap_within_the_channel(self):
        place = self.say("mira", "one")
        self.lie("swap", position=place, of=place - 1)

    def test_swap_with_another_channel(self):
        place = self.say("mira", "one")
        other = self.scene.sent_at("mira", CAUCUS, "in the caucus")
        self.scene.sync("ana")
        place = self.say("mira", "two")
        self.lie("swap", position=place, of_mailbox=self.scene.mailbox(CAUCUS), of=other)

    def test_wrong_mailbox(self):
        place = offline_channels(self.scene["ana"])[JOINT]["head"] + 1
        other = 0
        while other < place:  # so that the caucus has an entry in that position
            other = self.scene.sent_at("mira", CAUCUS, "in the caucus")
        self.scene.sync("ana")
        self.assertEqual(self.say("mira", "one"), place)
        self.lie("wrong-mailbox", position=place, of_mailbox=self.scene.mailbox(CAUCUS))

    def test_reorder(self):
        place = self.say("mira", "one")
        self.say("mira", "two")
        self.lie("reorder", position=place, noticed_at_once=False, recovers=False)

    def test_replay(self):
        place = self.say("mira", "one")
        self.lie("replay", position=place + 1, of=place)

    def test_hide(self):
        place = self.say("mira", "one")
        self.lie("hide", position=place, noticed_at_once=False, recovers=False)

    # ---- Lies about commits -------------------------------------------------------------------

    def commit(self):
        """Mira lets Lee in: a commit in the joint channel. Its position."""
        self.scene.relays["mira"].appends()
        self.scene.join(LEE)
        self.scene.mediation.approve(LEE)
        closings = [append for append in self.scene.relays["mira"].appends()
                    if append.mailbox == self.mailbox and append.closing]
        self.assertTrue(closings)
        return closings[0].position

    def lie_about_commit(self, kind, **arguments):
        place = self.commit()
        self.lie(kind, position=place, **arguments)

    def test_alter_commit(self):
        self.lie_about_commit("alter")

    def test_alter_closing_keys(self):
        self.lie_about_commit("alter-closing-keys")

    def test_alter_closing_signature(self):
        self.lie_about_commit("alter-closing-signature")

    def test_strip_closing(self):
        self.lie_about_commit("strip-closing")

    # ---- Lies to who sends ---------------------------------------------------------------------

    def sends_behind(self, kind, **arguments):
        self.relay.rule(kind, mailbox=self.mailbox, **arguments)
        outcome = self.scene["ana"].attempt("send", self.scene.case, JOINT, "Ana's word")
        self.assertGreater(self.relay.hits(), 0, "the lie was not told")
        self.relay.clear()
        return outcome

    def assert_said_once(self):
        self.scene.sync("ana", "ben")
        for key in ("ana", "ben"):
            shown = offline_texts(self.scene[key], JOINT)
            self.assertEqual(shown.count("Ana's word"), 1, f"{key}: {shown}")

    def test_lost_answer(self):
        self.sends_behind("lose-answer", times=1)
        self.assert_said_once()

    def test_lost_request(self):
        self.sends_behind("lose-request", times=2)
        self.assert_said_once()

    def test_duplicated_request(self):
        self.assertEqual(self.sends_behind("duplicate").status, 0)
        self.assert_said_once()

    def test_swallowed(self):
        """Acknowledged and not stored: the log shows it, the program says it and sends it again."""
        head = offline_channels(self.scene["ana"])[JOINT]["head"]
        sent = self.sends_behind("swallow", position=head + 1)
        self.say("mira", "in its place")
        self.said.append("Ana's word")
        told = self.assert_named(sent if sent.status else self.ana_syncs())
        print(f"    swallow: {told}", file=sys.stderr)
        self.assert_said_once()

    def test_wrong_position(self):
        sent = self.sends_behind("wrong-position", times=1)
        self.said.append("Ana's word")
        told = self.assert_named(sent if sent.status else self.ana_syncs())
        print(f"    wrong-position: {told}", file=sys.stderr)
        self.assert_said_once()

    def test_who_is_frozen_out_is_told_when_sending(self):
        """The relay shows Ana nothing of a commit, and refuses what she says since it is there."""
        self.scene["mira"].send(JOINT, "before")
        self.scene["ana"].run("sync")
        head = offline_channels(self.scene["ana"])[JOINT]["head"]
        self.relay.rule("truncate", mailbox=self.mailbox, position=head + 1)
        self.scene["mira"].run("case", "remove", self.scene.case, "Ben", "--yes")
        sent = self.scene["ana"].attempt("send", self.scene.case, JOINT, "Ana's word")
        self.assertEqual(sent.status, 1, sent)
        self.assertIn("another log of the channel joint", sent.err)
        self.relay.clear()
        self.scene.sync("ana", "mira")
        self.assertEqual(offline_texts(self.scene["mira"], JOINT).count("Ana's word"), 1)

    def test_a_removal_that_is_swallowed_is_not_called_done(self):
        mira, relay = self.scene["mira"], self.scene.relays["mira"]
        mira.run("sync")
        head = offline_channels(mira)[JOINT]["head"]
        for place in range(head + 1, head + 9):
            relay.rule("swallow", mailbox=self.mailbox, position=place)
        told = mira.refused("case", "remove", self.scene.case, "Ben", "--yes")
        self.assertRegex(told, r"Ben.* is still in.*joint \(")
        self.assertNotIn("caucus:Northline (", told)
        relay.clear()
        mira.run("sync")
        self.assertNotIn("Ben Okafor", str(offline_channels(mira)[JOINT]["readers"]))
        self.assertEqual(mira.attempt("case", "remove", self.scene.case, "Ben", "--yes").status, 0)


class ForkTest(testing.SceneTest):
    """The relay shows participants different logs."""
    parts = (TOMAS, ANA, BEN)

    def forks(self, key):
        return [one["text"] for one in warnings_of(self.scene[key]) if one["warning"] == "fork"]

    def assert_fork(self, key, channel):
        told = self.forks(key)
        self.assertTrue(any(channel in text for text in told), f"{key} is warned of {told}")
        print(f"    {key}: {told}", file=sys.stderr)

    def test_at_a_message(self):
        scene = self.scene
        place = scene.sent_at("mira", JOINT, "Only Ben hears this.")
        scene.relays["ana"].rule("hide", mailbox=scene.mailbox(JOINT), position=place)
        scene["ana"].attempt("sync")
        scene["ben"].send(JOINT, "Ben answers.")
        scene["ana"].attempt("sync")
        self.assertGreater(scene.relays["ana"].hits(), 0)
        self.assertNotIn("Only Ben hears this.", offline_texts(scene["ana"], JOINT))
        self.assert_fork("ana", JOINT)
        # And the others learn it from what Ana says.
        scene["ana"].attempt("send", scene.case, JOINT, "Ana answers.")
        scene["ben"].attempt("sync")
        scene["mira"].attempt("sync")
        self.assert_fork("ben", JOINT)
        self.assert_fork("mira", JOINT)

    def test_at_a_commit(self):
        """Tomas is left behind in the old epoch, where he goes on talking with nobody. The heads
        that the neutrals tell each other show it."""
        scene = self.scene
        mailbox, generation = scene.mailbox(JOINT), scene.generation(JOINT)
        scene.relays["mira"].appends()
        scene.join(LEE)
        scene.mediation.approve(LEE)
        place = next(append.position for append in scene.relays["mira"].appends()
                     if append.mailbox == mailbox and append.closing)
        scene.relays["tomas"].fork(mailbox, place, generation)
        scene["tomas"].attempt("sync")
        scene["tomas"].attempt("send", scene.case, JOINT, "Is anybody there?")
        scene["mira"].attempt("sync")
        scene["tomas"].attempt("sync")
        self.assert_fork("tomas", JOINT)
        # He commits in his log, and tells the neutrals its head: now Mira sees it too.
        scene["tomas"].attempt("case", "remove", scene.case, "Ben", "--yes")
        scene["mira"].attempt("sync")
        self.assert_fork("mira", JOINT)
        for key in ("mira", "ana", "ben"):
            self.assertNotIn("Is anybody there?", offline_texts(scene[key], JOINT))


if __name__ == "__main__":
    testing.main()
