#!/usr/bin/env python3
"""Nothing of a caucus reaches anyone outside it; who left reads nothing later, who came nothing
earlier; only neutrals decide who takes part."""
from lib import testing
from lib.mediation import ANA, BEN, KIM, LEE, SHAH, TOMAS
from lib.views import search_view, words_found
from lib.watching import Watching

HARBOR = "caucus:Harbor"
NORTHLINE = "caucus:Northline"


class CaucusTest(testing.ProgramTest):
    def test_what_is_said_in_a_caucus_stays_in_it(self):
        case = self.mediation().open()
        case.add(TOMAS, ANA, BEN)
        case["ana"].send(HARBOR, "CANARYHARBOR text")
        case["ana"].share(HARBOR, self.write("CANARYHARBOR.txt", b"CANARYHARBOR document"))
        case["ben"].send(NORTHLINE, "CANARYNORTHLINE text")
        case["mira"].send("neutrals", "CANARYNEUTRALS text")
        words = ["CANARYHARBOR", "CANARYNORTHLINE", "CANARYNEUTRALS"]
        for key, seen in (("mira", words), ("tomas", words), ("ana", words[:1]),
                          ("ben", words[1:2])):
            found = words_found(search_view(case[key], words, self.work))
            self.assertEqual(found, set(seen), key)

    def test_the_other_caucus_is_not_even_named(self):
        case = self.mediation().open()
        case.add(ANA, BEN)
        self.assertEqual(set(case["ana"].channels()), {"joint", HARBOR})
        self.assertEqual(set(case["ben"].channels()), {"joint", NORTHLINE})
        for name in (NORTHLINE, "neutrals"):
            refusals = [case["ana"].refused("read", case.case, name),
                        case["ana"].refused("send", case.case, name, "hello"),
                        case["ana"].refused("documents", case.case, name)]
            # The same words as for a channel that there can't be.
            nonsense = case["ana"].refused("read", case.case, "caucus:Nowhere")
            self.assertEqual(refusals[0].replace(name, "X"),
                             nonsense.replace("caucus:Nowhere", "X"))
        shown = case["ana"].run("channels", case.case, "--json").out
        self.assertNotIn("caucus:Northline", shown)
        self.assertNotIn("neutrals", shown)

    def test_nothing_happens_on_the_other_sides_screen(self):
        case = self.mediation().open()
        case.add(ANA, BEN)
        watching = Watching(case["ana"], "--json").wait_for('"connected"')
        case["ben"].send(NORTHLINE, "CANARYNORTHLINE one")
        case["ben"].share(NORTHLINE, self.write("CANARYNORTHLINE.txt", b"x" * 5000))
        case["mira"].send("neutrals", "CANARYNEUTRALS")
        case["mira"].send("joint", "for all")
        events = watching.wait_for("for all").stop_and_parse()
        after = events[[event["event"] for event in events].index("connected") + 1:]
        self.assertEqual([(event["event"], event["text"]) for event in after],
                         [("message", "for all")])

    def test_a_side_hears_its_own_caucus_and_knows_who_reads(self):
        case = self.mediation().open()
        case.add(ANA, LEE, BEN)
        case["lee"].send(HARBOR, "to my side")
        self.assertEqual(case["ana"].texts(HARBOR), ["to my side"])
        readers = {reader["name"] for reader in case["ana"].channels()[HARBOR]["readers"]}
        self.assertEqual(readers, {"Mira Voss", ANA.name, LEE.name})
        sent = case["ana"].run("send", case.case, HARBOR, "who hears me?").out
        self.assertIn("Mira Voss", sent)
        self.assertIn(LEE.name, sent)
        self.assertNotIn(BEN.name, sent)


class MembershipTest(testing.ProgramTest):
    def test_who_waits_sees_nothing(self):
        case = self.mediation().open()
        case.add(ANA)
        case["ana"].send("joint", "before Shah")
        case.join(SHAH, case.invite(SHAH))
        self.assertEqual(case["shah"].channels(), {})
        case["shah"].refused("read", case.case, "joint")
        case["shah"].refused("send", case.case, "joint", "may I?")
        case["mira"].run("case", "remove", case.case, SHAH.name)
        case["shah"].run("sync")
        self.assertEqual(case["shah"].channels(), {})

    def test_who_is_removed_reads_nothing_later_and_who_comes_nothing_earlier(self):
        case = self.mediation().open()
        case.add(ANA, LEE)
        for channel in ("joint", HARBOR):
            case["ana"].send(channel, "CANARYEARLY " + channel)
        case["ana"].share(HARBOR, self.write("early.txt", b"CANARYEARLY document"))
        case["lee"].run("sync")
        case["mira"].run("case", "remove", case.case, LEE.name)
        case.add(KIM)
        for channel in ("joint", HARBOR):
            case["ana"].send(channel, "CANARYLATE " + channel)
        late = case["ana"].share(HARBOR, self.write("late.txt", b"CANARYLATE document"))
        words = ["CANARYEARLY", "CANARYLATE"]
        self.assertEqual(words_found(search_view(case["lee"], words, self.work)), {"CANARYEARLY"})
        self.assertEqual(words_found(search_view(case["kim"], words, self.work)), {"CANARYLATE"})
        case["lee"].refused("fetch", case.case, HARBOR, late, "-o", self.path("stolen"))
        case["lee"].refused("send", case.case, HARBOR, "still here?")
        readers = {reader["name"] for reader in case["ana"].channels()[HARBOR]["readers"]}
        self.assertEqual(readers, {"Mira Voss", ANA.name, KIM.name})

    def test_only_neutrals_decide_who_takes_part(self):
        case = self.mediation().open()
        case.add(ANA, BEN)
        case["ana"].refused("case", "invite", case.case, "--name", "Eve", "--role", "party",
                            "--side", "Harbor")
        case["ana"].refused("case", "remove", case.case, BEN.name)
        case.join(SHAH, case.invite(SHAH))
        case["ana"].refused("case", "approve", case.case, SHAH.name)
        self.assertEqual(case["ana"].channels().keys(), {"joint", HARBOR})
        case.approve(SHAH)
        self.assertEqual(case["shah"].channels().keys(), {"joint", NORTHLINE})

    def test_who_leaves_is_out(self):
        case = self.mediation().open()
        case.add(ANA, LEE)
        case["lee"].run("case", "leave", case.case)
        case["mira"].run("sync")
        case["ana"].send(HARBOR, "CANARYLATE")
        self.assertNotIn("CANARYLATE", case["lee"].run("read", case.case, HARBOR).out)
        case["lee"].refused("send", case.case, HARBOR, "one more thing")
        readers = {reader["name"] for reader in case["ana"].channels()[HARBOR]["readers"]}
        self.assertEqual(readers, {"Mira Voss", ANA.name})
        self.assertEqual(case["mira"].participants()[LEE.name]["state"], "left")


if __name__ == "__main__":
    testing.main()
