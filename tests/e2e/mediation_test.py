#!/usr/bin/env python3
"""The whole mediation that the story plays, as a test."""
import unittest

from lib import testing
from lib.narrative import Narrative
from lib.story import Story


class MediationTest(testing.ProgramTest):
    def test_from_the_opening_to_the_day_when_the_mediator_is_gone(self):
        story = Story(self.programs, self.work, Narrative(show=False),
                      must_read_memory=True)
        self.relays.append(story.mediation.relay)
        story.play()
        self.assertEqual(story.mediation.relay.stop(), 0)


if __name__ == "__main__":
    testing.main()
