#!/usr/bin/env python3
"""Without the relay: what was received can be read, what is written is kept and sent once."""
import signal
import time

from lib import testing
from lib.mediation import ANA, BEN
from lib.watching import Watching


class OfflineTest(testing.ProgramTest):
    def setUp(self):
        super().setUp()
        self.case = self.mediation().open()
        self.case.add(ANA)

    def test_messages_are_queued_and_sent_once_in_order(self):
        case = self.case
        case["ana"].send("joint", "before")
        self.assertEqual(case["mira"].texts("joint"), ["before"])
        case.relay.stop()
        for number in range(3):
            sent = case["ana"].objects("send", case.case, "joint", f"offline {number}")[0]
            self.assertTrue(sent["queued"])
            self.assertNotIn("position", sent)
        regretted = case["ana"].objects("send", case.case, "joint", "too hasty")[0]["message"]
        self.assertIn("id " + regretted[:8], case["ana"].run("read", case.case, "joint").out)
        self.assertIn("had not been sent", case["ana"].run("retract", case.case, "joint",
                                                           regretted[:8]).out)
        self.assertEqual(case["ana"].channels()["joint"]["unsent"], 3)
        self.assertIn("Waiting to be sent", case["ana"].run("read", case.case, "joint").out)
        self.assertEqual([(one["text"], one["delivery"]) for one in
                          case["ana"].objects("read", case.case, "joint")],
                         [("before", "sent")] + [(f"offline {n}", "waiting") for n in range(3)])
        late = case["ana"].objects("send", case.case, "joint", "too late?")[0]["message"]
        case.relay.start()
        # Also once the relay can be reached: it isn't sent first.
        self.assertIn("had not been sent", case["ana"].run("retract", case.case, "joint", late[:8]).out)
        report = case["ana"].objects("sync")[0]
        self.assertEqual((report["sent"], report["waiting"]), (3, 0))
        case["ana"].run("sync")
        wanted = ["before", "offline 0", "offline 1", "offline 2"]
        self.assertEqual(case["mira"].texts("joint"), wanted)
        self.assertEqual(case["ana"].texts("joint"), wanted)

    def test_the_stored_can_be_read_with_a_note(self):
        case = self.case
        case["mira"].send("joint", "kept")
        case["ana"].run("sync")
        case.relay.kill()
        outcome = case["ana"].attempt("read", case.case, "joint")
        self.assertEqual(outcome.status, 0)
        self.assertIn("kept", outcome.out)
        self.assertEqual(len(outcome.err.splitlines()), 1, outcome.err)
        self.assertTrue(outcome.err.startswith("parley: "))
        silent = case["ana"].attempt("read", case.case, "joint", "--offline")
        self.assertEqual((silent.status, silent.err), (0, ""))
        case["ana"].run("channels", case.case)
        case["ana"].run("case", "participants", case.case)
        case["ana"].run("documents", case.case, "joint")

    def test_what_is_not_found_may_be_new(self):
        case = self.case
        case["ana"].run("sync")
        case["mira"].share("joint", self.write("a.txt", b"abc"))
        case.relay.kill()
        fetch = ("fetch", case.case, "joint", "a.txt", "-o", self.path("there"))
        refusal = case["ana"].refused(*fetch)
        self.assertIn("there is no document \"a.txt\"", refusal)
        self.assertIn("what was received before: the relay at " + case.relay.address, refusal)
        # What was asked for offline, and what can't be new, says nothing of the relay.
        for refusal in (case["ana"].refused("--offline", *fetch),
                        case["ana"].refused("read", "No such case", "joint")):
            self.assertNotIn(case.relay.address, refusal)

    def test_why_a_message_waits_is_said_once(self):
        self.case["ana"].run("sync")
        self.case.relay.kill()
        for options in ([], ["--json"]):
            sent = self.case["ana"].run("send", self.case.case, "joint", "later", *options)
            self.assertEqual((sent.out.count("can't be reached"), sent.err), (1, ""))

    def test_queued_messages_wait_for_a_new_generation(self):
        case = self.case
        case["ana"].run("sync")
        case.relay.stop()
        case["ana"].send("joint", "from the old generation")
        case.relay.start()
        # The group moves on before Ana comes back.
        case.add(BEN)
        case["ana"].run("sync")
        self.assertEqual(case["ben"].texts("joint"), ["from the old generation"])
        self.assertEqual(case["mira"].texts("joint"), ["from the old generation"])

    def test_watch_comes_back_by_itself(self):
        case = self.case
        watching = Watching(case["ana"]).wait_for("connected")
        case.relay.kill()
        time.sleep(1)
        case.relay.start()
        case["mira"].send("joint", "after the relay came back")
        watching.wait_for("after the relay came back")
        watching.stop(signal.SIGTERM)


if __name__ == "__main__":
    testing.main()
