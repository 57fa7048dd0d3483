#!/usr/bin/env python3
"""Meetings with their files, reminders, what waits for somebody, with the real programs."""
import os
import re

from lib import testing
from lib.mediation import ANA, BEN, LEE, MIRA, TOMAS

WHEN = ("--start", "2036-12-04 10:00", "--zone", "Europe/Zurich")


class CalendarTest(testing.ProgramTest):
    def setUp(self):
        super().setUp()
        self.case = self.mediation().open()
        self.case.add(TOMAS, ANA, BEN)
        self.everybody_syncs()

    def everybody_syncs(self):
        for key in self.case.people:
            self.case[key].run("sync")

    def run_as(self, key, *command):
        return self.case[key].run(*command[:2], self.case.case, *command[2:])

    def made(self, key, *command):
        return self.case[key].made(*command[:2], self.case.case, *command[2:])

    def refused(self, key, *command):
        return self.case[key].refused(*command[:2], self.case.case, *command[2:])

    def meetings(self, key, *options):
        return self.case[key].objects("meetings", self.case.case, *options)

    def export(self, key, meeting, *options):
        path = self.path(key + ".ics")
        self.run_as(key, "meeting", "export", meeting, "-o", path, *options)
        self.assertEqual(os.stat(path).st_mode & 0o777, 0o600)
        with open(path, newline="", encoding="utf-8") as file:
            return file.read()

    def test_a_meeting_from_proposal_to_cancellation(self):
        meeting = self.made("mira", "meeting", "propose", "joint", "First session", *WHEN,
                            "--minutes", "90", "--place", "Room 3, Harbor street")
        self.case["ana"].run("sync")
        self.assertIn("only who made it, or a neutral, may",
                      self.refused("ana", "meeting", "cancel", meeting[:8]))
        shown = self.meetings("ben")[0]
        self.assertEqual((shown["meeting"], shown["start"], shown["start_there"], shown["own"]),
                         (meeting, "2036-12-04T09:00:00Z", "2036-12-04 10:00", "none"))
        text = self.case["ben"].run("meetings", self.case.case).out
        self.assertIn("your time; 2036-12-04 10:00 in Europe/Zurich (UTC+01:00), 90 minutes", text)
        self.assertIn("say whether you come: First session",
                      self.case["ben"].run("todo", self.case.case).out)
        self.assertIn("First session", self.case["ben"].run("sync").out)
        self.run_as("ben", "meeting", "no", meeting[:8])
        self.assertNotIn("First session", self.case["ben"].run("todo", self.case.case).out)
        self.run_as("ana", "meeting", "yes", "First session")
        answers = {one["name"]: one["answer"] for one in self.meetings("mira")[0]["answers"]}
        self.assertEqual((answers[ANA.name], answers[BEN.name]),
                         ("yes", "no"))
        ids = {one["name"]: one["participant"] for one in self.meetings("mira")[0]["answers"]}
        self.assertEqual(ids, {name: one["participant"] for name, one in
                               self.case["mira"].participants().items()})
        self.assertEqual(self.meetings("ben")[0]["by_id"], ids[MIRA.name])

        file = self.export("ana", meeting)
        for secret in ("First", "Room", "Harbor", "Mira", "arley", "ediat"):
            self.assertNotIn(secret, file)
        self.assertIn("\r\nSUMMARY:Meeting\r\n", file)
        self.assertIn("\r\nDTSTART:20361204T090000Z\r\nDTEND:20361204T103000Z\r\n", file)
        uid = re.search("UID:(.*)\r\n", file).group(1)
        self.assertIn("--force", self.refused("ana", "meeting", "export", meeting, "-o",
                                              self.path("ana.ics")))
        self.assertNotIn(uid, self.export("ben", meeting))

        self.run_as("tomas", "meeting", "change", meeting, "--start", "2036-12-05 10:00")
        self.assertEqual(self.meetings("ana")[0]["own"], "none")
        file = self.export("ana", meeting, "--force", "--with-details")
        self.assertIn("UID:" + uid, file)
        self.assertIn("SEQUENCE:1\r\nDTSTART:20361205T090000Z", file)
        self.assertIn("SUMMARY:First session", file)
        self.assertIn("LOCATION:Room 3\\, Harbor street", file)
        self.run_as("mira", "meeting", "cancel", meeting)
        self.assertEqual(self.meetings("ana"), [])
        self.assertTrue(self.meetings("ana", "--all")[0]["cancelled"])
        self.assertIn("SEQUENCE:2", self.export("ana", meeting, "--force"))

    def test_times_that_are_none(self):
        def propose(start, *more):
            return ("meeting", "propose", "joint", "Early", "--start", start, "--zone",
                    "Europe/Zurich", *more)
        self.assertIn("the clocks go from 02:00 to 03:00",
                      self.refused("mira", *propose("2037-03-29 02:30")))
        self.assertIn("comes twice", self.refused("mira", *propose("2037-10-25 02:30")))
        self.made("mira", *propose("2037-10-25 02:30", "--occurrence", "second"))
        self.assertEqual(self.meetings("mira")[0]["start"], "2037-10-25T01:30:00Z")
        self.assertIn("in the past", self.refused("mira", *propose("2020-10-25 02:30",
                                                                  "--occurrence", "first")))
        self.assertIn("no time zone", self.refused(
            "mira", "meeting", "propose", "joint", "Early", "--start", "2037-10-25 02:30", "--zone",
            "../../etc/passwd"))

    def test_a_reminder_in_a_caucus(self):
        reminder = self.made("mira", "reminder", "set", "caucus:Harbor", "Send the figures",
                             "--due", "2036-12-04 17:00", "--zone", "UTC")
        self.assertIn("Send the figures", self.case["ana"].run("sync").out)
        self.assertIn("Send the figures", self.case["ana"].run("case", "status", self.case.case).out)
        self.assertNotIn("Send the figures", self.case["ben"].run("sync").out)
        todo = self.case["ana"].objects("sync")[0]["todo"]
        self.assertEqual([(one["case"], one["todo"], one["id"]) for one in todo],
                         [(self.case.case, "reminder", reminder)])
        self.assertEqual(self.case["ben"].objects("reminders", self.case.case, "--all"), [])
        self.run_as("ana", "reminder", "done", reminder[:8])
        self.assertNotIn("Send the figures", self.case["ana"].run("sync").out)
        self.assertEqual(self.case["mira"].objects("reminders", self.case.case), [])
        self.assertRegex(self.case["mira"].run("reminders", self.case.case, "--all").out,
                         r"\n  done by Ana Ruiz\*? \(party, Harbor\) for Harbor\n")
        for event in self.case["mira"].objects("case", "timeline", self.case.case):
            if event.get("event") == "reminder":
                self.assertTrue(event["counts"])

    def test_who_has_done_it_is_told_and_for_whom(self):
        self.case.add(LEE)
        self.everybody_syncs()
        reminder = self.made("mira", "reminder", "set", "caucus:Harbor", "Send the figures",
                             "--due", "2036-12-04 17:00", "--zone", "UTC")
        self.run_as("ana", "reminder", "done", reminder[:8])
        shown = self.case["mira"].objects("reminders", self.case.case, "--all")[0]
        said = {one["name"]: (one["answer"], one.get("answered_by")) for one in shown["answers"]}
        self.assertEqual(said, {ANA.name: ("done", None), LEE.name: ("done", ANA.name)})
        text = self.case["mira"].run("reminders", self.case.case, "--all").out
        self.assertNotIn(LEE.name, text)

    def test_receipts_are_members_own(self):
        self.assertIn("can see", self.case["ana"].run("send-receipts").out)
        self.case["ana"].send("joint", "Good morning.")
        self.case["ben"].run("read", self.case.case, "joint")
        self.case["ben"].send("joint", "Good morning, too.")
        receipts = {one["name"]: one["read_up_to"]
                    for one in self.case["ana"].objects("receipts", self.case.case, "joint")}
        self.assertGreater(receipts[BEN.name], 0)
        self.assertEqual(receipts[MIRA.name], 0)
        self.assertIn("Your latest message has been read by",
                      self.case["ana"].run("read", self.case.case, "joint").out)
        # Who is shown the last of several alone hasn't read those before.
        for text in ("One.", "Two.", "Three."):
            self.case["ana"].send("joint", text)
        self.case["mira"].run("read", self.case.case, "joint", "--last", "1")
        self.case["mira"].send("joint", "Good morning to you both.")
        read = {one["name"]: one["read_up_to"]
                for one in self.case["ana"].objects("receipts", self.case.case, "joint")}
        self.assertEqual(read[MIRA.name], 0)
        # Nor who is shown what comes after them; the whole is read, and then the latest is enough.
        self.case["mira"].run("read", self.case.case, "joint")
        self.case["ana"].send("joint", "Four.")
        self.case["mira"].run("read", self.case.case, "joint", "--last", "1")
        self.case["mira"].send("joint", "Let us begin.")
        four = [one for one in self.case["ana"].read("joint") if one.get("text") == "Four."][0]
        read = {one["name"]: one["read_up_to"]
                for one in self.case["ana"].objects("receipts", self.case.case, "joint")}
        self.assertEqual(read[MIRA.name], four["position"])
        # A caucus's stay there: nothing of the other side's moves.
        self.case["ana"].send("caucus", "Between us.")
        for _ in range(2):  # who has joined renews their keys, and a neutral commits that
            self.everybody_syncs()
        before = self.case["ben"].objects("channels", self.case.case)
        self.case["mira"].run("read", self.case.case, "caucus:Harbor")
        self.case["mira"].send("caucus:Harbor", "I see.")
        receipts = {one["name"]: one["read_up_to"]
                    for one in self.case["ana"].objects("receipts", self.case.case, "caucus")}
        self.assertGreater(receipts[MIRA.name], 0)
        self.assertEqual(self.case["ben"].objects("channels", self.case.case), before)
        self.assertIn("Nobody is told", self.case["ana"].run("send-receipts", "off").out)


if __name__ == "__main__":
    testing.main()
