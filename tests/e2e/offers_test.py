#!/usr/bin/env python3
"""Offers with the real programs: in the joint channel, carried from caucus to caucus by a neutral, and
option sheets that each side evaluates for itself."""
import re
import time

from lib import testing
from lib.mediation import ANA, BEN, LEE, SHAH, TOMAS

HARBOR = "caucus:Harbor"
NORTHLINE = "caucus:Northline"


class OffersTest(testing.ProgramTest):
    def setUp(self):
        super().setUp()
        self.case = self.mediation().open(options=("--procedure",))
        self.case.add(TOMAS, ANA, LEE, BEN, SHAH)
        self.everybody_syncs()
        self.everybody_syncs()

    def everybody_syncs(self):
        for key in self.case.people:
            self.case[key].run("sync")

    def engage(self):
        """Steps 1 and 3 of the story."""
        case = self.case
        case["ana"].made("case", "request", case.case, "The conveyor.")
        case["ben"].made("case", "accept", case.case)
        case["mira"].made("case", "agreement", "propose", case.case, "--template", "closed-caucus")
        for key in ("mira", "tomas", "ana", "lee", "ben", "shah"):
            case[key].made("case", "agreement", "sign", case.case, "-y")
        self.everybody_syncs()

    def make(self, key, channel, *arguments):
        return self.case[key].made("offer", "make", self.case.case, channel, *arguments)

    def offers(self, key):
        listed = self.case[key].objects("offers", self.case.case)
        return {one["offer"]: one for one in listed if "offer" in one}

    def do(self, key, verb, offer, *arguments):
        return self.case[key].run("offer", verb, self.case.case, offer[:12], *arguments)

    def refused(self, key, verb, *arguments):
        return self.case[key].refused("offer", verb, self.case.case, *arguments)

    def carry(self, key, offer):
        """Discloses all that may be carried of an offer now."""
        for leave in self.offers(key)[offer]["leaves"]:
            if leave["state"] == "open":
                self.case[key].made("disclose", self.case.case, leave["authorisation"])

    def test_the_chain_in_the_joint_channel(self):
        self.assertIn("nothing can be said yet", self.refused(
            "ana", "make", "joint", "--text", "1.2 million"))
        self.engage()
        self.assertIn("only parties and counsel make offers", self.refused(
            "mira", "make", "joint", "--text", "720 thousand"))
        first = self.make("ana", "joint", "--text", "For the faulty conveyor, all in all.",
                          "--amount", "1.2 million", "--condition", "paid by 30 June, in one sum",
                          "--condition", "no publicity [none]", "--to", "northline")
        counter = self.make("shah", "joint", "--text", "All in all.", "--amount", "400 thousand",
                            "--counter", first[:8])
        seen = self.offers("lee")
        self.assertEqual(seen[first]["state"], "countered")
        self.assertEqual(seen[first]["versions"][0]["conditions"],
                         ["paid by 30 June, in one sum", "no publicity [none]"])
        self.assertEqual(seen[first]["counters"], [counter])
        self.assertEqual((seen[counter]["answers_offer"], seen[counter]["answers_version"]),
                         (first, 1))
        self.assertIn("version 1 is countered and takes no answer any more", self.refused(
            "ben", "accept", first[:8], "--version", "1"))
        self.make("ben", "joint", "--text", "All in all, with servicing.", "--amount",
                  "600 thousand", "--alternative", "650 thousand without", "--replaces", counter[:8])
        refusal = self.refused("ana", "accept", counter[:8], "--version", "1")
        self.assertIn("version 1 is replaced", refusal)
        self.assertIn("version 2 is open: read it", refusal)
        self.assertIn("it is put to Ana Ruiz", self.refused(
            "lee", "accept", counter[:8], "--version", "2"))
        self.do("ana", "accept", counter, "--version", "2", "--alternative", "1", "--note", "Done.")
        self.everybody_syncs()
        for key in self.case.people:
            now = self.offers(key)[counter]
            self.assertEqual((now["state"], now["version"]), ("accepted", 2), key)
            answer = now["versions"][1]["answers"][0]
            self.assertEqual((answer["by"], answer["alternative"], answer["note"]),
                             (ANA.name, 1, "Done."))
        self.assertIn("everybody has accepted it", self.refused(
            "ben", "withdraw", counter[:8], "--version", "2"))
        shown = self.case["mira"].run("offers", self.case.case).out
        self.assertIn(f"answers version 1 of {first[:8]}", shown)
        self.assertIn("has accepted it, in the form of alternative 1\n", shown)
        self.assertIn("        with the note:\n        | Done.\n", shown)
        self.assertIn("        text:\n        | All in all, with servicing.\n", shown)

    def test_a_neutral_carries_offer_and_answer(self):
        self.engage()
        offering = self.case["ana"].run(
            "offer", "make", self.case.case, HARBOR, "--text", "We take 950 thousand for everything.",
            "--condition", "the covenant falls due on 30 June", "--to", "Northline",
            "--expires", "2d")
        made = offering.last_line
        for key in ("ben", "shah"):
            self.assertEqual(self.offers(key), {})
            self.assertNotIn("950", self.case[key].run("read", self.case.case, "joint").out)
        # The hurried mediator, by hand.
        for text in ("So the covenant falls due on 30 June?",
                     "They said: we take 950 thousand for everything. What about it, and when?"):
            refusal = self.case["mira"].refused("send", self.case.case, NORTHLINE, text)
            self.assertIn("held back", refusal)
            self.assertIn(HARBOR, refusal)
        self.assertIn(made[:8], self.case["mira"].run("offers", self.case.case).out)
        # The command that Ana's program names can be typed as it stands.
        command = re.search(r"caucus:Northline: parley (disclose .*)\n", offering.out).group(1)
        self.case["mira"].run(*command.split())
        seen = self.offers("ben")[made]
        self.assertTrue(seen["carried"])
        mine = self.offers("ana")[made]["versions"][0]
        for field in ("hash", "text", "conditions", "expires", "parties"):
            self.assertEqual(seen["versions"][0][field], mine[field], field)
        self.assertEqual(seen["versions"][0]["carried_by"], "Mira Voss")
        # Ben accepts; the answer goes back.
        self.do("ben", "accept", made, "--version", "1")
        self.everybody_syncs()
        self.assertEqual(self.offers("ana")[made]["state"], "open")
        answers = [one for one in self.case["tomas"].objects("authorisations", self.case.case)
                   if one["state"] == "open"]
        self.assertEqual([one["audience"] for one in answers], [HARBOR])
        self.assertIn("accepts an offer", answers[0]["offer"])
        self.case["tomas"].made("disclose", self.case.case, answers[0]["authorisation"])
        for key in ("ana", "lee"):
            now = self.offers(key)[made]
            self.assertEqual(now["state"], "accepted", key)
            self.assertEqual(now["versions"][0]["answers"][0]["carried_by"], TOMAS.name)
        for key in self.case.people:
            warnings = self.case[key].run("warnings", self.case.case).out
            self.assertNotIn("may not", warnings)
            self.assertNotIn("isn't as it was authorised", warnings)

    def test_its_time_ends_by_an_entry(self):
        self.engage()
        made = self.make("ana", "joint", "--text", "Only for a moment.", "--expires", "1s")
        self.case["ben"].run("sync")
        time.sleep(2)
        # Nobody has said so yet, and Ben can't.
        refusal = self.refused("ben", "accept", made[:8], "--version", "1")
        self.assertIn("is over, by this device's clock", refusal)
        self.assertEqual(self.offers("ben")[made]["state"], "open")
        self.case["tomas"].run("sync")
        self.everybody_syncs()
        for key in self.case.people:
            self.assertEqual(self.offers(key)[made]["state"], "expired", key)
        self.assertIn("is expired and takes no answer any more", self.refused(
            "ben", "accept", made[:8], "--version", "1"))

    def test_options_are_evaluated_in_private(self):
        self.engage()
        case = self.case
        made = case["mira"].made("options", "make", case.case, "joint", "--title", "How to pay",
                                 "--option", "at once", "--option", "in three parts")
        sheet = case["ana"].objects("options", "list", case.case)[0]["sheet"]
        self.assertEqual(made, sheet)
        self.assertIn("is no rating", case["ana"].refused(
            "options", "evaluate", case.case, sheet[:8], "--rate", "1:9"))
        self.assertIn("stays in its own caucus", case["ana"].refused(
            "options", "evaluate", case.case, sheet[:8], "--rate", "1=9", "--channel", "joint"))
        case["ana"].made("options", "evaluate", case.case, sheet[:8], "--rate",
                         "1=9 CANARY-E, we need it by June", "--rate", "2=1")
        self.everybody_syncs()
        own = case["lee"].objects("options", "list", case.case)[0]["evaluations"]
        self.assertEqual(own[0]["ratings"][0],
                         {"option": 1, "points": 9, "note": "CANARY-E, we need it by June"})
        self.assertEqual(len(case["tomas"].objects("options", "list", case.case)[0]["evaluations"]),
                         1)
        for key in ("ben", "shah"):
            self.assertEqual(case[key].objects("options", "list", case.case)[0]["evaluations"], [])
            for channel in case[key].channels():
                self.assertNotIn("CANARY-E", str(case[key].read(channel)))
        self.assertIn("held back", case["mira"].refused(
            "send", case.case, NORTHLINE, "canary-e: we need it by June"))


if __name__ == "__main__":
    testing.main()
