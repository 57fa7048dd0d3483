#!/usr/bin/env python3
"""Documents with the real programs: versions, classes, withdrawal, several at once, and briefs that are
exchanged when all are in."""
import os

from lib import testing
from lib.mediation import ANA, BEN, LEE

HARBOR = "caucus:Harbor"


class DocumentsTest(testing.ProgramTest):
    def setUp(self):
        super().setUp()
        self.case = self.mediation().open()
        self.case.add(ANA, BEN)
        self.everybody_syncs()
        self.everybody_syncs()

    def everybody_syncs(self):
        for key in self.case.people:
            self.case[key].run("sync")

    def file(self, name, text):
        path = self.path(name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        return path

    def content(self, key, channel, document, *options):
        target = self.path("fetched")
        self.case[key].run("fetch", self.case.case, channel, document, "-o", target, "--force", *options)
        with open(target, encoding="utf-8") as file:
            return file.read()

    def test_versions_classes_and_withdrawal(self):
        case, ana, ben = self.case.case, self.case["ana"], self.case["ben"]
        first = ana.made("share", case, "joint", self.file("draft.txt", "one"), "--class", "settlement")
        ana.made("share", case, "joint", self.file("draft.txt", "two"), "--version-of", first,
                 "--note", "with the schedule")
        listed = ben.objects("documents", case, "joint")
        self.assertEqual([(one["version"], one["class"], one["document_note"]) for one in listed if
                          one["version"] == one["versions"]], [(2, "settlement", "with the schedule")])
        shown = ben.run("documents", case, "joint", "--versions").out
        self.assertIn("version 1, settlement", shown)
        self.assertIn("version 2, settlement", shown)
        self.assertIn("with the schedule", shown)
        # Of the latest document the earlier version stands between it and the one before.
        self.assertEqual(ben.objects("documents", case, "joint", "--last", "1"),
                         [one for one in listed if one["version"] == 2])
        self.assertEqual(ben.objects("documents", case, "joint", "--last", "9"), listed)
        last = ben.objects("documents", case, "joint", "--versions", "--last", "1")
        self.assertEqual([one["version"] for one in last], [2])
        both = ben.objects("documents", case, "joint", "--versions", "--last", "2")
        self.assertEqual([one["version"] for one in both], [1, 2])
        self.assertEqual(self.content("ben", "joint", "draft.txt", "--version", "1"), "one")
        self.assertEqual(self.content("ben", "joint", "draft.txt"), "two")
        self.assertIn("no version 3", ben.refused("fetch", case, "joint", "draft.txt", "--version", "3",
                                                  "-o", self.path("none")))
        self.assertIn("document: only their side", ben.refused(
            "share", case, "joint", self.file("mine.txt", "mine"), "--version-of", first))
        self.assertIn("who shared it here, can withdraw it", ben.refused("withdraw", case, "joint", first))
        ana.run("withdraw", case, "joint", first)
        self.assertIn("it was withdrawn", ben.refused("fetch", case, "joint", first, "-o",
                                                      self.path("none")))
        self.assertIn("settlement, withdrawn", ben.run("documents", case, "joint", "--versions").out)

    def test_withdrawing_by_name_takes_all_versions(self):
        case, ana, ben = self.case.case, self.case["ana"], self.case["ben"]
        first = ana.made("share", case, "joint", self.file("terms.txt", "one"))
        for text in ("two", "three"):
            ana.made("share", case, "joint", self.file("terms.txt", text), "--version-of", "terms.txt")
        said = ana.run("withdraw", case, "joint", "terms.txt", "--version", "2").out
        self.assertIn("version 2, is withdrawn", said)
        for number in ("1", "3"):
            self.assertIn("Version %s of it can still be fetched" % number, said)
        self.assertEqual(self.content("ben", "joint", "terms.txt", "--version", "1"), "one")
        done = ana.objects("withdraw", case, "joint", "terms.txt")
        self.assertEqual([(one["version"], one["queued"]) for one in done], [(1, False), (3, False)])
        for which in (("terms.txt",), ("terms.txt", "--version", "1"), (first,)):
            self.assertIn("it was withdrawn", ben.refused("fetch", case, "joint", *which, "-o",
                                                          self.path("none")))
        self.assertIn("has been withdrawn already", ana.refused("withdraw", case, "joint", "terms.txt"))

    def test_withdrawing_by_name_leaves_a_colleagues_version(self):
        self.case.add(LEE)
        self.everybody_syncs()
        self.everybody_syncs()
        case, ana, lee, ben = self.case.case, self.case["ana"], self.case["lee"], self.case["ben"]
        ana.made("share", case, "joint", self.file("terms.txt", "one"))
        lee.made("share", case, "joint", self.file("terms.txt", "two"), "--version-of", "terms.txt")
        outcome = ana.attempt("withdraw", case, "joint", "terms.txt")
        self.assertEqual(outcome.status, 1)
        self.assertIn('"terms.txt", version 1, is withdrawn from joint', outcome.out)
        self.assertNotIn("version 2", outcome.out)
        self.assertIn('not withdrawn of "terms.txt", version 2: only ' + LEE.name, outcome.err)
        self.assertEqual(self.content("ben", "joint", "terms.txt"), "two")
        self.assertIn("it was withdrawn", ben.refused("fetch", case, "joint", "terms.txt", "--version", "1",
                                                      "-o", self.path("none")))
        # Nor does Lee's withdrawal name Ana's, which is gone already, as left.
        self.assertIn('"terms.txt", version 2, is withdrawn', lee.run("withdraw", case, "joint", "terms.txt").out)

    def test_of_several_of_one_name_none_is_withdrawn(self):
        case, ana = self.case.case, self.case["ana"]
        ids = [ana.made("share", case, "joint", self.file("plan.txt", text)) for text in ("one", "two")]
        for command in (("withdraw", case, "joint", "plan.txt"),
                        ("share", case, "joint", self.file("new.txt", "new"), "--version-of", "plan.txt")):
            refusal = ana.refused(*command)
            self.assertIn('"plan.txt" fits several', refusal)
            for one in ids:
                self.assertIn(one[:8], refusal)
        ana.run("withdraw", case, "joint", ids[0][:10])
        self.assertEqual(self.content("ben", "joint", "plan.txt"), "two")
        # One that can be meant is left.
        self.assertIn('"plan.txt" is withdrawn', ana.run("withdraw", case, "joint", "plan.txt").out)

    def test_a_version_of_another_name_does_not_hide_its_document(self):
        case, ana = self.case.case, self.case["ana"]
        ids = [ana.made("share", case, "joint", self.file("offer.txt", text)) for text in ("b", "a")]
        ana.made("share", case, "joint", self.file("offer-2.txt", "a2"), "--version-of", ids[1])
        self.assertIn('"offer.txt" fits several', ana.refused("withdraw", case, "joint", "offer.txt"))
        self.assertIn("has no version 0", ana.refused("withdraw", case, "joint", ids[0], "--version", "0"))
        self.assertEqual(self.content("ben", "joint", ids[0]), "b")

    def test_folders_and_transfers(self):
        case, ana = self.case.case, self.case["ana"]
        for name in ("a.txt", "b.txt", "more/c.txt", ".hidden"):
            self.file("annexes/" + name, "content of " + name)
        ana.run("share", case, "joint", self.path("annexes"),
                self.file("d.txt", "content of d.txt"), "--class", "financial")
        listed = self.case["ben"].objects("documents", case, "joint")
        self.assertEqual(sorted(one["name"] for one in listed),
                         ["a.txt", "b.txt", "d.txt", "more - c.txt"])
        self.assertEqual({one["class"] for one in listed}, {"financial"})
        self.assertEqual(self.content("ben", "joint", "more - c.txt"), "content of more/c.txt")
        self.assertIn("can't be read", ana.refused(
            "share", case, "joint", self.path("d.txt"), self.path("no.txt")))
        self.assertEqual(len(self.case["ben"].objects("documents", case, "joint")), 4)
        self.assertEqual(ana.objects("transfers"), [])
        self.assertIn("no transfer", ana.refused("transfers", "pause", "abcd"))

    def test_briefs(self):
        case, mira, ana, ben = self.case.case, self.case["mira"], self.case["ana"], self.case["ben"]
        ana.made("brief", "submit", case, self.file("harbor.txt", "our story"))
        self.assertIn("no exchanged brief from Northline", mira.refused("brief", "release", case))
        self.assertIn("No briefs", ben.run("brief", "list", case).out)
        ben.made("brief", "submit", case, self.file("private.txt", "for you"), "--mediator-only")
        self.assertIn("no exchanged brief from Northline", mira.refused("brief", "release", case))
        ben.made("brief", "submit", case, self.file("northline.txt", "another story"), "--exchanged")
        self.assertIn("All sides have handed theirs in", mira.run("brief", "list", case).out)
        self.assertEqual([one["kind"] for one in mira.objects("brief", "list", case)],
                         ["brief"] * 3 + ["standing"])
        self.assertEqual(ana.objects("documents", case, "joint"), [])
        mira.run("brief", "release", case)
        for key, name, text in (("ana", "northline.txt", "another story"), ("ben", "harbor.txt", "our story")):
            self.assertEqual(self.content(key, "joint", name), text)
        self.assertNotIn("private.txt", ana.run("brief", "list", case).out)
        kinds = [event.get("event") for event in ana.objects("case", "timeline", case)]
        self.assertIn("brief-release", kinds)


if __name__ == "__main__":
    testing.main()
