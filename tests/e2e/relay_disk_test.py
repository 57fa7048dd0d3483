#!/usr/bin/env python3
"""The relay's own disk is full: it says so, loses nothing that it has acknowledged, and goes on when there
is room again."""
import os
import shutil
import subprocess

from lib import testing
from lib.mediation import ANA


class FullDiskTest(testing.ProgramTest):
    def setUp(self):
        super().setUp()
        self.disk = self.path("small-disk")
        os.makedirs(self.disk)
        mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=512m", "none", self.disk],
                                 capture_output=True, check=False)
        if mounted.returncode != 0:
            self.skipTest("no right to mount a small disk here: " + mounted.stderr.decode())
        self.addCleanup(subprocess.run, ["umount", "-l", self.disk], check=False)
        self.case = self.mediation()
        self.case.relay.data = os.path.join(self.disk, "data")
        self.case.open()
        self.case.add(ANA)
        self.case["ana"].send("joint", "before")
        self.case["ana"].share("joint", self.write("kept.bin", os.urandom(3_000_000)))
        self.filler = os.path.join(self.disk, "filler")

    def leave_free(self, size):
        disk = os.statvfs(self.disk)
        with open(self.filler, "ab") as file:
            os.posix_fallocate(file.fileno(), file.tell(), disk.f_bavail * disk.f_frsize - size)

    def shown(self):
        return {key: self.case[key].texts("joint") for key in ("ana", "mira")}

    def assert_refused(self):
        """Messages and documents are refused with one line, which says that a message goes out later;
        and what is there can be read."""
        late = self.write("late.bin", os.urandom(3_000_000))
        for command in (("share", self.case.case, "joint", late),
                        ("send", self.case.case, "joint", "while it is full")):
            refusal = self.case["ana"].refused(*command)
            self.assertIn("disk is full", refusal)
        self.assertIn("each sync tries to send it", refusal)
        self.assertEqual(self.shown()["mira"], ["before"])
        target = self.path("fetched.bin")
        self.case["mira"].run("fetch", self.case.case, "joint", "kept.bin", "-o", target, "--force")
        self.assertEqual(os.path.getsize(target), 3_000_000)
        self.assertIsNone(self.case.relay.process.poll(), "the relay has ended")

    def assert_goes_on(self, texts):
        self.case["ana"].run("sync")
        self.case["ana"].share("joint", self.path("late.bin"))
        self.case["ana"].send("joint", "room again")
        self.assertEqual(self.shown(), dict.fromkeys(("ana", "mira"), texts + ["room again"]))
        self.assertEqual([one["name"] for one in self.case["mira"].objects(
            "documents", self.case.case, "joint")], ["kept.bin", "late.bin"])

    def test_full_and_room_again(self):
        self.leave_free(0)
        self.assert_refused()
        os.remove(self.filler)
        self.assert_goes_on(["before", "while it is full"])
        self.assertEqual(self.case.relay.stop(), 0)

    def test_killed_while_full(self):
        self.leave_free(0)
        self.assert_refused()
        self.case.relay.kill()
        os.remove(self.filler)
        self.case.relay.start()
        self.assert_goes_on(["before", "while it is full"])

    def test_sponsors_can_be_seen_while_it_is_full(self):
        self.leave_free(0)
        relay = self.case.relay
        self.assertIn("sponsor", relay.run("sponsor", "list", "--data", relay.data))
        added = subprocess.run([relay.program, "sponsor", "add", "late", "--quota", "1GiB",
                                "--data", relay.data], capture_output=True, text=True, check=False)
        self.assertEqual((added.returncode, len(added.stderr.splitlines())), (1, 1), added)
        self.assertIn("disk is full", added.stderr)
        self.assertEqual(relay.stop(), 0)


