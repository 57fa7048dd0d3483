#!/usr/bin/env python3
"""What goes wrong is said in one clear line, and nothing is lost by it."""
import os
import resource
import shutil
import signal
import subprocess

from lib import testing
from lib.mediation import ANA, MIRA, Part
from lib.relay import with_identity

LARGEST_TEXT = 256 * 1024


class ProfileErrorsTest(testing.ProgramTest):
    def opened(self, **options):
        case = self.mediation(**options).open()
        case.add(ANA)
        return case

    def assert_all_is_there(self, case, texts):
        self.assertEqual(case["ana"].texts("joint"), texts)
        self.assertEqual(case["mira"].texts("joint"), texts)

    def test_wrong_passphrase(self):
        case = self.opened(locked=True)
        mira = case["mira"]
        mira.send("joint", "kept")
        right = mira.passphrase_file
        mira.passphrase_file = self.write("wrong", b"not this one\n")
        self.assertIn("passphrase", mira.refused("read", case.case, "joint"))
        mira.passphrase_file = None
        self.assertIn("passphrase", mira.refused("read", case.case, "joint"))
        mira.passphrase_file = self.path("missing")
        mira.refused("read", case.case, "joint")
        mira.passphrase_file = right
        self.assert_all_is_there(case, ["kept"])

    def test_damaged_store(self):
        case = self.opened()
        ana = case["ana"]
        ana.send("joint", "kept")
        backup = self.path("backup")
        shutil.copytree(ana.folder, backup)
        for damage in (self.flip_every_page, self.cut_in_half, self.make_garbage):
            damage(os.path.join(ana.folder, "profile.db"))
            for log in ("profile.db-wal", "profile.db-shm"):
                if os.path.exists(os.path.join(ana.folder, log)):
                    os.remove(os.path.join(ana.folder, log))
            outcome = ana.attempt("read", case.case, "joint")
            self.assertRegex(outcome.err, r"\Aparley: .*(damaged|no profile|not a profile).*\n\Z")
            if outcome.status == 0:  # what could still be opened is shown, with that line
                self.assertEqual(damage, self.flip_every_page)
                self.assertIn("kept", outcome.out)
            shutil.rmtree(ana.folder)
            shutil.copytree(backup, ana.folder)
        self.assert_all_is_there(case, ["kept"])
        ana.send("joint", "goes on")
        self.assert_all_is_there(case, ["kept", "goes on"])

    @staticmethod
    def flip_every_page(path):
        with open(path, "r+b") as file:
            size = os.path.getsize(path)
            for place in range(4096 + 2000, size, 4096):
                file.seek(place)
                piece = file.read(16)
                file.seek(place)
                file.write(bytes(byte ^ 0x55 for byte in piece))

    @staticmethod
    def cut_in_half(path):
        os.truncate(path, os.path.getsize(path) // 2)

    @staticmethod
    def make_garbage(path):
        size = os.path.getsize(path)
        with open(path, "wb") as file:
            file.write(os.urandom(size))

    def test_full_disk(self):
        case = self.opened()
        ana = case["ana"]
        ana.send("joint", "kept")
        document = case["mira"].share("joint", self.write("large.bin", os.urandom(3_000_000)))
        ana.run("sync")

        def no_room():
            # Like a full disk, but for this process only: files can't grow beyond this.
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))

        refusal = ana.refused("send", case.case, "joint", "no room for this", prepare=no_room)
        self.assertRegex(refusal, "full|written|space|too large|room")
        target = self.path("fetched.bin")
        ana.refused("fetch", case.case, "joint", document, "-o", target, prepare=no_room)
        self.assertFalse(os.path.exists(target))
        self.assertEqual(ana.texts("joint"), ["kept"])
        ana.send("joint", "room again")
        self.assert_all_is_there(case, ["kept", "room again"])
        ana.fetch("joint", document, target)
        self.assertEqual(os.path.getsize(target), 3_000_000)

    def test_really_full_disk(self):
        place = self.path("small-disk")
        os.makedirs(place)
        mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=3m", "none", place],
                                 capture_output=True, check=False)
        if mounted.returncode != 0:
            self.skipTest("no right to mount a small disk here: " + mounted.stderr.decode())
        self.addCleanup(subprocess.run, ["umount", "-l", place], check=False)
        case = self.opened()
        ana = case["ana"]
        ana.send("joint", "kept")
        moved = os.path.join(place, "ana")
        shutil.move(ana.folder, moved)
        ana.folder = moved
        filler = os.path.join(place, "filler")
        with open(filler, "wb", buffering=0) as file:
            try:
                while True:
                    file.write(bytes(4096))
            except OSError:
                pass
        refusal = ana.refused("send", case.case, "joint", "x" * 50_000)
        self.assertRegex(refusal, "full|written|space|room")
        os.remove(filler)
        ana.send("joint", "room again")
        self.assert_all_is_there(case, ["kept", "room again"])

    def test_message_over_the_limit(self):
        case = self.opened()
        largest = "x" * LARGEST_TEXT
        case["ana"].run("send", case.case, "joint", "-", text=largest)
        refusal = case["ana"].refused("send", case.case, "joint", "-", text=largest + "y")
        self.assertRegex(refusal, "at most")
        case["ana"].refused("send", case.case, "joint", "-", text="z" * (17 << 20))
        self.assert_all_is_there(case, [largest])

    def test_files_that_cannot_be_shared(self):
        case = self.opened()
        case["ana"].refused("share", case.case, "joint", self.path("no such file"))
        os.makedirs(self.path("empty", "still"))
        self.assertIn("no files in", case["ana"].refused("share", case.case, "joint",
                                                         self.path("empty")))
        case["ana"].refused("share", case.case, "joint", "/dev/zero")
        self.assertEqual(case["mira"].read("joint"), [])
        document = case["ana"].share("joint", self.write("a", b"abc"))
        case["mira"].refused("fetch", case.case, "joint", document, "-o", self.work)
        case["mira"].refused("fetch", case.case, "joint", document, "-o",
                             self.path("no", "such", "folder", "a"))


