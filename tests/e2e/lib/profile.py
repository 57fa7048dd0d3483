"""One participant's profile, used through the program `parley` as a person or a script would."""
import json
import os
import subprocess
from dataclasses import dataclass

COMMAND_SECONDS = 180


class CommandError(AssertionError):
    """A command did something else than the test or the story expects."""


@dataclass
class Outcome:
    status: int
    out: str
    err: str

    @property
    def last_line(self):
        lines = self.out.rstrip("\n").splitlines()
        return lines[-1] if lines else ""

    def objects(self):
        return [json.loads(line) for line in self.out.splitlines()]


class Profile:
    def __init__(self, programs, folder, name, passphrase=None):
        self.program = os.path.join(programs, "parley")
        self.folder = folder
        self.name = name
        self.passphrase_file = None
        self.case = None
        os.makedirs(os.path.dirname(folder), exist_ok=True)
        if passphrase is not None:
            self.passphrase_file = folder + ".passphrase"
            with open(self.passphrase_file, "w", encoding="utf-8") as file:
                file.write(passphrase + "\n")

    def command(self, *arguments):
        line = [self.program, "--profile", self.folder]
        if self.passphrase_file:
            line += ["--passphrase-file", self.passphrase_file]
        return line + [str(argument) for argument in arguments]

    def init(self):
        self.run("init", "--name", self.name)
        return self

    def attempt(self, *arguments, text=None, seconds=COMMAND_SECONDS, prepare=None):
        """Runs a command, whatever comes of it. It has no terminal."""
        done = subprocess.run(
            self.command(*arguments), input=text if text is not None else "", text=True,
            encoding="utf-8", errors="surrogateescape", capture_output=True, timeout=seconds,
            check=False, start_new_session=True, preexec_fn=prepare, env=environment())
        return Outcome(done.returncode, done.stdout, done.stderr)

    def run(self, *arguments, text=None, seconds=COMMAND_SECONDS):
        """Runs a command that must succeed."""
        outcome = self.attempt(*arguments, text=text, seconds=seconds)
        if outcome.status != 0:
            raise CommandError(f"{self.name}: parley {' '.join(map(str, arguments))}: status "
                               f"{outcome.status}: {outcome.err.strip()}")
        return outcome

    def made(self, *arguments, text=None):
        """What the command made: the last line of its output."""
        return self.run(*arguments, text=text).last_line

    def objects(self, *arguments):
        """The JSON objects that the command prints."""
        return self.run(*arguments, "--json").objects()

    def refused(self, *arguments, text=None, prepare=None):
        """Runs a command that must fail with one clear line; returns that line."""
        outcome = self.attempt(*arguments, text=text, prepare=prepare)
        lines = outcome.err.splitlines()
        if outcome.status != 1 or len(lines) != 1 or not lines[0].startswith("parley: "):
            raise CommandError(f"{self.name}: parley {' '.join(map(str, arguments))}: should be "
                               f"refused with one line, but: status {outcome.status}, "
                               f"out {outcome.out!r}, err {outcome.err!r}")
        return lines[0][len("parley: "):]

    def start(self, *arguments, **options):
        """Starts a command and returns the process."""
        return subprocess.Popen(
            self.command(*arguments), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, text=True, encoding="utf-8", start_new_session=True,
            env=environment(), **options)

    # ---- What a participant does most ---------------------------------------------------------

    def send(self, channel, text):
        return self.made("send", self.case, channel, text)

    def share(self, channel, path, *options):
        return self.made("share", self.case, channel, path, *options)

    def read(self, channel):
        """What is in the channel, without what waits here to be sent."""
        return [message for message in self.objects("read", self.case, channel)
                if message["delivery"] == "sent"]

    def texts(self, channel):
        return [message["text"] for message in self.read(channel) if message["kind"] == "text"]

    def channels(self):
        return {channel["channel"]: channel for channel in self.objects("channels", self.case)}

    def participants(self):
        return {one["name"]: one for one in self.objects("case", "participants", self.case)}

    def fetch(self, channel, document, target):
        self.run("fetch", self.case, channel, document, "-o", target)
        return target


def environment():
    kept = {name: value for name, value in os.environ.items() if name != "PARLEY_PROFILE"}
    kept["LC_ALL"] = "C.UTF-8"
    return kept
