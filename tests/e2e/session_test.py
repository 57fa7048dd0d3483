#!/usr/bin/env python3
"""What leads a session, with the real programs: agenda, summaries, the floor, issues, quotes."""
from lib import testing
from lib.mediation import ANA, BEN, LEE, NORA, TOMAS


class SessionTest(testing.ProgramTest):
    def setUp(self):
        super().setUp()
        self.case = self.mediation().open()
        self.case.add(TOMAS, ANA, LEE, BEN)
        self.everybody_syncs()

    def everybody_syncs(self):
        for key in self.case.people:
            self.case[key].run("sync")

    def objects(self, key, *command):
        return self.case[key].objects(*command[:2], self.case.case, *command[2:])

    def made(self, key, *command):
        return self.case[key].made(*command[:2], self.case.case, *command[2:])

    def refused(self, key, *command):
        return self.case[key].refused(*command[:2], self.case.case, *command[2:])

    def test_texts_that_the_sides_answer(self):
        case = self.case
        self.assertIn("only mediator or co-mediator may",
                      self.refused("ana", "agenda", "set", "Mine."))
        self.made("mira", "agenda", "set", "1. The conveyor.\n2. The price.")
        self.assertEqual(self.objects("ben", "agenda", "show")[0]["unanswered"],
                         ["Harbor", "Northline"])
        self.made("lee", "agenda", "ack")
        self.made("ben", "agenda", "correct", "The delay is missing.")
        shown = case["mira"].run("agenda", "show", case.case).out
        self.assertIn("Lee Castellan", shown)
        self.assertIn("The delay is missing.", shown)
        self.made("tomas", "agenda", "set", "1. The conveyor.\n2. The delay.\n3. The price.")
        agenda = self.objects("ana", "agenda", "show")
        self.assertEqual((agenda[0]["version"], agenda[0]["answers"]), (2, []))
        self.assertEqual(len(self.objects("ana", "agenda", "show", "--all")), 2)
        # Nobody agrees to what came in the same call.
        self.assertIn("the latest is agenda, version 2", self.refused("ana", "agenda", "ack"))
        self.refused("ana", "agenda", "ack", "--version", "1")
        self.made("ana", "agenda", "ack", "--version", "2")
        self.made("mira", "ground-rules", "set", "Nobody interrupts.")
        self.made("ana", "ground-rules", "ack", "Gladly.")
        self.made("mira", "summary", "set", "The parties met.")
        self.made("mira", "summary", "set", "An expert is to look at it.")
        self.assertIn("say which with --of", self.refused("ana", "summary", "confirm"))
        self.made("ana", "summary", "confirm", "--of", "2")
        self.made("ben", "summary", "correct", "Not yet.", "--of", "2")
        answers = self.objects("mira", "summary", "show")[1]["answers"]
        self.assertEqual([(one["side"], one["answer"], one["words"]) for one in answers],
                         [("Harbor", "confirmed", ""), ("Northline", "corrected", "Not yet.")])
        # A mediator's text goes through the firewall like a message.
        secret = "Our floor is 690 thousand, and the covenant falls due on 30 June."
        case["ana"].send("caucus", secret)
        for command in ("agenda", "ground-rules", "summary"):
            refusal = self.refused("mira", command, "set", "As I heard: " + secret)
            self.assertIn("caucus:Harbor", refusal)
            self.assertIn("Ben Okafor", refusal)
            self.assertNotIn("690", refusal)
        self.assertIn("caucus:Harbor", self.refused("mira", "issues", "add", secret))
        self.assertNotIn("690", case["ben"].run("read", case.case, "joint").out)

    def test_the_floor_holds_messages(self):
        case = self.case
        self.assertTrue(self.objects("ben", "floor", "show")[0]["may_speak"])
        self.assertIn("only mediator", self.refused("ben", "floor", "give", "all"))
        case["mira"].run("floor", "give", case.case, "side:Harbor")
        sent = case["ben"].objects("send", case.case, "joint", "Listen!")[0]
        self.assertTrue(sent["held"] and sent["queued"])
        self.assertNotIn("position", sent)
        self.assertIn("Held: the floor is given to the side Harbor",
                      case["ben"].run("send", case.case, "joint", "And this.").out)
        case["ben"].run("retract", case.case, "joint", sent["message"][:12])
        self.assertIn("held here", case["ben"].run("read", case.case, "joint").out)
        case["ana"].send("joint", "It stands still.")
        case["ben"].run("floor", "ask", case.case)
        self.assertEqual(self.objects("mira", "floor", "show")[0]["hands"][0]["name"],
                         "Ben Okafor")
        case["mira"].run("floor", "give", case.case, "Ben")
        case["ben"].run("sync")
        said = [one["text"] for one in case["ana"].read("joint") if one["kind"] == "text"]
        self.assertEqual(said, ["It stands still.", "And this."])
        shares = {one["name"]: one for one in self.case["mira"].objects("balance", case.case)}
        self.assertEqual(shares["Ben Okafor"]["messages"], 1)
        self.assertEqual(shares["Ben Okafor"]["participant"],
                         case["mira"].participants()["Ben Okafor"]["participant"])
        self.assertIn("1 message, 8 characters, 36 %", case["mira"].run("balance", case.case).out)
        self.assertIn("only mediator", case["ana"].refused("balance", case.case))
        # Who comes later learns who has it, and is held as well.
        case.add(NORA)
        self.everybody_syncs()
        self.everybody_syncs()
        self.assertTrue(case["nora"].objects("send", case.case, "joint", "Hello.")[0]["held"])
        case["tomas"].run("floor", "give", case.case, "all")
        self.everybody_syncs()
        self.assertIn("Hello.", [one["text"] for one in case["ana"].read("joint")])

    def test_issues_and_what_stays_with_a_side(self):
        case = self.case
        proposed = self.made("ana", "issues", "add", "The gearbox")
        listed = self.made("mira", "issues", "add", "The price")
        self.assertIn("only mediator", self.refused("ben", "issues", "admit", proposed[:8]))
        self.made("tomas", "issues", "admit", proposed[:8])
        self.made("tomas", "issues", "reword", proposed[:8], "The gearbox's defects")
        self.assertEqual([one["text"] for one in self.objects("ben", "issues", "show")],
                         ["The gearbox's defects", "The price"])
        before = case["ben"].run("read", case.case, "joint").out
        self.made("ana", "issues", "rank", listed[:8], proposed[:8])
        self.everybody_syncs()
        self.assertEqual(case["ben"].run("read", case.case, "joint").out, before)
        self.assertEqual(self.objects("ben", "issues", "rankings"), [])
        for key in ("mira", "tomas", "ana", "lee"):
            self.assertEqual(self.objects(key, "issues", "rankings")[0]["texts"],
                             ["The price", "The gearbox's defects"], key)
        self.made("mira", "issues", "drop", proposed[:8])
        self.assertEqual(len(self.objects("ben", "issues", "show")), 1)

    def test_quotes_and_retractions(self):
        case = self.case
        said = case["ana"].made("send", case.case, "joint", "A rash word.")
        case["ben"].made("send", case.case, "joint", "Really?", "--quote", said[:12])
        self.assertIn("> Ana Ruiz", case["mira"].run("read", case.case, "joint").out)
        confided = case["ana"].made("send", case.case, "caucus", "Between us.")
        refusal = case["mira"].refused("send", case.case, "joint", "See.", "--quote", confided)
        self.assertIn("Ana Ruiz said that in caucus:Harbor", refusal)
        self.assertIn("only Ana Ruiz", case["ben"].refused("retract", case.case, "joint", said))
        case["ana"].made("retract", case.case, "joint", said[:12])
        for key in ("mira", "ben", "ana"):
            out = case[key].run("read", case.case, "joint").out
            self.assertNotIn("A rash word.", out)
            self.assertIn("[retracted]", out)
        quote = case["mira"].read("joint")[-1]["quote"][0]
        self.assertTrue(quote["retracted"])
        self.assertEqual(quote["text"], "")


if __name__ == "__main__":
    testing.main()