class RelayErrorsTest(testing.ProgramTest):
    def test_unreachable_relay(self):
        case = self.mediation().open()
        case.add(ANA)
        case["ana"].send("joint", "kept")
        case.relay.kill()
        for arguments in (("sync",),
                          ("share", case.case, "joint", self.write("a.txt", b"abc"))):
            refusal = case["ana"].refused(*arguments)
            self.assertIn(case.relay.address, refusal)
        case["mira"].refused("case", "invite", case.case, "--name", "B", "--role", "observer")
        case.relay.start()
        case["ana"].run("sync")
        self.assertEqual(case["ana"].texts("joint"), ["kept"])
        self.assertEqual(case["mira"].texts("joint"), ["kept"])

    def test_wrong_fingerprint_in_the_connection_string(self):
        relay = self.relay().start()
        case = self.mediation()
        mira = case.profile(MIRA)
        connection = relay.add_sponsor()
        refusal = mira.refused("case", "create", "Case", "--relay",
                               with_identity(connection, os.urandom(32)))
        self.assertRegex(refusal, "identity|another relay|fingerprint|not the relay")
        self.assertEqual(mira.objects("case", "list"), [])
        mira.run("case", "create", "Case", "--relay", connection)

    def test_another_relay_in_the_same_place(self):
        case = self.mediation().open()
        case.add(ANA)
        case["ana"].send("joint", "kept")
        case.relay.stop()
        impostor = self.relay("impostor")
        impostor.address = case.relay.address
        impostor.start()
        refusal = case["ana"].refused("sync")
        self.assertRegex(refusal, "identity|another relay|fingerprint|not the relay")
        sent = case["ana"].attempt("send", case.case, "joint", "not to an impostor")
        self.assertNotIn("Traceback", sent.err)
        impostor.stop()
        case.relay.start()
        case["ana"].run("sync")
        texts = case["mira"].texts("joint")
        self.assertEqual(texts[0], "kept")
        self.assertEqual(texts[1:], ["not to an impostor"] if sent.status == 0 else [])

    def test_wrong_sponsor_token(self):
        relay = self.relay().start()
        mira = self.mediation().profile(MIRA)
        connection = relay.add_sponsor()
        broken = connection[:-6] + ("AAAAAA" if connection[-6:] != "AAAAAA" else "BBBBBB")
        mira.refused("case", "create", "Case", "--relay", broken)
        for text in ("", "nonsense", "parley-relay1:", connection[:40]):
            mira.refused("case", "create", "Case", "--relay", text)
        self.assertEqual(mira.objects("case", "list"), [])

    def test_quota_exceeded(self):
        case = self.mediation().open(quota="40MiB")
        case.add(ANA)
        case["mira"].send("joint", "kept")
        large = self.write("large.bin", os.urandom(60 << 20))
        refusal = case["mira"].refused("share", case.case, "joint", large)
        self.assertRegex(refusal, "quota|room|limit")
        # Nothing of it is left, and what is small still goes.
        self.assertEqual(case["ana"].objects("documents", case.case, "joint"), [])
        case["mira"].send("joint", "goes on")
        case["mira"].share("joint", self.write("small.txt", b"abc"))
        self.assertEqual(case["ana"].texts("joint"), ["kept", "goes on"])
        self.assertEqual(len(case["ana"].objects("documents", case.case, "joint")), 1)

    def test_a_full_quota_keeps_nobody_in(self):
        case = self.mediation().open(quota="24MiB")
        pat = Part("pat", "Pat Quill", "counsel", "Harbor")
        case.add(ANA, pat)
        for person in (case["ana"], case["pat"]):
            person.run("sync")
        mira = case["mira"]
        for size in (8 << 20, 1 << 20, 100_000, 10_000, 1_000, 1):
            for number in range(100):
                document = self.write(f"{size}-{number}", os.urandom(size))
                if mira.attempt("share", case.case, "joint", document).status != 0:
                    break
        mira.refused("share", case.case, "joint", document)
        out = mira.run("case", "remove", case.case, "Pat Quill", "--yes").out
        self.assertIn("is out of the case and can read nothing", out)
        for channel in ("joint", "caucus:Harbor"):
            mira.attempt("send", case.case, channel, f"after Pat, in {channel}")
        case["ana"].attempt("sync")
        case["pat"].attempt("sync")
        for channel in mira.objects("channels", case.case):
            self.assertNotIn("Pat Quill", str(channel))
        for channel in ("joint", "caucus:Harbor"):
            self.assertNotIn("after Pat", str(case["pat"].attempt("read", case.case, channel)))

    def test_what_waits_when_one_is_put_out_is_given_back(self):
        case = self.mediation().open()
        case.add(ANA).run("sync")
        case.relay.kill()
        self.assertIn("Not sent yet", case["ana"].run("send", case.case, "joint", "too late").out)
        case.relay.start()
        case["mira"].run("case", "remove", case.case, "Ana", "--yes")
        self.assertIn("1 never to be sent", case["ana"].run("sync").out)
        self.assertEqual(case["ana"].run("sync").out, "0 received, 0 sent\n")
        shown = case["ana"].run("read", case.case, "joint").out
        self.assertIn("too late", shown.split("Never sent")[1])
        lost = case["ana"].objects("read", case.case, "joint")[-1]
        self.assertEqual((lost["text"], lost["delivery"]), ("too late", "never sent"))
        self.assertEqual(lost["note"], "you were out of the channel")
        told = [one["warning"] for one in case["ana"].objects("warnings")]
        self.assertIn("never sent", told)
        case["ana"].run("warnings", "--seen")
        told = [one["warning"] for one in case["ana"].objects("warnings")]
        self.assertNotIn("never sent", told)
        self.assertEqual(case["mira"].texts("joint"), [])

    def test_who_was_approved_is_told_so_by_whoami(self):
        case = self.mediation().open()
        case.join(ANA, case.invite(ANA))
        self.assertIn("(waiting)", case["ana"].run("whoami").out)
        case.approve(ANA)
        self.assertIn("(waiting)", case["ana"].run("--offline", "whoami").out)
        self.assertIn("(approved)", case["ana"].run("whoami").out)
        case.relay.kill()
        self.assertIn("(approved)", case["ana"].run("whoami").out)


if __name__ == "__main__":
    testing.main()
