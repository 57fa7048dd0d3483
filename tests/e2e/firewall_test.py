#!/usr/bin/env python3
"""The caucus firewall with the real programs: a mediator's slips of the hand are refused, with the
channel and the people named, and nothing of them leaves the machine."""
import glob
import os
import time
import zipfile

from lib import testing
from lib.mediation import ANA, BEN, LEE, SHAH, TOMAS

HARBOR = "caucus:Harbor"
NORTHLINE = "caucus:Northline"
SECRET = "CANARY-H: our floor is 690 thousand, and the covenant falls due on 30 June."
CEILING = "CANARY-N: ceiling 715 thousand."


class FirewallTest(testing.ProgramTest):
    def setUp(self):
        super().setUp()
        self.case = self.mediation().open()
        self.case.add(TOMAS, ANA, LEE, BEN, SHAH)
        self.mira = self.case["mira"]

    def assert_nothing_went_out(self, *people):
        for key in people:
            for channel in self.case[key].channels():
                shown = str(self.case[key].read(channel))
                if channel not in (HARBOR,):
                    self.assertNotIn("CANARY-H", shown, f"{key} {channel}")
                self.assertNotIn("holiday", shown, f"{key} {channel}")

    def test_words_are_held_back(self):
        self.case["ana"].send(HARBOR, SECRET)
        self.case["ben"].send(NORTHLINE, CEILING)
        for channel in (NORTHLINE, "joint"):
            refusal = self.mira.refused("send", self.case.case, channel,
                                        "Between us: OUR FLOOR IS 690 THOUSAND; and the covenant "
                                        "falls due on... 30 June")
            for named in (ANA.name, "Harbor", HARBOR, BEN.name, SHAH.name):
                self.assertIn(named, refusal)
            self.assertNotIn("690", refusal)
        refusal = self.mira.refused("send", self.case.case, HARBOR, "canary n - ceiling 715 THOUSAND")
        self.assertIn(BEN.name, refusal)
        self.assertIn(NORTHLINE, refusal)
        refusal = self.case["tomas"].refused("send", self.case.case, "joint", "-", text=SECRET)
        self.assertIn(ANA.name, refusal)
        self.assert_nothing_went_out("mira", "ben", "shah")
        # Back where it came from, and among the neutrals, it may be said.
        self.mira.send(HARBOR, f"You said: {SECRET}")
        self.mira.send("neutrals", SECRET)
        self.mira.send(NORTHLINE, "Fast payment matters.")

    def test_documents_are_held_back(self):
        secret = self.write("damages.jpg", os.urandom(3_000_000))
        self.case["ana"].share(HARBOR, secret)
        with open(secret, "rb") as file:
            content = file.read()
        renamed = self.write("holiday.jpg", content)
        packed = self.path("holiday.zip")
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("readme.txt", "pictures")
            archive.writestr("summer/holiday.jpg", content)
        twice = self.path("holiday.docx")
        with zipfile.ZipFile(twice, "w") as archive:
            archive.write(packed, "word/media/holiday.zip")
        for path in (renamed, packed, twice):
            refusal = self.mira.refused("share", self.case.case, NORTHLINE, path)
            for named in ("damages.jpg", ANA.name, HARBOR, BEN.name, SHAH.name):
                self.assertIn(named, refusal)
        self.assert_nothing_went_out("mira", "ben", "shah")
        self.assertEqual(self.case["ben"].objects("documents", self.case.case, NORTHLINE), [])
        other = self.write("other.jpg", content[:-1])  # another file is another file
        self.mira.share(NORTHLINE, other)
        self.mira.share(HARBOR, renamed)

    def test_words_in_documents_are_held_back(self):
        self.case["ana"].send(HARBOR, SECRET)
        notes = self.write("notes.txt", f"Notes of today\n\n{SECRET}\n".encode())
        letter = self.path("letter.docx")
        with zipfile.ZipFile(letter, "w", zipfile.ZIP_DEFLATED) as archive:
            middle = len(SECRET) // 2
            archive.writestr("word/document.xml",
                             f"<w:t>{SECRET[:middle]}</w:t></w:r><w:r><w:t>{SECRET[middle:]}</w:t>")
        for path in (notes, letter):
            refusal = self.mira.refused("share", self.case.case, NORTHLINE, path)
            self.assertIn(ANA.name, refusal)
            self.assertNotIn("690", refusal)
        bomb = self.path("bomb.zip")
        with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("zeros", bytes(100 << 20))
        self.assertIn("MiB", self.mira.refused("share", self.case.case, NORTHLINE, bomb))
        self.assertEqual(self.case["ben"].objects("documents", self.case.case, NORTHLINE), [])

    def test_a_mediators_own_words_and_files_go_to_both_sides(self):
        plan = "I suggest that we meet on Tuesday at ten in the town hall, all of us."
        form = self.write("form.pdf", b"%PDF what we need of you\xff")
        for channel in (HARBOR, NORTHLINE):
            self.mira.send(channel, plan)
            self.mira.share(channel, form)
        self.case["ana"].send(HARBOR, SECRET)
        self.mira.send(HARBOR, f"I have written down: {SECRET}")
        self.assertIn(ANA.name, self.mira.refused("send", self.case.case, NORTHLINE,
                                                  f"I have written down: {SECRET}"))
        self.assert_nothing_went_out("ben", "shah")

    def test_a_slip_beside_leave(self):
        """Steps 7 and 8 of the story: exactly the authorised words arrive, and a slip doesn't."""
        case, ana, ben = self.case.case, self.case["ana"], self.case["ben"]
        ana.send(HARBOR, "CANARY-H: floor 690 thousand; covenant on 30 June. Fast payment matters.")
        item = ana.read(HARBOR)[-1]["position"]
        leave = ana.made("authorise", case, HARBOR, item, "--to", NORTHLINE,
                         "--words", "Fast payment matters.")
        slip = "They say: floor 690 thousand; covenant on 30 June. Fast payment matters."
        refusal = self.mira.refused("send", case, NORTHLINE, slip)
        for named in (ANA.name, HARBOR, BEN.name, SHAH.name):
            self.assertIn(named, refusal)
        self.mira.made("disclose", case, leave)
        received = [(one["kind"], one["text"]) for one in ben.read(NORTHLINE)]
        self.assertEqual(received, [("disclosure", "Fast payment matters.")])
        ben.send(NORTHLINE, "CANARY-N: ceiling 715 thousand. Nobody else may know.")
        refusal = self.mira.refused("send", case, HARBOR,
                                    "canary-n: ceiling 715 thousand. nobody else may know")
        self.assertIn(BEN.name, refusal)
        self.assertIn(NORTHLINE, refusal)
        self.mira.refused("send", case, "joint", slip)
        self.assert_nothing_went_out("ben", "shah")
        for key in ("ana", "lee"):
            self.assertNotIn("CANARY-N", str(self.case[key].read(HARBOR)))
        # Without a name.
        ana.send(HARBOR, "We would gladly keep the maintenance contract with them.")
        leave = ana.made("authorise", case, HARBOR, ana.read(HARBOR)[-1]["message"][:8], "--to",
                         "joint", "--anonymous")
        self.case["tomas"].made("disclose", case, leave)
        shown = ben.read("joint")[-1]
        self.assertEqual(shown["note"], f"attested by {TOMAS.name}, from a confidential caucus")
        self.assertNotIn("Ana", shown["note"] + shown["text"])

    def test_a_killed_disclosure_leaves_no_plaintext(self):
        """kill -9 in the download; whatever command comes next removes what it left."""
        case, ana = self.case.case, self.case["ana"]
        ana.share(HARBOR, self.write("damages.bin", os.urandom(60_000_000)))
        leave = ana.made("authorise", case, HARBOR, ana.read(HARBOR)[-1]["position"], "--to",
                         NORTHLINE)
        self.mira.run("sync")
        process = self.mira.start("disclose", case, leave)

        def parts():
            return glob.glob(os.path.join(self.mira.folder, "disclosing-*"))
        while process.poll() is None and not any(os.stat(part).st_size for part in parts()):
            time.sleep(0.002)
        process.kill()
        process.communicate()
        self.assertEqual(len(parts()), 1)
        ana.made("revoke", case, leave)
        self.assertIn("revoked", self.mira.refused("disclose", case, leave))
        self.assertEqual(parts(), [])
        self.assertNotIn("disclosure", [one["kind"] for one in self.case["ben"].read(NORTHLINE)])

    def test_a_document_with_leave(self):
        case, ana, ben = self.case.case, self.case["ana"], self.case["ben"]
        bytes_ = os.urandom(3_000_000)
        ana.share(HARBOR, self.write("damages.xlsx", bytes_))
        item = ana.read(HARBOR)[-1]["position"]
        self.assertIn("as a whole", ana.refused("authorise", case, HARBOR, item, "--to", NORTHLINE,
                                                "--words", "damages"))
        leave = ana.made("authorise", case, HARBOR, item, "--to", NORTHLINE, "--until", "2d")
        listed = self.mira.objects("authorisations", case)[0]
        self.assertEqual((listed["document"], listed["words"], listed["state"]),
                         ("damages.xlsx", "", "open"))
        self.mira.refused("share", case, NORTHLINE, self.write("carried.xlsx", bytes_))
        self.mira.made("disclose", case, leave)
        shown = ben.read(NORTHLINE)[-1]
        self.assertEqual((shown["kind"], shown["name"], shown["size"]),
                         ("disclosure", "damages.xlsx", len(bytes_)))
        self.assertIn(f"from {ANA.name} in confidence", shown["note"])
        target = self.path("fetched.xlsx")
        ben.fetch(NORTHLINE, "damages.xlsx", target)
        with open(target, "rb") as file:
            self.assertEqual(file.read(), bytes_)
        self.assertEqual(glob.glob(os.path.join(self.mira.folder, "disclosing-*")), [])
        self.assertEqual(self.case["tomas"].read(NORTHLINE)[-1]["refused"], False)
        # It is still Ana's: nobody carries it on by hand.
        self.mira.refused("share", case, "joint", self.write("again.xlsx", bytes_))

    def test_telling_with_leave(self):
        case, ana = self.case.case, self.case["ana"]
        ana.send(HARBOR, f"{SECRET} Fast payment matters to us.")
        item = ana.read(HARBOR)[-1]
        for words, audience, named in (("slow payment", NORTHLINE, "exactly"),
                                       ("Fast payment", "caucus:Nobody", NORTHLINE)):
            self.assertIn(named, ana.refused("authorise", case, HARBOR, item["position"], "--to",
                                             audience, "--words", words))
        given = ana.made("authorise", case, HARBOR, item["position"], "--to", NORTHLINE,
                         "--words", "Fast payment matters", "--until", "2d")
        taken_back = ana.made("authorise", case, HARBOR, item["message"], "--to", "joint",
                              "--anonymous")
        self.assertEqual([one["state"] for one in self.mira.objects("authorisations", case)],
                         ["open", "open"])
        self.mira.made("disclose", case, given[:8])
        disclosed = self.case["ben"].read(NORTHLINE)[-1]
        self.assertEqual(disclosed["kind"], "disclosure")
        self.assertEqual(disclosed["text"], "Fast payment matters")
        self.assertEqual(disclosed["note"],
                         f"attested by Mira Voss, from {ANA.name} in confidence, with leave")
        self.assertFalse(disclosed["refused"])
        self.assertIn("[attested by Mira Voss", self.case["shah"].run("read", case, NORTHLINE).out)
        for key in ("mira", "tomas"):
            self.assertIn("used by Mira Voss", self.case[key].refused("disclose", case, given))
        self.assertIn("used", ana.refused("revoke", case, given))
        ana.made("revoke", case, taken_back)
        self.assertIn("revoked", self.case["tomas"].refused("disclose", case, taken_back))
        states = {one["authorisation"]: (one["state"], one["used_by"])
                  for one in ana.objects("authorisations", case)}
        self.assertEqual(states, {given: ("used", "Mira Voss"), taken_back: ("revoked", "")})
        self.assertIn("uses authorisation", ana.run("read", case, HARBOR).out)
        self.assertNotIn("refused", self.case["tomas"].run("warnings", case, "--json").out)
        self.assertNotIn("CANARY-H", str(self.case["ben"].read(NORTHLINE)))
        self.assertNotIn("CANARY-H", str(self.case["ben"].read("joint")))


if __name__ == "__main__":
    testing.main()
