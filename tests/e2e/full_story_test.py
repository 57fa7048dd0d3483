#!/usr/bin/env python3
"""The long story, as a test."""
import io

from lib import testing
from lib.full_story import FullStory
from lib.narrative import Narrative


class FullStoryTest(testing.ProgramTest):
    def test_from_the_request_to_the_offers(self):
        story = FullStory(self.programs, self.work, Narrative(show=True, out=io.StringIO()))
        self.relays.append(story.mediation.relay)
        story.play()
        self.assertEqual(story.mediation.relay.stop(), 0)


if __name__ == "__main__":
    testing.main()