class DamageTest(testing.ProgramTest):
    """What a relay says that can't use its disk, or finds its files damaged: one line, and what to do."""

    def serve(self, relay):
        return subprocess.run([relay.program, "serve", "--data", relay.data, "--listen",
                               "127.0.0.1:0"], stdin=subprocess.DEVNULL, capture_output=True,
                              text=True, timeout=60, check=False)

    def assert_refused(self, relay, words):
        done = self.serve(relay)
        self.assertEqual((done.returncode, done.stdout), (1, ""), done)
        self.assertEqual(len(done.stderr.splitlines()), 1, done.stderr)
        self.assertIn(words, done.stderr)

    def test_a_read_only_disk(self):
        disk = self.path("disk")
        os.makedirs(disk)
        mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=300m", "none", disk],
                                 capture_output=True, check=False)
        if mounted.returncode != 0:
            self.skipTest("no right to mount a disk here: " + mounted.stderr.decode())
        self.addCleanup(subprocess.run, ["umount", "-l", disk], check=False)
        case = self.mediation()
        case.relay.data = os.path.join(disk, "data")
        case.open()
        case.add(ANA)
        case["ana"].send("joint", "kept")
        self.assertEqual(case.relay.stop(), 0)
        subprocess.run(["mount", "-o", "remount,ro", disk], check=True)
        self.assert_refused(case.relay, "Read-only file system")
        verified = subprocess.run([case.relay.program, "verify", "--data", case.relay.data],
                                  capture_output=True, text=True, check=False)
        self.assertEqual(verified.returncode, 0, verified)
        subprocess.run(["mount", "-o", "remount,rw", disk], check=True)
        case.relay.start()
        self.assertEqual(case["mira"].texts("joint"), ["kept"])
        self.assertEqual(case.relay.stop(), 0)

    def flip(self, path, at):
        with open(path, "r+b") as file:
            file.seek(at)
            byte = file.read(1)
            file.seek(at)
            file.write(bytes([byte[0] ^ 1]))

    def test_a_damaged_log_is_not_a_shorter_one(self):
        case = self.mediation()
        case.open()
        case.add(ANA)
        for number in range(20):
            case["ana"].send("joint", f"message {number}")
        case.relay.kill()  # so that all lies in the write-ahead log
        store = os.path.join(case.relay.data, "store")
        log = max((os.path.join(store, name) for name in os.listdir(store)
                   if name.endswith(".log")), key=os.path.getsize)
        whole = os.path.getsize(log)
        for part in (0.1, 0.5, 0.9):
            self.flip(log, int(whole * part))
            self.assert_refused(case.relay, "restore the folder from a backup")
            self.assertEqual(os.path.getsize(log), whole)
            self.flip(log, int(whole * part))
        # As it was, nothing has been lost by all that.
        case.relay.start()
        self.assertEqual(len(case["mira"].texts("joint")), 20)
        self.assertEqual(case.relay.stop(), 0)

    def test_files_of_the_store_that_are_missing_or_cut_short(self):
        case = self.mediation()
        case.open()
        case.add(ANA)
        case["ana"].share("joint", self.write("kept.bin", os.urandom(300_000)))
        self.assertEqual(case.relay.stop(), 0)
        case.relay.start()
        case["ana"].send("joint", "in the log")
        case.relay.kill()
        store = os.path.join(case.relay.data, "store")
        tried = set()
        for name in sorted(os.listdir(store)):
            path = os.path.join(store, name)
            kind = name.split("-")[0] if "." not in name else name.split(".")[1]
            if kind not in ("sst", "blob", "log", "MANIFEST", "CURRENT") or not os.path.getsize(path):
                continue
            tried.add(kind)
            shutil.copyfile(path, self.path("kept"))
            os.remove(path)
            self.assert_refused(case.relay, "restore the folder from a backup")
            shutil.copyfile(self.path("kept"), path)
            os.truncate(path, os.path.getsize(path) // 2)
            self.assert_refused(case.relay, "restore the folder from a backup")
            shutil.copyfile(self.path("kept"), path)
        self.assertEqual(tried, {"sst", "blob", "log", "MANIFEST", "CURRENT"})
        # As it was, nothing has been lost by all that.
        case.relay.start()
        self.assertEqual(case["mira"].texts("joint"), ["in the log"])
        case["mira"].run("fetch", case.case, "joint", "kept.bin", "-o", self.path("fetched"))
        self.assertEqual(case.relay.stop(), 0)


if __name__ == "__main__":
    testing.main()
