#!/usr/bin/env python3
"""What people are told when they misspell, ask for something ambiguous, or have no relay."""
import os
import time

from lib import testing
from lib.mediation import ANA, BEN, TITLE, Part
from lib.profile import Profile


class GuidanceTest(testing.ProgramTest):
    def test_a_misspelt_side_joins_the_one_that_is_meant(self):
        case = self.mediation().open()
        case.add(ANA)
        for number, side in enumerate(("harbor", "HARBOR ", "\uff28arbor")):
            case.add(Part(f"p{number}", f"Person {number}", "party", side))
        self.assertEqual(sorted(case["mira"].channels()), ["caucus:Harbor", "joint", "neutrals"])
        invite = ("case", "invite", case.case, "--name", "X", "--role", "party", "--side")
        self.assertIn('This opens a new side "harbour"; this case has "Harbor".',
                      case["mira"].run(*invite, "harbour").out)
        told = case["mira"].objects("case", "invite", case.case, "--name", "Y", "--role", "party",
                                    "--side", "HARBOR")[0]
        self.assertEqual((told["side"], told["new_side"]), ("Harbor", False))

    def test_several_caucuses_are_named(self):
        case = self.mediation().open()
        case.add(ANA, BEN)
        refusal = case["mira"].refused("send", case.case, "caucus", "to whom?")
        self.assertIn("write caucus:SIDE: caucus:Harbor, caucus:Northline", refusal)

    def test_where_a_document_goes(self):
        case = self.mediation().open()
        mira = case["mira"]
        mira.share("joint", self.write("a.txt", b"abc"))
        there = self.write("there", b"mine")
        fetch = ("fetch", case.case, "joint", "a.txt", "-o")
        self.assertIn("--force", mira.refused(*fetch, there))
        self.assertIn("is a folder", mira.refused(*fetch, self.work, "--force"))
        refusal = mira.refused(*fetch, self.path("none", "a.txt"))
        self.assertIn(f'no folder "{self.path("none")}"', refusal)
        self.assertNotIn("part", refusal)
        standard_output = mira.attempt(*fetch, "-")
        self.assertEqual(standard_output.status, 2)
        self.assertIn("name a file", standard_output.err)

    def test_without_a_relay(self):
        case = self.mediation().open()
        mira = case["mira"]
        path = self.write("a.txt", b"abc")
        case.relay.kill()
        started = time.monotonic()
        read = mira.run("read", case.case, "joint")
        self.assertIn("relay runs. Showing what was received before.", read.err)
        sent = mira.run("send", case.case, "joint", "later")
        self.assertNotIn("Showing", sent.err)
        self.assertLess(time.monotonic() - started, 4, "it waits too long for who isn't there")
        self.assertIn("Nothing was shared; run the same command again later",
                      mira.refused("share", case.case, "joint", path))

    def test_who_was_removed_is_no_reader(self):
        case = self.mediation().open()
        case.add(ANA)
        case["mira"].run("case", "remove", case.case, ANA.name)
        case["ana"].run("sync")
        shown = case["ana"].run("channels", case.case).out
        self.assertIn("was read, until you were removed, by", shown)
        self.assertNotIn("    read by", shown)

    def test_what_a_person_overlooks(self):
        case = self.mediation().open()
        mira = case["mira"]
        self.assertIn("blank", mira.refused("send", case.case, "joint", " \u3000\n"))
        passphrase = self.write("passphrase", b"none needed\n")
        self.assertIn("has no passphrase",
                      mira.run("--passphrase-file", passphrase, "whoami").err)
        self.assertEqual([one["case"] for one in mira.objects("whoami")[0]["cases"]], [case.case])
        again = mira.run("case", "create", TITLE, "--relay",
                         case.relay.add_sponsor("another"))
        self.assertIn("you have several cases", again.err)
        shown = mira.run("whoami").out
        for one in (case.case, again.last_line):
            self.assertIn(f'in "{TITLE}" (approved)  [{one[:8]}]\n', shown)

    def test_a_warning_about_an_invitation_is_settled(self):
        case = self.mediation().open()
        mira = case["mira"]
        invitation = case.invite(ANA)
        case.join(ANA, invitation)
        mira.run("sync")

        def reused(number):
            case.profile(Part(f"thief{number}", f"Thief {number}", "party")).refused(
                "join", invitation)
            self.assertIn("was used a second time", mira.run("sync").err)
            # A relay that makes each sync fail doesn't keep it back.
            case.relay.stop()
            self.assertIn("was used a second time", mira.refused("sync"))
            case.relay.start()

        def warned():
            return [one["warning"] for one in mira.objects("warnings", case.case)
                    if one["warning"] == "invitation used twice"]

        reused(1)
        self.assertEqual(len(warned()), 1)
        mira.run("case", "compare", case.case, ANA.name,
                 mira.participants()[ANA.name]["safety_number"])
        self.assertEqual(warned(), [])
        self.assertIn("settled: ", mira.run("case", "participants", case.case).out)
        reused(2)
        self.assertEqual(len(warned()), 1)
        self.assertIn("used", mira.run("warnings", case.case, "--seen").out)
        self.assertEqual(warned(), [])
        history = mira.participants()[ANA.name]
        self.assertEqual((len(history["settled_alarms"]), history["alarms"]), (2, []))

    def test_a_folder_with_other_things_is_left_alone(self):
        folder = self.path("documents")
        os.mkdir(folder)
        os.chmod(folder, 0o755)
        self.write(os.path.join("documents", "letter.txt"), b"mine")
        refusal = Profile(self.programs, folder, "Mira").refused("init", "--name", "Mira")
        self.assertIn("holds other things", refusal)
        self.assertEqual((os.listdir(folder), os.stat(folder).st_mode & 0o777),
                         (["letter.txt"], 0o755))


if __name__ == "__main__":
    testing.main()
