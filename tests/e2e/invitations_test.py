#!/usr/bin/env python3
"""Invitations: used twice, expired, withdrawn, mistyped, by the wrong person."""
import time

from lib import testing
from lib.mediation import ANA, BEN, Part


class InvitationTest(testing.ProgramTest):
    def test_used_twice(self):
        case = self.mediation().open()
        invitation = case.invite(ANA)
        ana = case.join(ANA, invitation)
        thief = case.profile(Part("eve", "Eve", "party"))
        refusal = thief.refused("join", invitation)
        self.assertIn("used", refusal)
        self.assertEqual(thief.objects("case", "list"), [])
        # The mediator hears of it; the first to use it is still there.
        alarms = case["mira"].participants()[ANA.name]["alarms"]
        self.assertEqual(len(alarms), 1, alarms)
        warnings = case["mira"].objects("warnings", case.case)
        self.assertIn("invitation used twice", [warning["warning"] for warning in warnings])
        case.approve(ANA)
        ana.send("joint", "it is me")
        self.assertEqual(case["mira"].texts("joint"), ["it is me"])

    def test_the_whole_answer_of_invite_is_taken(self):
        case = self.mediation().open()
        shown = case["mira"].run("case", "invite", case.case, "--name", ANA.name, "--role",
                                 "party", "--side", "Harbor").out
        self.assertEqual(len(shown.splitlines()), 3)
        self.assertEqual(case.profile(ANA).made("join", "-", text=shown), case.case)

    def test_joining_again_with_the_same_profile_is_the_same_case(self):
        case = self.mediation().open()
        invitation = case.invite(ANA)
        case.join(ANA, invitation)
        self.assertEqual(case["ana"].made("join", invitation), case.case)
        self.assertEqual(case["mira"].participants()[ANA.name]["alarms"], [])
        case.approve(ANA)
        self.assertEqual(case["ana"].made("join", invitation), case.case)

    def test_expired(self):
        case = self.mediation().open()
        outcome = case["mira"].run("case", "invite", case.case, "--name", ANA.name, "--role",
                                   "party", "--side", "Harbor", "--valid-for", "1m")
        made = time.monotonic()
        case.add(BEN)  # the case goes on meanwhile
        time.sleep(max(0.0, 62 - (time.monotonic() - made)))
        ana = case.profile(ANA)
        refusal = ana.refused("join", outcome.last_line)
        self.assertIn("expired", refusal)
        self.assertEqual(ana.objects("case", "list"), [])
        self.assertEqual(case["mira"].participants()[ANA.name]["state"], "expired")
        gone = case["mira"].run("case", "remove", case.case, ANA.name, "-y").out
        self.assertIn("which had expired unused", gone)
        # Nothing is lost: a new invitation works.
        ana.case = ana.made("join", case.invite(ANA))
        case.approve(ANA)
        self.assertIn("joint", ana.channels())

    def test_withdrawn(self):
        case = self.mediation().open()
        invitation = case.invite(ANA)
        case["mira"].run("case", "remove", case.case, ANA.name)
        ana = case.profile(ANA)
        outcome = ana.attempt("join", invitation)
        if outcome.status == 0:  # it could be posted, but nobody will ever open it
            case["mira"].run("sync")
            case["mira"].refused("case", "approve", case.case, ANA.name)
            self.assertEqual(ana.objects("channels", case.case), [])
        else:
            self.assertEqual((outcome.status, len(outcome.err.splitlines())), (1, 1), outcome.err)

    def test_not_an_invitation(self):
        case = self.mediation().open()
        ana = case.profile(ANA)
        invitation = case.invite(ANA)
        prefix = "parley-invite1:"
        for text in ("", "hello", prefix, prefix + "AAAA", invitation[:-8], invitation + "AAAA",
                     invitation.replace(prefix, "parley-relay1:"),
                     case.relay.add_sponsor("another")):
            refusal = ana.refused("join", text)
            self.assertNotIn(invitation[20:60], refusal, "a refusal repeats a secret")
        ana.case = ana.made("join", "-", text=invitation + "\n")
        self.assertEqual(ana.case, case.case)

    def test_one_character_wrong(self):
        case = self.mediation().open()
        invitation = case.invite(ANA)
        ana = case.profile(ANA)
        place = 100  # in the rendezvous' id or the secret
        other = "A" if invitation[place] != "A" else "B"
        ana.refused("join", invitation[:place] + other + invitation[place + 1:])
        ana.case = ana.made("join", invitation)
        case.approve(ANA)
        self.assertIn("joint", ana.channels())

    def test_who_may_be_invited_as_what(self):
        case = self.mediation().open()
        base = ["case", "invite", case.case, "--name", "X", "--role"]
        case["mira"].refused(*base, "mediator")
        case["mira"].refused(*base, "party")
        case["mira"].refused(*base, "co-mediator", "--side", "Harbor")
        case["mira"].run(*base, "expert")
        self.assertIn("█", case["mira"].run("case", "invite", case.case, "--name", "Y", "--role",
                                            "observer", "--qr").out)


if __name__ == "__main__":
    testing.main()
