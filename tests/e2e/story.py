#!/usr/bin/env python3
"""Plays one mediation with the real programs, and proves what must hold.

    tests/e2e/story.py --bin DIR [--full] [--show] [--keep] [--work DIR]

--full plays the long one: by its procedure, with every refusal on the way. --show prints what each participant sees. --keep leaves the relay running and prints how to go on.
Ends with status 0 only if everything held.
"""
import argparse
import os
import shlex
import shutil
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "data"))
sys.path.insert(0, HERE)

# pylint: disable=wrong-import-position
from lib.full_story import FullStory
from lib.going_on import commands_to_go_on, people_to_go_on
from lib.narrative import Narrative
from lib.profile import CommandError
from lib.story import Story


def parse():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--bin", required=True, help="folder of the programs")
    parser.add_argument("--full", action="store_true",
                        help="play the long story: by its procedure, from the request to the offers")
    parser.add_argument("--show", action="store_true", help="print what each participant sees")
    parser.add_argument("--keep", action="store_true",
                        help="leave the relay running and print how to go on")
    parser.add_argument("--work", help="an empty or new folder to work in")
    return parser.parse_args()


def print_how_to_go_on(story, programs):
    relay = story.mediation.relay
    print(f"\nThe relay runs at {relay.address} (process {relay.pid}). Everything is in\n"
          f"    {story.work}\n\nGo on as any participant:")
    for key in people_to_go_on(story):
        print(f"\n  {story.mediation.people[key].name} ({story.describe(key)})")
        for line in commands_to_go_on(story, programs, key):
            print("    " + line)
    program = shlex.quote(os.path.join(programs, "parley"))
    print(f"\n\"watch CASE\" stays connected and shows what happens; all commands:\n"
          f"    {program} --help\n"
          f"\nThe end of it:\n    kill {relay.pid}; rm -r {shlex.quote(story.work)}")


def main():
    options = parse()
    programs = os.path.abspath(options.bin)
    work = os.path.abspath(options.work) if options.work else tempfile.mkdtemp(prefix="parley-")
    os.makedirs(work, exist_ok=True)
    story = (FullStory if options.full else Story)(programs, work, Narrative(options.show))
    held = False
    try:
        story.play()
        held = True
    except (CommandError, AssertionError, RuntimeError, OSError) as error:
        print(f"\nstory: FAILED: {error}", file=sys.stderr)
        print(f"story: everything is left in {work}", file=sys.stderr)
    finally:
        if not (held and options.keep):
            story.mediation.relay.stop()
    if not held:
        return 1
    if options.keep:
        print_how_to_go_on(story, programs)
    elif not options.work:
        shutil.rmtree(work, ignore_errors=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
