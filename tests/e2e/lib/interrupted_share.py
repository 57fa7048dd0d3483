"""Kills a relay in the middle of an upload."""
import os
import signal
import time

from lib.profile import CommandError

SLICE_SECONDS = 0.002
LIMIT_SECONDS = 60


def share_while_relay_dies(person, relay, channel, path, while_down, *options, share_of_file=0.3):
    """Shares `path` with the command's `options`; kills the relay when about `share_of_file` of it has arrived, calls
    `while_down`, starts the relay again, and repeats the command if it gave up. Returns how many
    bytes had arrived when the relay was killed."""
    size = os.path.getsize(path)
    before = relay.stored_bytes()
    process = person.start("share", person.case, channel, path, *options)
    arrived = run_until(process, lambda: relay.stored_bytes() - before, share_of_file * size)
    relay.kill()
    if arrived >= size:
        raise AssertionError(f"the transfer was through before the relay was killed ({arrived})")
    os.kill(process.pid, signal.SIGCONT)
    while_down()
    relay.start()
    try:
        process.communicate(timeout=LIMIT_SECONDS)
    except Exception:
        process.kill()
        raise
    if process.returncode not in (0, 1):
        raise CommandError(f"share ended with status {process.returncode}")
    if process.returncode == 1:
        person.share(channel, path, *options)
    return arrived


def run_until(process, measure, goal):
    """Lets the process run in short slices until the measure has reached the goal, and leaves it
    stopped; so a fast machine doesn't overshoot. Nor does a busy one: the process gets the
    processor only when nobody else wants it, this one above all."""
    os.setpriority(os.PRIO_PROCESS, process.pid, 19)
    deadline = time.monotonic() + LIMIT_SECONDS
    while True:
        time.sleep(SLICE_SECONDS)
        os.kill(process.pid, signal.SIGSTOP)
        value = measure()
        if value >= goal:
            return value
        if process.poll() is not None:
            raise AssertionError(f"the command ended before: {process.communicate()}")
        if time.monotonic() > deadline:
            process.kill()
            raise AssertionError(f"the transfer stands still at {value} bytes")
        os.kill(process.pid, signal.SIGCONT)
