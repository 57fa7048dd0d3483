#!/usr/bin/env python3
"""Large files: constant memory, and a transfer that was cut goes on where it was."""
import hashlib
import os
import signal
import time

from lib import testing
from lib.mediation import ANA
from lib.proxy import Proxy
from lib.relay import at_address

MEMORY_LIMIT = 300 * 1024 * 1024
CUT_AT = 0.6
# What may pass after the cut, as a share of the file, beside the rest: TLS and gRPC's own bytes.
REST_LIMIT = 1 - CUT_AT + 0.02
# And what was on its way, or stored and not yet acknowledged, when the line was cut.
IN_FLIGHT = 12 << 20
CUT_SECONDS = 300


def make_file(path, size):
    digest = hashlib.sha256()
    with open(path, "wb") as file:
        for _ in range(size // (1 << 20)):
            block = os.urandom(1 << 20)
            digest.update(block)
            file.write(block)
    return digest.hexdigest()


def digest_of(path):
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


class Transfer:
    """The test for one size; mixed with unittest's class below."""

    size = 0

    def test_in_constant_memory_and_resumed_after_a_cut(self):
        case = self.mediation()
        case.relay.start()
        proxy = Proxy(case.relay.address)
        self.addCleanup(proxy.close)
        case.open_with(at_address(case.relay.add_sponsor(), proxy.address))
        case.add(ANA)
        source = self.path("hearing.mp4")
        digest = make_file(source, self.size)
        self.upload(case, proxy, source)
        self.download(case, proxy, digest)
        peak = case.relay.peak_memory()
        print(f"relay: at most {peak / 2**20:.0f} MiB")
        self.assertLess(peak, MEMORY_LIMIT)

    def upload(self, case, proxy, source):
        proxy.cut_after("up", int(CUT_AT * self.size))
        status, peak = self.measured(case["mira"], "share", case.case, "joint", source,
                                     interrupted_at=proxy.cut)
        self.assertEqual(status, 1, "the cut was not noticed")
        self.assertEqual(case["ana"].attempt("--offline", "documents", case.case, "joint",
                                             "--json").out, "")
        proxy.mend()
        before = proxy.up
        status, again = self.measured(case["mira"], "share", case.case, "joint", source)
        self.assertEqual(status, 0)
        sent = (proxy.up - before) / self.size
        print(f"upload: {sent:.0%} of the file after a cut at {CUT_AT:.0%}; client at most "
              f"{max(peak, again) / 2**20:.0f} MiB")
        self.assertLess(sent, REST_LIMIT + IN_FLIGHT / self.size, "the first part was sent again")
        self.assertLess(max(peak, again), MEMORY_LIMIT)

    def download(self, case, proxy, digest):
        target = self.path("fetched.mp4")
        fetch = ("fetch", case.case, "joint", "hearing.mp4", "-o", target)
        case["ana"].run("sync")
        proxy.cut_after("down", int(CUT_AT * self.size))
        status, peak = self.measured(case["ana"], *fetch, interrupted_at=proxy.cut)
        self.assertEqual(status, 1, "the cut was not noticed")
        self.assertFalse(os.path.exists(target), "a partial file has the final name")
        proxy.mend()
        before = proxy.down
        status, again = self.measured(case["ana"], *fetch)
        self.assertEqual(status, 0)
        got = (proxy.down - before) / self.size
        print(f"download: {got:.0%} of the file after a cut at {CUT_AT:.0%}; client at most "
              f"{max(peak, again) / 2**20:.0f} MiB")
        self.assertLess(got, REST_LIMIT + IN_FLIGHT / self.size, "the first part was fetched again")
        self.assertLess(max(peak, again), MEMORY_LIMIT)
        self.assertEqual(digest_of(target), digest)
        self.assertEqual(sorted(os.listdir(self.work)),
                         ["fetched.mp4", "hearing.mp4", "profiles", "relay"],
                         "parts of files were left behind")

    def measured(self, person, *arguments, interrupted_at=None):
        """Exit status and peak memory of a command. When the event has come, it is interrupted as
        by Ctrl-C, instead of waiting until it gives up by itself."""
        process = person.start(*arguments)
        if interrupted_at is not None:
            self.assertTrue(interrupted_at.wait(CUT_SECONDS), "the line was never cut")
            time.sleep(1)
            process.send_signal(signal.SIGINT)
        _, state, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(state)
        errors = process.stderr.read()
        process.stdout.close()
        process.stderr.close()
        self.assertIn(process.returncode, (0, 1), errors)
        if process.returncode == 1:
            self.assertEqual(len(errors.splitlines()), 1, errors)
        return process.returncode, usage.ru_maxrss * 1024


class Transfer64MiB(Transfer, testing.ProgramTest):
    size = 64 << 20


class Transfer1GiB(Transfer, testing.ProgramTest):
    size = 1 << 30


if __name__ == "__main__":
    testing.main()
