#!/usr/bin/env python3
"""How a case with a procedure begins: request, conflict, agreement; and nothing is said before."""
from lib import testing
from lib.mediation import ANA, BEN, KIM, LEE, SHAH, TOMAS

EVERYBODY = ("mira", "tomas", "ana", "lee", "ben", "shah")


class ProcedureTest(testing.ProgramTest):
    def setUp(self):
        super().setUp()
        self.case = self.mediation().open(options=("--procedure",))

    def status(self, key):
        return self.case[key].objects("case", "status", self.case.case)[0]

    def state(self, key):
        return self.status(key)["state"]

    def missing(self, key):
        return [f"{one['who']} {one['what']}" for one in self.status(key)["missing"]]

    def everybody_syncs(self):
        for key in self.case.people:
            self.case[key].run("sync")

    def refused(self, key, *arguments):
        return self.case[key].refused("case", arguments[0], self.case.case, *arguments[1:])

    def do(self, key, *arguments):
        return self.case[key].made("case", arguments[0], self.case.case, *arguments[1:])

    def test_steps_1_to_3_of_the_story(self):
        case = self.case
        case.add(TOMAS, ANA, LEE, BEN, SHAH)
        self.everybody_syncs()
        self.everybody_syncs()
        # 1. Ana's side requests, Ben's side accepts.
        self.assertIn("only party or counsel may", self.refused("mira", "request"))
        self.assertEqual(self.state("ben"), "opened")
        self.do("ana", "request", "The conveyor that you delivered is faulty.")
        self.assertIn("Northline accepts the request", self.missing("mira"))
        self.assertIn("the case is requested", self.refused("shah", "request"))
        self.assertIn("missing is: Northline accepts the request",
                      case["ana"].refused("send", case.case, "joint", "Hello?"))
        waits = [one["text"] for one in self.status("shah")["todo"]]
        self.assertEqual(waits, ["Northline accepts the request (parley case accept, decline)"])
        self.assertIn("- " + waits[0], case["shah"].run("case", "status", case.case).out)
        self.do("shah", "accept")
        self.assertEqual(self.state("mira"), "consented")
        self.assertEqual([(one["who"], one["command"]) for one in self.status("ana")["missing"]],
                         [("a neutral", "parley case agreement propose")])
        # 2. Tomas discloses a paid lecture for Northline; both waive.
        self.assertIn("say what you disclose", self.refused("tomas", "disclose-conflict"))
        self.do("tomas", "disclose-conflict", "A paid lecture for Northline in May.")
        self.assertIn("only party or counsel may", self.refused("mira", "waive"))
        self.do("ana", "waive", "We knew.")
        self.assertIn("no disclosure whose id begins with zz",
                      self.refused("ben", "waive", "--disclosure", "zz"))
        self.do("ben", "waive")
        lecture = self.status("lee")["disclosures"][0]
        self.assertTrue(lecture["settled"])
        self.assertEqual(lecture["words"], "A paid lecture for Northline in May.")
        # 3. All six sign the agreement.
        self.assertIn("only mediator or co-mediator may", case["ana"].refused(
            "case", "agreement", "propose", case.case, "--template", "closed-caucus"))
        self.assertIn("no template \"x\"; there are: closed-caucus", case["mira"].refused(
            "case", "agreement", "propose", case.case, "--template", "x"))
        self.assertIn("no agreement to mediate is proposed yet", case["ana"].refused(
            "case", "agreement", "sign", case.case, "-y"))
        agreed = case["mira"].made("case", "agreement", "propose", case.case, "--template",
                                   "closed-caucus")
        shown = case["lee"].run("case", "agreement", "show", case.case).out
        self.assertIn("AGREEMENT TO MEDIATE", shown)
        self.assertIn("caucus: closed", shown)
        self.assertIn(agreed, shown)
        self.assertIn("Mira Voss* (mediator)", shown)
        number = case["lee"].participants()["Mira Voss"]["safety_number"]
        shown = case["lee"].run("case", "compare", case.case, "Mira").out
        self.assertIn(number, shown)
        self.assertFalse(case["lee"].participants()["Mira Voss"]["compared"])
        case["lee"].run("case", "compare", case.case, "Mira", number)
        shown = case["lee"].run("case", "agreement", "show", case.case).out
        self.assertIn("Mira Voss (mediator)", shown)
        self.assertIn("Shah Merchant* (counsel, Northline)", shown)
        # Without a terminal to ask on nobody signs what they haven't named.
        self.assertIn("name the hash of what you have read", case["ana"].refused(
            "case", "agreement", "sign", case.case))
        for key in EVERYBODY[:-1]:
            case[key].made("case", "agreement", "sign", case.case, agreed[:8], "-y")
        for channel in ("joint", "caucus"):
            self.assertIn("missing is: Shah Merchant signs the agreement to mediate (version 1)",
                          case["ana"].refused("send", case.case, channel, "Hello?"))
        self.assertEqual(self.missing("tomas"),
                         ["Shah Merchant signs the agreement to mediate (version 1)"])
        case["shah"].made("case", "agreement", "sign", case.case, "-y")
        self.everybody_syncs()
        for key in EVERYBODY:
            status = self.status(key)
            self.assertEqual((status["state"], status["may_speak"], status["missing"]),
                             ("engaged", True, []), key)
            signers = status["in_force"][0]["signers"]
            self.assertEqual(len(signers), 6)
            self.assertTrue(all(one["signed"] and one["key_vouched_for"] for one in signers))
            self.assertEqual({one["participant"] for one in signers}, {
                one["participant"] for one in case["mira"].participants().values()})
        for options in (["-y"], []):  # nobody is asked about what is refused then
            self.assertIn("has signed it already", case["shah"].refused(
                "case", "agreement", "sign", case.case, *options))
        case["ana"].send("joint", "Hello.")
        case["ana"].send("caucus", "A word in private.")
        self.assertEqual(case["ben"].texts("joint"), ["Hello."])
        self.assertNotIn("against_procedure", case["mira"].read("caucus:Harbor")[0])
        # A late disclosure suspends; who comes later signs before anybody speaks before them.
        self.do("mira", "act", "begin-session")
        self.do("tomas", "disclose-conflict", "My brother works there.")
        self.assertEqual(self.state("ben"), "suspended")
        self.assertIn("answers what Tomas Brandt has disclosed",
                      self.refused("mira", "act", "begin-session"))
        case.add(KIM)
        self.everybody_syncs()
        self.assertIn("Kim Adeyemi signs", case["ben"].refused("send", case.case, "joint", "x"))
        case["kim"].made("case", "agreement", "sign", case.case, "-y")
        self.everybody_syncs()
        case["ben"].send("joint", "Welcome.")

    def test_a_side_that_declines_ends_it(self):
        self.case.add(ANA, BEN)
        self.everybody_syncs()
        self.do("ana", "request")
        self.do("ben", "decline")
        self.assertEqual(self.state("ana"), "withdrawn")
        self.assertEqual(self.status("ana")["todo"], [])
        shown = self.case["ana"].run("case", "status", self.case.case).out
        self.assertIn("Nothing can be said any more.\nMissing: an agreement to mediate that "
                      "everybody has signed; the case has ended without one\n", shown)
        self.assertIn("nothing can be said yet",
                      self.case["ana"].refused("send", self.case.case, "joint", "But why?"))

    def test_the_settlement_is_confirmed_and_what_is_due_is_destroyed(self):
        case = self.case
        case.add(ANA, BEN)
        self.everybody_syncs()
        self.do("ana", "request")
        self.do("ben", "accept")
        policy = self.write("policy", b"caucus: closed\nkeep messages: 0 days\n"
                                      b"keep settlement: 7 years\n")
        agreed = case["mira"].made("case", "agreement", "propose", case.case, "--template",
                                   "closed-caucus", "--policy", policy)
        for key in ("mira", "ana", "ben"):
            case[key].made("case", "agreement", "sign", case.case, agreed[:8], "-y")
        self.do("mira", "act", "begin-session")
        self.everybody_syncs()
        case["ana"].send("caucus", "The floor is 690 thousand.")
        text = self.write("settlement.txt", b"710 thousand in three instalments.")
        case["mira"].run("share", case.case, "joint", text, "--class", "settlement")
        self.do("mira", "act", "agree-in-principle")
        self.assertIn("--settlement", self.refused("mira", "act", "start-signing"))
        self.do("mira", "act", "start-signing", "--settlement", "settlement.txt")
        for key in ("ana", "ben"):
            self.assertIn("confirms the settlement that is to be signed",
                          case[key].run("case", "status", case.case).out)
            said = case[key].run("case", "act", case.case, "confirm-settlement",
                                 "--settlement", "settlement.txt").out
            self.assertRegex(said, r"The settlement: [0-9a-f]{64}\n")
        self.assertEqual(self.state("ben"), "settled")
        shown = case["ana"].run("case", "retention", case.case).out
        self.assertIn("messages: kept 0 days, 1 record here", shown)
        self.assertIn("settlement: kept 7 years, 1 record here", shown)
        self.assertIn("add -y", self.refused("ana", "destroy"))
        case["ana"].run("case", "retention", case.case, "--hold", "a court's order")
        self.assertIn("a court's order", self.refused("ana", "destroy", "-y"))
        case["ana"].run("case", "retention", case.case, "--release")
        self.assertIn("1 record destroyed", case["ana"].run("case", "destroy", case.case, "-y").out)
        self.assertIn("[destroyed", case["ana"].run("read", case.case, "caucus").out)
        # With nothing more to do it asks nobody.
        self.assertIn("Nothing is due", case["ana"].run("case", "destroy", case.case).out)
        self.assertEqual(case["ana"].objects("case", "destroy", case.case)[0]["records"], 0)
        kept = case["mira"].objects("case", "retention", case.case)[0]["classes"][0]
        self.assertEqual(kept["destroyed_by"], ["Ana Ruiz"])
        self.assertCountEqual(kept["awaited"], ["Mira Voss", "Ben Okafor"])

    def test_templates_need_no_profile(self):
        listed = self.case["mira"].run("template", "list").out
        self.assertIn("closed-caucus", listed)
        policy = self.case["mira"].run("template", "show", "open-caucus", "--policy").out
        self.assertIn("caucus: open\n", policy)
        path = self.work + "/policy"
        with open(path, "w", encoding="utf-8") as file:
            file.write(policy.replace("caucus: open", "caucus: ajar"))
        self.assertIn("line 2 of the policy must be", self.case["mira"].refused(
            "case", "agreement", "propose", self.case.case, "--template", "open-caucus",
            "--policy", path))


if __name__ == "__main__":
    testing.main()
