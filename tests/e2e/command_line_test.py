#!/usr/bin/env python3
"""Every form of the command line, as people and scripts use it."""
import json
import os
import pty
import subprocess
import time

from lib import testing
from lib.mediation import ANA, BEN, LEE, TITLE, TOMAS, Part
from lib.watching import Watching
from make_metadata import make

HARBOR = "caucus:Harbor"
COMMANDS = ["init", "whoami", "passphrase", "passphrase change", "passphrase remove", "warnings",
            "join", "case", "case create", "case list", "case leave", "case invite",
            "case participants", "case approve", "case compare", "case remove", "case admit",
            "case reopen", "channels", "send", "read", "share", "documents", "fetch", "diff", "preview", "sync",
            "watch", "case status", "case request", "case accept", "case decline",
            "case disclose-conflict", "case waive", "case object", "case act", "case agreement",
            "case agreement propose", "case agreement show", "case agreement sign", "case retention",
            "case destroy", "template",
            "template list", "template show", "offer", "offer make", "offer withdraw", "offer accept",
            "offer decline", "offers", "options", "options make", "options evaluate",
            "options list", "withdraw", "transfers", "transfers pause", "transfers resume",
            "transfers cancel", "brief", "brief submit", "brief list", "brief release"]


class UsageTest(testing.ProgramTest):
    def parley(self, *arguments, **options):
        return subprocess.run([os.path.join(self.programs, "parley"), *arguments],
                              stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=30,
                              check=False, start_new_session=True, **options)

    def test_help_for_each_command(self):
        for command in COMMANDS:
            done = self.parley(*command.split(), "--help")
            self.assertEqual((done.returncode, done.stderr), (0, ""), command)
            self.assertIn(command.split()[-1], done.stdout)
            self.assertNotRegex(done.stdout, r":INT|:FLOAT| in \[|:\{", command)
        everything = self.parley("--help").stdout
        for command in COMMANDS:
            if " " not in command:
                self.assertIn(command, everything)

    def test_version(self):
        done = self.parley("--version")
        self.assertEqual(done.returncode, 0)
        self.assertRegex(done.stdout, r"^parley \d+\.\d+\.\d+\n$")

    def test_wrong_usage_is_2_and_one_line(self):
        for arguments in ([], ["nonsense"], ["--profile", "p"], ["--profile", "p", "case"],
                          ["--profile", "p", "send", "c", "joint"], ["whoami"],
                          ["--profile", "p", "read", "c", "joint", "--after", "x"]):
            environment = {key: value for key, value in os.environ.items()
                           if key != "PARLEY_PROFILE"}
            done = self.parley(*arguments, env=environment)
            self.assertEqual(done.returncode, 2, arguments)
            self.assertEqual(done.stdout, "")
            self.assertEqual(len(done.stderr.splitlines()), 1, done.stderr)
            self.assertTrue(done.stderr.startswith("parley: "), done.stderr)

    def test_what_an_option_takes_is_said_in_words(self):
        for arguments, wanted in (
                (["search", "--limit", "0", "x"],
                 '--limit takes a whole number from 1 to 10000, not "0"'),
                (["meeting", "propose", "c", "joint", "t", "--start", "s", "--zone", "UTC",
                  "--minutes", "an-hour"], '--minutes takes a whole number, not "an-hour"'),
                (["send-receipts", "maybe"], 'SETTING takes on or off, not "maybe"'),
                (["case", "act", "c", "begin-sesion"],
                 'ACT: "begin-sesion" is no act of a case')):
            done = self.parley("--profile", "p", *arguments)
            self.assertEqual(done.returncode, 2, arguments)
            self.assertTrue(done.stderr.startswith("parley: " + wanted + "; see parley "),
                            done.stderr)
            self.assertEqual(done.stderr.count("--help"), 1)

    def test_where_a_profile_is_looked_for(self):
        refused = self.parley("--profile", "nobody", "whoami", cwd=self.work)
        self.assertIn(f"there is no profile in nobody, which was looked for in the folder "
                      f"{os.path.realpath(self.work)}", refused.stderr)

    def test_profile_from_the_environment(self):
        folder = self.path("mira")
        environment = dict(os.environ, PARLEY_PROFILE=folder)
        made = self.parley("init", "--name", "Mira Voss", env=environment)
        self.assertEqual(made.returncode, 0, made.stderr)
        self.assertEqual(made.stdout.splitlines()[-1], folder)
        self.assertIn("Mira Voss", self.parley("whoami", env=environment).stdout)
        again = self.parley("init", "--name", "Mira Voss", env=environment)
        self.assertEqual(again.returncode, 1)
        none = self.parley("--profile", self.path("nobody"), "whoami", env=environment)
        self.assertEqual(none.returncode, 1)
        self.assertEqual(len(none.stderr.splitlines()), 1)

    def test_output_that_cannot_be_written_is_a_failure(self):
        with open("/dev/full", "w", encoding="ascii") as full:
            done = subprocess.run([os.path.join(self.programs, "parley"), "--help"], stdout=full,
                                  stderr=subprocess.PIPE, text=True, timeout=30, check=False)
        self.assertEqual(done.returncode, 1)
        self.assertEqual(done.stderr, "parley: standard output can't be written\n")

    def test_a_locked_profile_asks_on_the_terminal(self):
        folder = self.path("mira")
        secret = self.write("passphrase", b"correct horse\n")
        program = os.path.join(self.programs, "parley")
        made = self.parley("--profile", folder, "--passphrase-file", secret, "init", "--name", "M")
        self.assertEqual(made.returncode, 0, made.stderr)
        shown, status = self.on_terminal([program, "--profile", folder, "whoami"],
                                         b"correct horse\n")
        self.assertEqual(status, 0, shown)
        self.assertIn("Passphrase", shown)
        self.assertNotIn("correct horse", shown)
        shown, status = self.on_terminal([program, "--profile", folder, "whoami"], b"wrong\n")
        self.assertEqual(status, 1, shown)

    def on_terminal(self, command, typed):
        pid, terminal = pty.fork()
        if pid == 0:
            os.execv(command[0], command)
        shown = b""
        try:
            while b": " not in shown:
                shown += os.read(terminal, 1000)
            time.sleep(0.2)  # until the echo is off: a person is slower
            os.write(terminal, typed)
            while True:
                shown += os.read(terminal, 1000)
        except OSError:
            pass  # the terminal is gone: the program has ended
        _, state = os.waitpid(pid, 0)
        os.close(terminal)
        return shown.decode(), os.waitstatus_to_exitcode(state)


