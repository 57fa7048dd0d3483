#!/usr/bin/env python3
"""The record with the real programs: a search shows what its profile may read, and where from; two
people's timelines of a channel are the same, and a broken chain is told with status 1."""
import json
import os
import sqlite3

from lib import testing
from lib.mediation import ANA, BEN, LEE, SHAH, TOMAS

HARBOR = "caucus:Harbor"
NORTHLINE = "caucus:Northline"
SECRET = "CANARY-H: our floor is 690 thousand, and the covenant falls due on 30 June."


def lines_of(person, *arguments):
    return person.run("case", "timeline", "--json", person.case, *arguments).out.splitlines()


def events_of(person, channel):
    return [line for line in lines_of(person)
            if json.loads(line).get("channel") == channel and "event" in json.loads(line)]


class RecordTest(testing.ProgramTest):
    def setUp(self):
        super().setUp()
        self.case = self.mediation().open()
        self.case.add(TOMAS, ANA)
        self.mira, self.ana = self.case["mira"], self.case["ana"]

    def sync(self, *keys):
        for _ in range(2):
            for key in keys:
                self.case[key].run("sync")

    def test_search(self):
        self.case.add(BEN)
        ben = self.case["ben"]
        self.ana.send(HARBOR, SECRET)
        ben.send(NORTHLINE, "Zahlung binnen 30 Tagen, Übergabe in 東京都.")
        self.ana.share("joint", self.write("Übergabeplan.txt", b"plan"))
        self.sync("mira", "ana", "ben")
        found = self.mira.objects("search", "UBERGABE")
        self.assertEqual({(one["channel"], one["kind"]) for one in found},
                         {(NORTHLINE, "text"), ("joint", "document")})
        one = self.mira.objects("search", "京都")[0]
        self.assertEqual((one["author"], one["channel"]), (BEN.name, NORTHLINE))
        self.assertIn(BEN.name, {reader["name"] for reader in one["readers"]})
        self.assertNotIn(ANA.name, {reader["name"] for reader in one["readers"]})
        text = self.mira.run("search", "floor cov").out
        for part in (HARBOR, ANA.name, "690 thousand", "[read by "):
            self.assertIn(part, text)
        self.assertEqual(ben.objects("search", "covenant"), [])
        self.assertIn("Nothing was found", ben.run("search", "covenant").out)
        case = self.case.case
        self.assertEqual(self.mira.objects("search", "--case", case, "--channel", "joint", "floor"), [])
        self.assertEqual(len(self.mira.objects("search", "--case", case, "30")), 2)
        self.assertEqual(len(self.mira.objects("search", "--limit", 1, "30")), 1)
        self.assertIn("no word", self.mira.refused("search", "..."))
        # What was found is the same text to the firewall.
        excerpt = self.mira.objects("search", "floor")[0]["excerpt"]
        refusal = self.mira.refused("send", case, NORTHLINE, "They say: " + excerpt)
        for named in (ANA.name, HARBOR, BEN.name):
            self.assertIn(named, refusal)

    def test_the_index_shows_no_words(self):
        self.ana.send("joint", "CANARYHARBOR " * 50)
        for i in range(40):
            self.ana.send("joint", f"CANARYHARBOR {i}")
        self.assertEqual(len(self.ana.objects("search", "--limit", 100, "canaryharbor")), 41)
        for name in os.listdir(self.ana.folder):
            with open(os.path.join(self.ana.folder, name), "rb") as file:
                content = file.read().lower()
            self.assertNotIn(b"canaryharbor", content, name)

    def test_timelines_are_the_same(self):
        self.ana.send("joint", SECRET)
        self.case.add(BEN)
        ben = self.case["ben"]
        self.ana.send(HARBOR, SECRET)
        ben.send("joint", "Good morning.")
        ben.share("joint", self.write("CANARY-H.pdf", bytes(5000)))
        self.case.add(LEE, SHAH)
        self.case["lee"].send("joint", "Good morning to all.")
        self.sync("mira", "tomas", "ana", "ben", "lee", "shah")
        views = {key: events_of(self.case[key], "joint")
                 for key in ("mira", "tomas", "ana", "ben", "lee", "shah")}
        for events in views.values():
            self.assertTrue(events)
            for other in views.values():
                shorter = min(len(events), len(other))
                self.assertEqual(events[-shorter:], other[-shorter:])
        self.assertGreater(len(views["mira"]), len(views["lee"]))
        for key in ("ben", "shah"):
            shown = "\n".join(lines_of(self.case[key])) + self.case[key].run(
                "case", "timeline", self.case.case).out
            self.assertNotIn(HARBOR, shown)
            self.assertNotIn("CANARY", shown)
        kinds = {json.loads(line)["kind"] for line in lines_of(self.mira)}
        self.assertLessEqual({"chain", "event"}, kinds)
        self.assertLessEqual(kinds, {"chain", "event", "judged", "warning"})
        shown = self.mira.run("case", "timeline", self.case.case).out
        for part in ("joint", HARBOR, f"let in {BEN.name}", "said something", "shared a document"):
            self.assertIn(part, shown)

    def test_a_broken_chain_is_told(self):
        self.ana.send("joint", "one")
        self.ana.send("joint", "two")
        self.sync("mira", "ana")
        self.assertIn("are whole", self.mira.run("case", "timeline", "--verify", self.case.case).out)
        whole = self.mira.objects("case", "timeline", "--verify", self.case.case)
        self.assertTrue(all(chain["whole"] for chain in whole))
        # Rows swapped, as by somebody who has the file and not the key.
        path = os.path.join(self.mira.folder, "profile.db")
        database = sqlite3.connect(path)
        rows = database.execute("SELECT name, value FROM record ORDER BY name").fetchall()
        broken = 0
        for (name, value), (_, other) in zip(rows, rows[1:]):
            if len(value) == len(other) or broken >= 3:
                continue
            database.execute("UPDATE record SET value = ? WHERE name = ?", (other, name))
            database.commit()
            outcome = self.mira.attempt("case", "timeline", "--verify", "--offline", self.case.case)
            broken += outcome.status == 1 and "is broken at" in outcome.out
            self.assertIn(outcome.status, (0, 1), outcome.err)
            database.execute("UPDATE record SET value = ? WHERE name = ?", (value, name))
            database.commit()
        database.close()
        self.assertGreater(broken, 0)
        self.mira.run("case", "timeline", "--verify", self.case.case)


if __name__ == "__main__":
    testing.main()
