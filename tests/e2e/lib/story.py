"""One mediation from its opening to the day when the co-mediator carries on alone."""
import filecmp
import os
import secrets
import shutil
import string

from lib import mediation as cast
from lib.interrupted_share import share_while_relay_dies
from lib.mediation import ANA, BEN, KIM, LEE, MIRA, NORA, SHAH, TOMAS, Mediation
from lib.proofs import Proofs
from lib.relay import rendezvous_id
from make_documents import JAPANESE_NAME, make_documents

HARBOR = "caucus:Harbor"
NORTHLINE = "caucus:Northline"
NEUTRALS = "neutrals"
JOINT = "joint"


class Words:
    """The marker words: one for each channel before and after the replacement of counsel. All have
    a random stem, which is nowhere by chance."""

    def __init__(self):
        self.stem = "CANARY" + "".join(secrets.choice(string.ascii_uppercase) for _ in range(8))
        self.by_place = {}

    def at(self, channel, time):
        return self.by_place.setdefault(
            (channel, time), f"{self.stem}-{channel.upper().replace('CAUCUS:', '')}-{time.upper()}")

    def of(self, *places):
        return {self.at(*place) for place in places}


def expect(condition, what):
    if not condition:
        raise AssertionError(what)


class Story:
    title = cast.TITLE
    gone = ("mira", "lee")  # at the end: whose profile was destroyed, and who was removed

    def __init__(self, programs, work, narrative, must_read_memory=False):
        self.work = work
        self.narrative = narrative
        self.mediation = Mediation(programs, work, locked=True)
        self.words = Words()
        self.proofs = Proofs(self, must_read_memory)
        self.documents = {}
        self.rendezvous = []

    def describe(self, key):
        part = self.mediation.parts[key]
        return part.role + (f", {part.side}" if part.side else "")

    def play(self):
        self.opening()
        self.pairing()
        self.opening_statements()
        self.caucuses()
        self.neutrals_notes()
        self.relay_dies()
        self.counsel_is_replaced()
        self.proofs.show()
        self.mediator_is_gone()
        self.narrative.step("The mediation was played to its end, and everything held.")

    # ---- The acts -----------------------------------------------------------------------------

    def opening(self):
        self.narrative.step("A relay is started, and Mira Voss opens a case on it.")
        self.mediation.open()
        self.narrative.say(f"the relay listens on {self.mediation.relay.address}")

    def pairing(self):
        self.narrative.step("Mira invites the others. Each joins, safety numbers are compared, "
                            "Mira approves.")
        for part in (TOMAS, ANA, LEE, BEN, SHAH):
            self.invite_and_approve(part, by="mira")
        self.narrative.seen_by(self.mediation["mira"], "case", "participants", self.title)
        self.narrative.seen_by(self.mediation["mira"], "channels", self.title)
        self.narrative.seen_by(self.mediation["ana"], "channels", self.title)
        for key, caucus in (("ana", HARBOR), ("ben", NORTHLINE)):
            expect(set(self.mediation[key].channels()) == {JOINT, caucus},
                   f"{key} sees other channels than joint and {caucus}")

    def invite_and_approve(self, part, by):
        inviter = self.mediation[by]
        invitation = self.mediation.invite(part, by)
        self.note_rendezvous(invitation)
        person = self.mediation.join(part, invitation)
        number = person.objects("case", "list")[0]["safety_number"]
        expect(len(number.split()) == 8, f"{part.name} sees no safety number: {number!r}")
        inviter.run("case", "compare", self.title, part.name, number)
        person.run("case", "compare", self.title, inviter.name, number)
        self.mediation.approve(part, by)

    def note_rendezvous(self, invitation):
        self.rendezvous.append(rendezvous_id(invitation))

    def opening_statements(self):
        self.narrative.step("Joint opening statements.")
        word = self.words.at(JOINT, "early")
        people = self.mediation.people
        people["mira"].send(JOINT, f"Welcome. What is said here stays here. ({word})")
        people["ana"].send(JOINT, "The conveyor stopped for eleven days. We want to be made whole.")
        people["ben"].send(JOINT, "It was serviced as agreed. We want to keep working together.")
        for key in ("mira", "tomas", "ana", "lee", "ben", "shah"):
            expect(len(people[key].texts(JOINT)) == 3, f"{key} doesn't see three statements")
        self.narrative.seen_by(people["shah"], "read", self.title, JOINT)

    def caucuses(self):
        self.narrative.step("Each caucus: messages and documents for the mediators and one side.")
        people = self.mediation.people
        harbor = self.words.at(HARBOR, "early")
        people["ana"].send(HARBOR, f"{harbor}: our floor is 690 thousand, with a covenant in June.")
        people["lee"].send(HARBOR, "Privileged: the expert's second report is weaker.")
        people["tomas"].send(HARBOR, "Understood. May we say that fast payment matters?")
        northline = self.words.at(NORTHLINE, "early")
        people["ben"].send(NORTHLINE, f"{northline}: our ceiling is 715 thousand.")
        people["mira"].send(NORTHLINE, "Thank you. It stays with Tomas and me.")
        self.share_documents("ana", HARBOR, harbor,
                             ("brief", "spreadsheet", "photograph", "empty", "japanese"))
        self.share_documents("shah", NORTHLINE, northline, ("brief", "chart", "japanese"))
        for key in ("mira", "tomas", "lee"):
            self.fetch_and_compare(key, HARBOR)
        for key in ("mira", "ben"):
            self.fetch_and_compare(key, NORTHLINE)
        self.narrative.seen_by(people["mira"], "read", self.title, HARBOR)
        self.narrative.seen_by(people["ana"], "documents", self.title, HARBOR)
        self.narrative.seen_by(people["ben"], "read", self.title, NORTHLINE)

    def share_documents(self, key, channel, word, kinds):
        paths = make_documents(os.path.join(self.work, "documents", key), word)
        for kind in kinds:
            # Compared byte for byte, and some have their marker where metadata stands.
            kept = ["--keep-metadata"] if kind in ("brief", "photograph", "chart") else []
            self.mediation[key].share(channel, paths[kind], *kept)
        self.documents[channel] = {os.path.basename(paths[kind]): paths[kind] for kind in kinds}
        self.documents[channel + " scan"] = paths["scan"]

    def fetch_and_compare(self, key, channel):
        person = self.mediation[key]
        listed = person.objects("documents", self.title, channel)
        names = [document["name"] for document in listed]
        expect(sorted(names) == sorted(self.documents[channel]),
               f"{key} sees these documents in {channel}: {names}")
        for document in listed:
            target = os.path.join(self.work, "fetched.tmp")
            person.fetch(channel, document["document"], target)
            expect(filecmp.cmp(target, self.documents[channel][document["name"]], shallow=False),
                   f"{key} got another {document['name']} than was shared")
            os.remove(target)

    def neutrals_notes(self):
        self.narrative.step("Notes among the neutrals.")
        people = self.mediation.people
        people["mira"].send(NEUTRALS, f"{self.words.at(NEUTRALS, 'early')}: 690 and 715 overlap.")
        people["tomas"].send(NEUTRALS, "Then let each side hear it in their own time.")
        expect(len(people["mira"].texts(NEUTRALS)) == 2, "Mira doesn't see two notes")
        for key in ("ana", "lee", "ben", "shah"):
            refusal = people[key].refused("read", self.title, NEUTRALS)
            expect(self.words.stem not in refusal, "a refusal holds a note")
        self.narrative.seen_by(people["tomas"], "read", self.title, NEUTRALS)

    def relay_dies(self):
        self.narrative.step("Lee shares a scan of 25 MB. The relay is killed in mid-transfer, and "
                            "started again.")
        people = self.mediation.people
        scan = self.documents[HARBOR + " scan"]

        def while_down():
            outcome = people["ana"].run("send", self.title, HARBOR, "The scan is on its way.",
                                        "--json").objects()[0]
            expect(outcome["queued"], "a message went out although the relay was down")

        stored = share_while_relay_dies(people["lee"], self.mediation.relay, HARBOR, scan,
                                        while_down, "--keep-metadata")
        self.narrative.say(f"killed when {stored / 1e6:.1f} of {os.path.getsize(scan) / 1e6:.1f} MB "
                           "had arrived; a message sent meanwhile was kept, and the transfer went on")
        self.documents[HARBOR][os.path.basename(scan)] = scan
        people["ana"].run("sync")
        for key in ("mira", "tomas", "ana"):
            self.fetch_and_compare(key, HARBOR)
            texts = people[key].texts(HARBOR)
            expect(texts.count("The scan is on its way.") == 1, f"{key} sees it not exactly once")
            expect(len(texts) == 4, f"{key} sees {len(texts)} messages in {HARBOR}")
        self.narrative.seen_by(people["lee"], "documents", self.title, HARBOR)

    def counsel_is_replaced(self):
        self.narrative.step("Harbor's counsel is replaced: Lee Castellan goes, Kim Adeyemi comes.")
        people = self.mediation.people
        people["mira"].run("case", "remove", self.title, LEE.name)
        self.invite_and_approve(KIM, by="mira")
        people["ana"].send(HARBOR, f"Kim, welcome. {self.words.at(HARBOR, 'late')}: 700 would do.")
        people["mira"].send(JOINT, f"Harbor has new counsel. ({self.words.at(JOINT, 'late')})")
        people["shah"].send(NORTHLINE, f"{self.words.at(NORTHLINE, 'late')}: we can go to 712.")
        people["kim"].send(HARBOR, "Glad to be here. I have nothing from before today.")
        people["lee"].refused("send", self.title, HARBOR, "May I still say something?")
        expect(len(people["kim"].texts(HARBOR)) == 2, "Kim sees other messages than the new ones")
        expect(people["kim"].objects("documents", self.title, HARBOR) == [],
               "Kim sees documents from before")
        expect(len(people["lee"].texts(HARBOR)) == 4, "Lee sees other messages than the old ones")
        self.narrative.seen_by(people["kim"], "read", self.title, HARBOR)
        self.narrative.seen_by(people["lee"], "channels", self.title)

    def mediator_is_gone(self):
        self.narrative.step("Mira's profile is destroyed. Tomas carries on alone.")
        people = self.mediation.people
        shutil.rmtree(people["mira"].folder)
        tomas = people["tomas"]
        for channel, readers in ((HARBOR, ("ana", "kim")), (NORTHLINE, ("ben", "shah")),
                                 (JOINT, ("ana", "kim", "ben", "shah"))):
            text = f"Mira is unwell; I go on with you in {channel}."
            tomas.send(channel, text)
            for key in readers:
                expect(people[key].texts(channel)[-1] == text, f"{key} doesn't hear from Tomas")
        tomas.send(NEUTRALS, "Alone from here on.")
        self.invite_and_approve(NORA, by="tomas")
        people["ben"].send(NORTHLINE, "Nora will decide with me.")
        people["nora"].send(JOINT, "Good afternoon, everyone.")
        expect(people["nora"].texts(NORTHLINE) == ["Nora will decide with me."],
               "Nora sees other messages than the new one")
        expect(people["ana"].texts(JOINT)[-1] == "Good afternoon, everyone.",
               "Ana doesn't hear Nora")
        expect(JAPANESE_NAME in str(people["ben"].objects("documents", self.title, NORTHLINE)),
               "Ben's documents are gone")
        self.narrative.seen_by(tomas, "case", "participants", self.title)
        self.narrative.seen_by(people["nora"], "read", self.title, JOINT)