class FormsTest(testing.ProgramTest):
    def test_what_is_made_stands_alone_on_the_last_line(self):
        case = self.mediation().open()
        self.assertRegex(case.case, r"^[0-9a-f]{32}$")
        invitation = case.invite(ANA)
        self.assertRegex(invitation, r"^parley-invite1:[A-Za-z0-9_-]+$")
        ana = case.join(ANA, invitation)
        self.assertEqual(ana.case, case.case)
        case.approve(ANA)
        self.assertRegex(ana.send("joint", "hello"), r"^[0-9a-f]{32}$")
        document = ana.share("joint", self.write("a.txt", b"abc"))
        self.assertRegex(document, r"^[0-9a-f]{32}$")
        target = self.path("b.txt")
        self.assertEqual(case["mira"].made("fetch", case.case, "joint", document, "-o", target),
                         target)

    def test_a_case_by_title_or_prefix_and_what_is_ambiguous(self):
        case = self.mediation().open()
        mira = case["mira"]
        for text in (TITLE, TITLE.upper(), case.case, case.case[:6]):
            self.assertEqual(mira.run("channels", text).status, 0)
        connection = case.relay.add_sponsor("another")
        mira.run("case", "create", TITLE, "--relay", connection)
        self.assertIn(TITLE, mira.refused("channels", TITLE))
        mira.run("channels", case.case)
        mira.refused("channels", "No such case")
        # Standard input keeps the connection string off the list of processes.
        mira.run("case", "create", "Third", "--relay", "-", text=connection + "\n")
        self.assertEqual([one["title"] for one in mira.objects("case", "list")],
                         [TITLE, TITLE, "Third"])

    def test_documents_by_name_or_prefix(self):
        case = self.mediation().open()
        case.add(ANA)
        ana = case["ana"]
        names = ["brief.pdf", "調停陳述書.txt", "empty", "with space and ' .txt"]
        ids = []
        for number, name in enumerate(names):
            path = self.write(name, b"x" * number * 1000)
            ids.append(case["mira"].share("joint", path))
        listed = ana.objects("documents", case.case, "joint")
        self.assertEqual([document["name"] for document in listed], names)
        self.assertEqual([document["size"] for document in listed],
                         [0, 1000, 2000, 3000])
        for name, identity in zip(names, ids):
            for text in (name, identity, identity[:8]):
                target = self.path("got")
                ana.run("fetch", case.case, "joint", "-o", target, "--force", "--", text)
                with open(target, "rb") as got, open(self.path(name), "rb") as sent:
                    self.assertEqual(got.read(), sent.read())
        # A file that exists is not replaced, unless asked for.
        target = self.write("precious", b"mine")
        ana.refused("fetch", case.case, "joint", "brief.pdf", "-o", target)
        with open(target, "rb") as file:
            self.assertEqual(file.read(), b"mine")
        ana.refused("fetch", case.case, "joint", "no such document", "-o", self.path("none"))
        self.assertFalse(os.path.exists(self.path("none")))

    def test_what_is_in_documents(self):
        case = self.mediation().open()
        case.add(ANA)
        mira, ana = case["mira"], case["ana"]
        photograph = make(self.path("."), "Wharfdale7")["photo.jpg"]
        shared = mira.run("share", case.case, "joint", photograph).out
        self.assertIn("place (GPS)", shared)
        ana.fetch("joint", "photo.jpg", self.path("fetched.jpg"))
        with open(self.path("fetched.jpg"), "rb") as file:
            self.assertNotIn(b"Wharfdale7", file.read())
        listed = ana.objects("documents", case.case, "joint")[0]
        ana.run("preview", case.case, "joint", "photo.jpg", "-o", self.path("small.jpg"))
        with open(self.path("small.jpg"), "rb") as file:
            small = file.read()
        self.assertEqual((small[:3], len(small)), (b"\xff\xd8\xff", listed["preview_bytes"]))
        ana.refused("preview", case.case, "joint", "photo.jpg", "-o", self.path("small.jpg"))
        saved = ana.objects("preview", case.case, "joint", "photo.jpg", "-o",
                            self.path("small.jpg"), "--force")[0]
        self.assertEqual(saved["media_type"], "image/jpeg")
        torn = self.write("torn.jpg", b"\xff\xd8\xff torn")
        self.assertIn("--keep-metadata", mira.refused("share", case.case, "joint", torn))
        mira.run("share", case.case, "joint", torn, "--keep-metadata")
        first = mira.share("joint", self.write("offer.md", b"# Offer\nHarbor pays 690 thousand.\n"))
        mira.share("joint", self.write("offer 2.md", b"# Offer\nHarbor pays 720 thousand.\n"),
                   "--replaces", first)
        difference = ana.run("diff", case.case, "joint", "offer 2.md").out
        self.assertIn("~ Harbor pays [-690-]{+720+} thousand.", difference)
        self.assertIn("the same", ana.run("diff", case.case, "joint", first, first).out)
        self.assertIn("replaces no", ana.refused("diff", case.case, "joint", first))
        self.assertIn("photo.jpg", ana.refused("diff", case.case, "joint", first, "photo.jpg"))

    def test_json_has_the_promised_fields(self):
        case = self.mediation().open()
        case.add(ANA)
        case["ana"].send("joint", "a \"quoted\" text\nof two lines, 調停")
        case["ana"].share("joint", self.write("a b.txt", b"abc"))
        text, document = case["mira"].read("joint")
        self.assertLessEqual({"position", "channel", "author", "role", "side", "kind", "text",
                              "time"}, text.keys())
        self.assertEqual((text["channel"], text["author"], text["role"], text["side"],
                          text["kind"], text["text"]),
                         ("joint", ANA.name, "party", "Harbor", "text",
                          "a \"quoted\" text\nof two lines, 調停"))
        self.assertEqual((document["kind"], document["name"], document["size"]),
                         ("document", "a b.txt", 3))
        self.assertRegex(document["document"], r"^[0-9a-f]{32}$")
        self.assertLess(text["position"], document["position"])
        after = case["mira"].objects("read", case.case, "joint", "--after", str(text["position"]))
        self.assertEqual([message["kind"] for message in after], ["document"])
        self.assertEqual(case["mira"].objects("read", case.case, "joint", "--last", "1"), after)
        self.assertEqual(case["mira"].objects("read", case.case, "joint", "--last", "7",
                                              "--after", str(text["position"])), after)
        self.assertEqual(case["mira"].objects("read", case.case, "joint", "--last", "7"),
                         [text, document])
        people = {one["name"]: one for one in case["mira"].objects("case", "participants",
                                                                   case.case)}
        self.assertEqual((people[ANA.name]["role"], people[ANA.name]["side"],
                          people[ANA.name]["state"]), ("party", "Harbor", "approved"))
        sent = case["ana"].objects("send", case.case, HARBOR, "x")[0]
        self.assertEqual({reader["name"] for reader in sent["readers"]}, {ANA.name, "Mira Voss"})

    def test_texts_come_through_as_they_are(self):
        case = self.mediation().open()
        case.add(ANA)
        texts = ["read", "--json is an option", "- a list", "ünï 調停 😀", "a\tb", "x" * 100_000,
                 "\x1b[31mred\x1b[0m", "back\\slash \"quotes\"", " leading and trailing "]
        for text in texts[:-1]:
            case["ana"].run("send", case.case, "joint", "--", text)
        case["ana"].run("send", case.case, "joint", "-", text=texts[-1] + "\n")
        case["ana"].run("send", case.case, "joint", "-", text="two\nlines\n\n")
        self.assertEqual(case["mira"].texts("joint"), texts + ["two\nlines\n"])
        case["ana"].refused("send", case.case, "joint", "")
        case["ana"].refused("send", case.case, "joint", "-", text="")

    def test_the_terminal_is_safe_from_what_others_write(self):
        case = self.mediation().open()
        case.add(ANA)
        case["ana"].run("send", case.case, "joint", "-",
                        text="\x1b]0;owned\x07\x1b[2J\u202etxt.exe\n   9  Mira Voss (mediator), now")
        case["ana"].share("joint", self.write("in\x1b[2Jvoice\u202efdp.exe", b"x"))
        for command in (("read", case.case, "joint"), ("documents", case.case, "joint"),
                        ("read", case.case, "joint", "--json")):
            out = case["mira"].run(*command).out
            for harmful in ("\x1b", "\x07", "\u202e"):
                self.assertNotIn(harmful, out, command)
        lines = case["mira"].run("read", case.case, "joint").out.splitlines()
        forged = [line for line in lines if "Mira Voss (mediator), now" in line]
        self.assertTrue(forged[0].startswith("      "), forged)

    def test_names_that_are_alike(self):
        case = self.mediation().open()
        case.add(ANA, Part("anab", "Ana Bell", "counsel", "Northline"))
        refusal = case["mira"].refused("case", "remove", case.case, "Ana")
        self.assertIn("Ana Bell", refusal)
        self.assertEqual(case["mira"].participants()["Ana Bell"]["state"], "approved")
        case["mira"].refused("case", "invite", case.case, "--name", ANA.name, "--role", "party",
                             "--side", "Harbor")
        case["mira"].run("case", "remove", case.case, "Ana Bell")
        case["mira"].refused("case", "approve", case.case, "Nobody")

    def test_people_are_compared_by_safety_number(self):
        case = self.mediation().open()
        case.add(ANA)
        number = case["ana"].objects("case", "list")[0]["safety_number"]
        self.assertRegex(number, r"^\d{5}( \d{5}){7}$")
        self.assertEqual(case["mira"].participants()[ANA.name]["safety_number"], number)
        self.assertIn(ANA.name + "*", case["mira"].run("channels", case.case).out)
        wrong = "0" + number[1:] if number[0] != "0" else "1" + number[1:]
        refusal = case["mira"].refused("case", "compare", case.case, ANA.name, wrong)
        self.assertIn("group 1 differs", refusal)
        self.assertIn("has 39 digits, and a safety number 40", case["mira"].refused(
            "case", "compare", case.case, ANA.name, number[1:]))
        anothers = "".join(digit if digit == " " else str(9 - int(digit)) for digit in number)
        self.assertIn("somebody may stand between you", case["mira"].refused(
            "case", "compare", case.case, ANA.name, anothers))
        # What is proposed can be typed: no name in it means anything to a shell.
        proposed = case["mira"].run("case", "compare", case.case, ANA.name).out.splitlines()[-1].split()
        self.assertEqual(proposed[:3] + proposed[5:], ["parley", "case", "compare", '"NUMBER"'])
        self.assertIn("group 1 differs", case["mira"].refused(*proposed[1:5], wrong))
        self.assertFalse(case["mira"].participants()[ANA.name]["compared"])
        case["mira"].run("case", "compare", case.case, ANA.name, number)
        self.assertTrue(case["mira"].participants()[ANA.name]["compared"])
        self.assertNotIn(ANA.name + "*", case["mira"].run("channels", case.case).out)

    def test_an_expert_is_admitted(self):
        case = self.mediation().open()
        expert = Part("eve", "Eve Expert", "expert")
        case.add(ANA, LEE, expert)
        case["mira"].run("case", "admit", case.case, "joint", expert.name)
        case["ana"].send("joint", "welcome, expert")
        self.assertEqual(case["eve"].texts("joint"), ["welcome, expert"])
        self.assertNotIn(HARBOR, case["eve"].channels())
        case["ana"].refused("case", "admit", case.case, HARBOR, expert.name)


