#!/usr/bin/env python3
"""The whole mediation that the story plays, as a test."""
import subprocess
import unittest

from lib import testing
from lib.going_on import commands_to_go_on, people_to_go_on
from lib.narrative import Narrative
from lib.story import Story


class MediationTest(testing.ProgramTest):
    def test_from_the_opening_to_the_day_when_the_mediator_is_gone(self):
        story = Story(self.programs, self.work, Narrative(show=False),
                      must_read_memory=True)
        self.relays.append(story.mediation.relay)
        story.play()
        self.go_on_by_hand(story)
        self.assertEqual(story.mediation.relay.stop(), 0)

    def go_on_by_hand(self, story):
        """The lines that quickstart prints do what they say, for each of those it lists."""
        people = people_to_go_on(story)
        self.assertIn("tomas", people)
        for key in people:
            lines = commands_to_go_on(story, self.programs, key)
            done = subprocess.run(["bash", "-e", "-c", "\n".join(lines)], capture_output=True,
                                  text=True, timeout=120, check=False,
                                  stdin=subprocess.DEVNULL)
            self.assertEqual((done.returncode, done.stderr), (0, ""), lines)
            self.assertIn("A word in private.", done.stdout)


if __name__ == "__main__":
    testing.main()
