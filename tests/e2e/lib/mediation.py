"""A case with its participants, set up with the real programs."""
import os
from dataclasses import dataclass

from lib.profile import Profile
from lib.relay import Relay

TITLE = "Harbor v Northline"


@dataclass(frozen=True)
class Part:
    """Who somebody is in a case."""
    key: str
    name: str
    role: str
    side: str = ""
    passphrase: str = None


MIRA = Part("mira", "Mira Voss", "mediator", passphrase="four words for mira")
TOMAS = Part("tomas", "Tomas Brandt", "co-mediator")
ANA = Part("ana", "Ana Ruiz", "party", "Harbor")
LEE = Part("lee", "Lee Castellan", "counsel", "Harbor")
BEN = Part("ben", "Ben Okafor", "party", "Northline", passphrase="four words for ben")
SHAH = Part("shah", "Shah Merchant", "counsel", "Northline")
KIM = Part("kim", "Kim Adeyemi", "counsel", "Harbor")
NORA = Part("nora", "Nora Lindqvist", "party", "Northline")


class Mediation:
    """The relay and everybody's profile below one folder. `people` has the profiles by key."""

    def __init__(self, programs, work, locked=False):
        self.programs = programs
        self.work = work
        self.locked = locked  # whether the profiles have the parts' passphrases
        self.relay = Relay(programs, os.path.join(work, "relay"))
        self.people = {}
        self.parts = {}
        self.case = None

    def __getitem__(self, key):
        return self.people[key]

    def profile(self, part):
        """Makes a profile for somebody who is in no case yet."""
        folder = os.path.join(self.work, "profiles", part.key)
        passphrase = part.passphrase if self.locked else None
        person = Profile(self.programs, folder, part.name, passphrase).init()
        self.people[part.key] = person
        self.parts[part.key] = part
        return person

    def open(self, mediator=MIRA, quota="20GiB", connection=None, options=()):
        """Starts the relay; the mediator opens the case."""
        self.relay.start()
        connection = connection or self.relay.add_sponsor(quota=quota)
        return self.open_with(connection, mediator, options)

    def open_with(self, connection, mediator=MIRA, options=()):
        person = self.profile(mediator)
        self.case = person.made("case", "create", TITLE, "--relay", connection, *options)
        person.case = self.case
        return self

    def invite(self, part, by="mira"):
        arguments = ["case", "invite", self.case, "--name", part.name, "--role", part.role]
        if part.side:
            arguments += ["--side", part.side]
        return self[by].made(*arguments)

    def join(self, part, invitation):
        person = self.people.get(part.key) or self.profile(part)
        person.case = person.made("join", invitation)
        return person

    def approve(self, part, by="mira"):
        self[by].run("case", "approve", self.case, part.name)

    def add(self, *parts, by="mira"):
        """Invites, joins and approves; returns the last one's profile."""
        for part in parts:
            self.join(part, self.invite(part, by))
            self.approve(part, by)
        return self[parts[-1].key]

    def close(self):
        self.relay.stop()