class SeveralProcessesTest(testing.ProgramTest):
    def test_many_at_once_with_one_profile(self):
        case = self.mediation().open()
        case.add(ANA, TOMAS)
        sending = [case["ana"].start("send", case.case, "joint", f"message {number}")
                   for number in range(8)]
        reading = [case["ana"].start("read", case.case, "joint") for _ in range(3)]
        for process in sending + reading:
            _, err = process.communicate(timeout=120)
            self.assertEqual(process.returncode, 0, err)
        for key in ("mira", "ana", "tomas"):
            self.assertEqual(sorted(case[key].texts("joint")),
                             [f"message {number}" for number in range(8)], key)

    def test_everybody_at_once(self):
        case = self.mediation().open()
        case.add(ANA, BEN, TOMAS)
        people = ("mira", "ana", "ben", "tomas")
        sending = [case[key].start("send", case.case, "joint", f"{key} {number}")
                   for number in range(4) for key in people]
        for process in sending:
            _, err = process.communicate(timeout=120)
            self.assertEqual(process.returncode, 0, err)
        texts = [case[key].texts("joint") for key in people]
        self.assertEqual(len(texts[0]), 16)
        self.assertTrue(all(one == texts[0] for one in texts), "different orders")

    def test_watch_shows_and_blocks_nobody(self):
        case = self.mediation().open()
        case.add(ANA)
        watching = Watching(case["ana"], "--json").wait_for('"connected"')
        case["mira"].send("joint", "from Mira")
        watching.wait_for("from Mira")
        case["ana"].send("joint", "from Ana herself")
        case["ana"].share("joint", self.write("a.txt", b"abc"))
        self.assertEqual(len(case["ana"].read("joint")), 3)
        events = watching.wait_for("a.txt").stop_and_parse()
        messages = [event for event in events if event["event"] == "message"]
        self.assertEqual([message["text"] for message in messages],
                         ["from Mira", "from Ana herself", ""])
        self.assertEqual(messages[2]["name"], "a.txt")
        self.assertEqual(messages[0]["channel"], "joint")

    def test_sync_waits_for_news(self):
        case = self.mediation().open()
        case.add(ANA)
        case["ana"].run("sync")
        started = time.monotonic()
        waiting = case["ana"].start("sync", "--wait", "30", "--json")
        time.sleep(1)
        case["mira"].send("joint", "news")
        out, err = waiting.communicate(timeout=40)
        self.assertEqual(waiting.returncode, 0, err)
        self.assertEqual(json.loads(out)["received"], 1)
        self.assertLess(time.monotonic() - started, 29, "it waited to the end")
        started = time.monotonic()
        self.assertEqual(case["ana"].objects("sync", "--wait", "1")[0]["received"], 0)
        self.assertGreater(time.monotonic() - started, 0.9)


if __name__ == "__main__":
    testing.main()
