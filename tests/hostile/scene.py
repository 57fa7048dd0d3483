"""A mediation in which everybody has a hostile relay of their own between them and the true one.

  scene = Scene(programs, work, (TOMAS, ANA, BEN))
  scene.relays["ana"].rule("alter", mailbox=scene.mailbox("joint"), position=7)
  scene["ana"].attempt("sync")
  scene.restore()                       # everything is again as it was when it was set up

Setting up takes seconds; restore() copies folders. The hostile relays behave until they are told
otherwise.
"""
import json
import os
import shutil
import subprocess

from hostile_relay import HostileRelay, readdress_invitation
from lib.mediation import MIRA, Mediation
from lib.relay import at_address

MOST_ROUNDS = 8


class Scene:
    def __init__(self, programs, work, parts):
        self.programs = programs
        self.work = work
        self.mediation = Mediation(programs, work)
        self.relays = {}
        self.mediation.relay.start()
        self.connection = self.mediation.relay.add_sponsor()
        self.mediation.open_with(at_address(self.connection, self._stand_before("mira")), MIRA)
        for part in parts:
            self.join(part)
            self.mediation.approve(part)
        self.settle()
        self._snapshot()

    def _stand_before(self, key):
        """Starts a hostile relay for somebody, and gives its address."""
        relay = self.mediation.relay
        self.relays[key] = HostileRelay(
            os.path.join(self.programs, "parley-hostile-relay"), relay.data, relay.address)
        return self.relays[key].address

    def __getitem__(self, key):
        return self.mediation[key]

    @property
    def case(self):
        return self.mediation.case

    @property
    def people(self):
        return self.mediation.people

    def close(self):
        for relay in self.relays.values():
            relay.stop()
        self.mediation.close()

    # ---- What participants do -----------------------------------------------------------------

    def invite(self, part, by="mira"):
        """An invitation that leads to a hostile relay of the invitee's own."""
        if part.key not in self.relays:
            self._stand_before(part.key)
        return readdress_invitation(self.mediation.invite(part, by),
                                    self.relays[part.key].address)

    def join(self, part, by="mira"):
        return self.mediation.join(part, self.invite(part, by))

    def sync(self, *keys):
        """These participants sync (all of them, when none is named)."""
        for key in keys or self.people:
            self[key].run("sync")

    def settle(self):
        """Everybody syncs until nobody has anything to say any more."""
        for _ in range(MOST_ROUNDS):
            for relay in self.relays.values():
                relay.appends()
            self.sync()
            if not any(relay.appends() for relay in self.relays.values()):
                return
        raise AssertionError("the participants' programs don't come to rest")

    def sent_at(self, key, channel, text):
        """Sends a message and gives the position at which the relay stored it."""
        relay, mailbox = self.relays[key], self.mailbox(channel, key)
        relay.appends()
        self[key].send(channel, text)
        positions = [append.position for append in relay.appends()
                     if append.mailbox == mailbox and not append.closing]
        if not positions:
            raise AssertionError(f"{text!r} was not appended")
        return positions[-1]

    # ---- What only a test can know -------------------------------------------------------------

    def rogue(self, key, *arguments):
        """parley-rogue with somebody's profile; its line of output."""
        done = subprocess.run(
            [os.path.join(self.programs, "parley-rogue"), self[key].folder, *arguments],
            capture_output=True, text=True, timeout=120, check=False)
        if done.returncode != 0:
            raise AssertionError(f"parley-rogue {' '.join(arguments)}: {done.stderr}")
        return done.stdout

    def act(self, key, channel, act, **options):
        """A rogue act of somebody's, through their own relay."""
        return self.rogue(key, "act", self.connection_of(key), channel, act,
                          *(f"{name}={value}" for name, value in options.items())).strip()

    def connection_of(self, key):
        return at_address(self.connection, self.relays[key].address)

    def mailbox(self, channel, key="mira"):
        """The id of a channel's mailbox, in hexadecimal."""
        for line in self.rogue(key, "list").splitlines():
            name, _, mailbox, *_ = line.rsplit(" ", 4)
            if name == channel:
                return mailbox
        raise AssertionError(f"{key} has no channel {channel}")

    def generation(self, channel, key="mira"):
        for line in self.rogue(key, "list").splitlines():
            name, *_, generation, _ = line.rsplit(" ", 4)
            if name == channel:
                return int(generation)
        raise AssertionError(f"{key} has no channel {channel}")

    # ---- Back to the beginning ---------------------------------------------------------------

    def _folders(self):
        return [self.mediation.relay.data, os.path.join(self.work, "profiles")]

    def _snapshot(self):
        self.mediation.relay.stop()
        for index, folder in enumerate(self._folders()):
            shutil.copytree(folder, os.path.join(self.work, f"snapshot{index}"))
        self._people = list(self.people)
        self.mediation.relay.start()

    def restore(self):
        self.mediation.relay.kill()
        for index, folder in enumerate(self._folders()):
            shutil.rmtree(folder)
            shutil.copytree(os.path.join(self.work, f"snapshot{index}"), folder)
        for key in [key for key in self.people if key not in self._people]:
            del self.people[key]
        self.mediation.relay.start()
        for relay in self.relays.values():
            relay.forget()


def warnings_of(person):
    """What the program warns of, without asking the relay."""
    return [json.loads(line)
            for line in person.attempt("--offline", "--json", "warnings").out.splitlines()]


def offline_channels(person):
    return {one["channel"]: one for one in
            person.run("--offline", "--json", "channels", person.case).objects()}


def offline_texts(person, channel):
    """The texts that the channel has by what the program shows, without asking the relay."""
    return [one["text"] for one in
            person.run("--offline", "--json", "read", person.case, channel).objects()
            if one["kind"] == "text" and one["delivery"] == "sent"]
