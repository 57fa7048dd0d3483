#!/usr/bin/env python3
"""A neutral releases the sides' briefs, and the relay's answers fail when all is ready but the release
itself: what the neutral's program says of it until it is out."""
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "hostile")]

# pylint: disable=wrong-import-position
import testing
from lib.mediation import ANA, BEN

BRIEFS = {"ana": "harbor.txt", "ben": "northline.txt"}


class QueuedReleaseTest(testing.SceneTest):
    parts = (ANA, BEN)

    def documents(self, key):
        self.scene.sync(key)
        return sorted(one["name"] for one in
                      self.scene[key].objects("documents", self.scene.case, "joint"))

    def test_its_author_is_told_what_becomes_of_it(self):
        case, mira = self.scene.case, self.scene["mira"]
        for key, name in BRIEFS.items():
            path = os.path.join(self.work, name)
            with open(path, "w", encoding="utf-8") as file:
                file.write("The story of " + key)
            self.scene[key].run("brief", "submit", case, path)
        self.scene.sync("mira")
        relay = self.scene.relays["mira"]
        relay.rule("lose-request", mailbox=self.scene.mailbox("joint"))
        told = mira.run("brief", "release", case)
        self.assertIn("Not released yet: ", told.out)
        self.assertIn("The sides don't have each other's briefs yet; a later command releases them, "
                      "together and once.\n", told.out)
        self.assertGreater(relay.hits(), 0)
        again = mira.objects("brief", "release", case)[-1]
        self.assertEqual((again["release"], again["queued"]), (told.last_line, True))
        self.assertTrue(again["queued_because"])
        self.assertIn("A release of yours waits here: the sides don't have each other's briefs yet. It "
                      "goes out with the next command that reaches the relay.\n",
                      mira.run("--offline", "brief", "list", case).out)
        state = mira.run("--offline", "--json", "brief", "list", case).objects()[-1]
        self.assertEqual((state["release_waits"], state["can_release"], state["waits_because"]),
                         (True, False, ""))
        for key in BRIEFS:
            self.assertEqual(self.documents(key), [])
        relay.clear()
        mira.run("sync")
        self.assertNotIn("waits here", mira.run("brief", "list", case).out)
        self.assertIn("have been released already", mira.refused("brief", "release", case))
        for key in BRIEFS:
            self.assertEqual(self.documents(key), sorted(BRIEFS.values()))


if __name__ == "__main__":
    testing.main()
