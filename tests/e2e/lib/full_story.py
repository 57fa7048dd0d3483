"""The long story: one mediation by its procedure, from the request to the offers, with every refusal
on the way. Steps as in docs/mediators-guide.md; each is a method."""
import os
import secrets
import string

from lib import mediation as cast
from lib.mediation import ANA, BEN, LEE, MIRA, SHAH, TOMAS, Mediation, Part
from lib.proofs import relay_holds_nothing
from lib.relay import rendezvous_id
from lib.views import search_view, words_found
from make_documents import make_documents

JOINT = "joint"
HARBOR = "caucus:Harbor"
NORTHLINE = "caucus:Northline"
NEUTRALS = "neutrals"
COUNSEL = "counsel"
PEOPLE = ("mira", "tomas", "ana", "lee", "ben", "shah")
EVA = Part("eva", "Eva Lindholm", "expert")


def expect(condition, what):
    if not condition:
        raise AssertionError(what)


class FullStory:
    title = cast.TITLE
    gone = ()

    def __init__(self, programs, work, narrative):
        self.work = work
        self.narrative = narrative
        self.mediation = Mediation(programs, work)
        stem = "".join(secrets.choice(string.ascii_uppercase) for _ in range(8))
        # A marker word for each secret, by who may see it at the end.
        self.canaries = {
            f"CANARYH{stem}": ("mira", "tomas", "ana", "lee"),
            f"CANARYN{stem}": ("mira", "tomas", "ben", "shah"),
            f"CANARYT{stem}": ("ana", "lee"),
            f"CANARYU{stem}": ("ben", "shah"),
            f"CANARYX{stem}": ("mira", "tomas", "lee", "shah"),
        }
        self.canary_h, self.canary_n, self.canary_t, self.canary_u, self.canary_x = self.canaries
        self.documents = {}
        self.agreement = None
        self.leave = None
        self.rendezvous = None

    def describe(self, key):
        part = self.mediation.parts[key]
        return part.role + (f", {part.side}" if part.side else "")

    def play(self):
        self.request()
        self.conflicts()
        self.agreement_is_signed()
        self.channels()
        self.briefs()
        self.agenda_and_openings()
        self.harbor_confides()
        self.northline_hears_what_is_authorised()
        self.expert_comes_and_goes()
        self.offers()
        self.record()
        self.nothing_has_leaked()
        self.narrative.step("The long story was played to its end, and everything held.")

    # ---- What the steps are told with ---------------------------------------------------------

    def __getitem__(self, key):
        return self.mediation[key]

    def everybody_syncs(self):
        for person in self.mediation.people.values():
            person.run("sync")

    def do(self, key, *words):
        """A command whose third word is the case."""
        return self[key].made(*words[:2], self.mediation.case, *words[2:])

    def objects(self, key, *words):
        return self[key].objects(*words[:2], self.mediation.case, *words[2:])

    def refused(self, key, *words, because, never=()):
        """The command is refused with one line that holds all of `because`; it is shown."""
        line = self[key].refused(*words)
        for reason in because:
            expect(reason in line, f"{key}: {' '.join(words)}: not refused for {reason!r}: {line}")
        for word in never:
            expect(word not in line, f"the refusal holds {word!r}: {line}")
        self.narrative.say(f"{self[key].name} is refused: {line}")
        return line

    def status(self, key):
        return self.objects(key, "case", "status")[0]

    def expect_state(self, state):
        self.everybody_syncs()
        for key in self.mediation.people:
            seen = self.status(key)["state"]
            expect(seen == state, f"{key} sees the state {seen}, not {state}")

    # ---- 1 to 4: how it begins ----------------------------------------------------------------

    def request(self):
        self.narrative.step("Mira opens the case and lets everybody in. Ana's side requests "
                            "mediation, Ben's side accepts.")
        self.mediation.open(options=("--procedure",))
        for part in (TOMAS, ANA, LEE, BEN, SHAH):
            invitation = self.mediation.invite(part)
            self.rendezvous = rendezvous_id(invitation)
            self.mediation.join(part, invitation)
            self.mediation.approve(part)
            self.compare(part.key)
        for _ in range(2):
            self.everybody_syncs()
        case = self.mediation.case
        self.refused("mira", "case", "request", case, "Shall we?", because=("only party or counsel",))
        self.refused("ana", "send", case, JOINT, "Hello?", because=("nothing can be said yet",))
        self.do("ana", "case", "request", "The conveyor that you delivered is faulty: $1.84 million.")
        self.refused("shah", "case", "request", case, "We, too.", because=("requested",))
        self.do("shah", "case", "accept")
        self.expect_state("consented")
        self.narrative.seen_by(self["ben"], "case", "status", self.title)

    def compare(self, key):
        number = self[key].objects("case", "list")[0]["safety_number"]
        self["mira"].run("case", "compare", self.mediation.case, self[key].name, number)
        self[key].run("case", "compare", self.mediation.case, MIRA.name, number)

    def conflicts(self):
        self.narrative.step("Tomas discloses a paid lecture for Northline; both sides waive.")
        case = self.mediation.case
        self.do("tomas", "case", "disclose-conflict", "A paid lecture for Northline in May.")
        self.refused("mira", "case", "waive", case, because=("only party or counsel",))
        self.do("ana", "case", "waive", "We knew.")
        self.do("ben", "case", "waive")
        self.everybody_syncs()
        expect(self.status("lee")["disclosures"][0]["settled"], "the disclosure isn't settled")

    def agreement_is_signed(self):
        self.narrative.step("All six sign the agreement to mediate: closed caucuses, notes for 7 "
                            "days, the settlement for 7 years.")
        case = self.mediation.case
        self.refused("ana", "case", "agreement", "propose", case, "--template", "closed-caucus",
                     because=("only mediator or co-mediator",))
        self.agreement = self["mira"].made("case", "agreement", "propose", case, "--template",
                                           "closed-caucus")
        shown = self["lee"].run("case", "agreement", "show", case).out
        for line in ("caucus: closed", "keep notes: 7 days", "keep settlement: 7 years"):
            expect(line in shown, f"the agreement doesn't say {line!r}")
        self.refused("ben", "case", "agreement", "sign", case, "0" * 64, "-y", because=())
        for key in PEOPLE[:-1]:
            self["ben"].run("sync")
            self[key].made("case", "agreement", "sign", case, self.agreement, "-y")
        self.refused("ana", "send", case, JOINT, "Hello?",
                     because=(f"{SHAH.name} signs the agreement to mediate",))
        self["shah"].made("case", "agreement", "sign", case, self.agreement, "-y")
        self.expect_state("engaged")
        signers = self.status("ana")["in_force"][0]["signers"]
        expect(len(signers) == 6 and all(one["signed"] for one in signers), "not all have signed")
        self.narrative.seen_by(self["ana"], "case", "status", self.title)

    def channels(self):
        self.narrative.step("The channels: joint, two caucuses, two teams, counsel, neutrals.")
        case = self.mediation.case
        self.refused("mira", "channel", "create", case, "team", because=())
        self.refused("ana", "channel", "create", case, COUNSEL, because=())
        for key, other, word in (("ana", "lee", self.canary_t), ("ben", "shah", self.canary_u)):
            self[key].run("channel", "create", case, "team")
            for _ in range(3):
                self[other].run("sync")
                self[key].run("sync")
            self[key].send("team", f"{word}: this is for us two.")
            expect(self[other].texts("team") == [f"{word}: this is for us two."],
                   f"{other} isn't in the team")
        self["mira"].run("channel", "create", case, COUNSEL)
        for _ in range(2):
            self.everybody_syncs()
        for key, others in (("ana", {HARBOR, "team:Harbor"}),
                            ("lee", {HARBOR, "team:Harbor", COUNSEL}),
                            ("ben", {NORTHLINE, "team:Northline"}),
                            ("shah", {NORTHLINE, "team:Northline", COUNSEL}),
                            ("mira", {HARBOR, NORTHLINE, NEUTRALS, COUNSEL}),
                            ("tomas", {HARBOR, NORTHLINE, NEUTRALS, COUNSEL})):
            seen = set(self[key].channels())
            expect(seen == others | {JOINT}, f"{key} sees the channels {seen}")
        self.refused("mira", "read", case, "team:Harbor", because=("there is no channel",))
        self.narrative.seen_by(self["mira"], "channels", self.title)
        self.narrative.seen_by(self["lee"], "channels", self.title)

    # ---- 5: briefs ----------------------------------------------------------------------------

    def briefs(self):
        self.narrative.step("Briefs are exchanged, and released together; each side adds a letter for "
                            "the mediators alone.")
        case = self.mediation.case
        letters = {}
        for key, word in (("lee", self.canary_h), ("shah", self.canary_n)):
            paths = make_documents(os.path.join(self.work, "briefs", key), key, 2_000_000)
            letter = os.path.join(self.work, "briefs", f"letter of {key}.txt")
            with open(letter, "w", encoding="utf-8") as file:
                file.write(f"{word}: for the mediators' eyes.\n")
            letters[key] = self[key].made("brief", "submit", case, letter, "--mediator-only")
            if key == "lee":
                self.refused("mira", "brief", "release", case, because=())
            self[key].run("brief", "submit", case, paths["brief"], "--exchanged", "--name",
                          f"position paper of {key}.pdf")
            if key == "lee":
                self.refused("mira", "brief", "release", case, because=("Northline",))
                expect(self["shah"].objects("documents", case, JOINT) == [],
                       "Shah sees Harbor's brief too early")
        self.refused("ben", "brief", "release", case, because=())
        self["mira"].made("brief", "release", case)
        for key in ("ana", "shah"):
            names = sorted(one["name"] for one in self[key].objects("documents", case, JOINT))
            expect(names == ["position paper of lee.pdf", "position paper of shah.pdf"],
                   f"{key} sees these briefs: {names}")
        # Shah tries to fetch what Lee wrote to the mediators.
        for channel in (JOINT, NORTHLINE):
            self.refused("shah", "fetch", case, channel, letters["lee"], "-o",
                         os.path.join(self.work, "stolen"), because=())
        expect(not os.path.exists(os.path.join(self.work, "stolen")), "Shah has Lee's letter")
        self["tomas"].fetch(HARBOR, letters["lee"], os.path.join(self.work, "letter"))
        self.narrative.seen_by(self["mira"], "brief", "list", self.title)

    # ---- 6: the session begins ----------------------------------------------------------------

    def agenda_and_openings(self):
        self.narrative.step("Agenda, ground rules and openings; a summary is corrected.")
        case = self.mediation.case
        self.do("mira", "case", "act", "begin-session")
        self.refused("ana", "agenda", "set", case, "Mine.", because=("only mediator or co-mediator",))
        self.do("mira", "agenda", "set", "1. The conveyor.\n2. The delay.\n3. The price.")
        self.do("mira", "ground-rules", "set", "Nobody interrupts. Breaks at any time.")
        for key in ("ana", "ben"):
            self[key].run("sync")
            self.do(key, "agenda", "ack")
            self.do(key, "ground-rules", "ack")
        self["mira"].run("floor", "give", case, "Ana")
        held = self["ben"].objects("send", case, JOINT, "It was serviced as agreed.")[0]
        expect(held["held"], "Ben's words aren't held while Ana has the floor")
        self["ana"].send(JOINT, "The conveyor stopped for eleven days.")
        expect(self["mira"].texts(JOINT) == ["The conveyor stopped for eleven days."],
               "somebody spoke without the floor")
        self["mira"].run("floor", "give", case, "all")
        self.everybody_syncs()
        expect(self["ana"].texts(JOINT)[-1] == "It was serviced as agreed.",
               "what was held never came")
        self.do("mira", "summary", "set", "The conveyor stood still for ten days.")
        self["ana"].run("sync")
        self.do("ana", "summary", "correct", "Eleven days.", "--of", "1")
        answers = self.objects("mira", "summary", "show")[0]["answers"]
        expect([(one["answer"], one["words"]) for one in answers] == [("corrected", "Eleven days.")],
               f"the correction isn't there: {answers}")
        self.do("mira", "summary", "set", "The conveyor stood still for eleven days.")
        for key in ("ana", "ben"):
            self[key].run("sync")
            self.do(key, "summary", "confirm", "--of", "2")
        self.narrative.seen_by(self["shah"], "read", self.title, JOINT)

    # ---- 7 and 8: in confidence ---------------------------------------------------------------

    def harbor_confides(self):
        self.narrative.step("The caucus with Harbor. Ana names her floor, and authorises four words.")
        ana, case = self["ana"], self.mediation.case
        ana.send(HARBOR, f"{self.canary_h}: floor 690 thousand; covenant on 30 June. "
                         "Fast payment matters.")
        item = ana.read(HARBOR)[-1]["position"]
        self.refused("ben", "authorise", case, HARBOR, item, "--to", NORTHLINE, because=())
        self.leave = ana.made("authorise", case, HARBOR, item, "--to", NORTHLINE, "--words",
                              "Fast payment matters.")
        self["tomas"].send(NEUTRALS, f"{self.canary_h} is below what they ask; they need it by June.")
        self.narrative.seen_by(self["mira"], "authorisations", self.title)

    def northline_hears_what_is_authorised(self):
        self.narrative.step("The caucus with Northline receives exactly that. Ben names his ceiling "
                            "and authorises nothing; Mira's slips of the hand are refused.")
        case, ben = self.mediation.case, self["ben"]
        slip = "They say: floor 690 thousand; covenant on 30 June. Fast payment matters."
        for channel in (NORTHLINE, JOINT):
            self.refused("mira", "send", case, channel, slip, never=("690",),
                         because=(ANA.name, HARBOR, BEN.name, SHAH.name))
        self["mira"].made("disclose", case, self.leave)
        heard = [(one["kind"], one["text"]) for one in ben.read(NORTHLINE)
                 if one["kind"] not in ("document", "notice")]
        expect(heard == [("disclosure", "Fast payment matters.")], f"Ben hears {heard}")
        self.refused("tomas", "disclose", case, self.leave, because=("used",))
        ben.send(NORTHLINE, f"{self.canary_n}: ceiling 715 thousand. Nobody else may know.")
        for channel in (HARBOR, JOINT):
            self.refused("mira", "send", case, channel,
                         f"{self.canary_n.lower()} - CEILING 715 thousand. Nobody else may know",
                         never=("715",), because=(BEN.name, NORTHLINE, ANA.name))
        self.share_papers()
        self.narrative.seen_by(ben, "read", self.title, NORTHLINE)
        self.narrative.seen_by(self["ana"], "read", self.title, HARBOR)

    def share_papers(self):
        """What each side shows the mediators alone, and a file that is picked by mistake."""
        for key, channel, canary in (("ana", HARBOR, self.canary_h), ("shah", NORTHLINE,
                                                                      self.canary_n)):
            paths = make_documents(os.path.join(self.work, "documents", key), canary, 2_000_000)
            for kind in ("spreadsheet", "scan", "empty", "japanese"):
                self[key].share(channel, paths[kind])
            self.documents[key] = paths
        self.refused("mira", "share", self.mediation.case, NORTHLINE,
                     self.documents["ana"]["spreadsheet"], because=(ANA.name, HARBOR, BEN.name))

    # ---- 9: an expert -------------------------------------------------------------------------

    def expert_comes_and_goes(self):
        self.narrative.step("An expert signs, joins the counsel channel for the video, and leaves; "
                            "later messages are unreadable to her.")
        case = self.mediation.case
        self.mediation.join(EVA, self.mediation.invite(EVA))
        self.mediation.approve(EVA)
        self.compare("eva")
        for _ in range(2):
            self.everybody_syncs()
        self.refused("mira", "channel", "admit", case, "team:Harbor", EVA.name, because=())
        # The agreement lies in the joint channel: who is to sign it is let in there first.
        self["mira"].run("channel", "admit", case, JOINT, EVA.name)
        for _ in range(2):
            self.everybody_syncs()
        self.refused("mira", "send", case, JOINT, "Before she signs?",
                     because=(f"{EVA.name} signs the agreement to mediate",))
        self["eva"].made("case", "agreement", "sign", case, self.agreement, "-y")
        self["mira"].run("channel", "admit", case, COUNSEL, EVA.name)
        for _ in range(2):
            self.everybody_syncs()
        active = {name for name, channel in self["eva"].channels().items()
                  if channel["status"] == "active"}
        expect(active == {JOINT, COUNSEL}, f"Eva is in the channels {active}")
        video = os.path.join(self.work, "deposition.mp4")
        with open(video, "wb") as file:
            file.write(secrets.token_bytes(3_000_000))
        shared = self["shah"].share(COUNSEL, video)
        self["eva"].fetch(COUNSEL, shared, os.path.join(self.work, "seen by eva.mp4"))
        self["eva"].send(COUNSEL, "The bearing was dry.")
        for channel in (COUNSEL, JOINT):
            self["mira"].run("channel", "dismiss", case, channel, EVA.name, "-y")
        self["lee"].send(COUNSEL, f"{self.canary_x}: the bearing again.")
        expect(self["shah"].texts(COUNSEL)[-1].startswith(self.canary_x), "Shah doesn't hear Lee")
        self["eva"].attempt("sync")
        shown = self["eva"].attempt("read", case, COUNSEL)
        expect(self.canary_x not in shown.out + shown.err, "Eva reads on after she has left")
        self.refused("eva", "send", case, COUNSEL, "And again.", because=())
        self.narrative.seen_by(self["shah"], "read", self.title, COUNSEL)

    # ---- 10: offers ---------------------------------------------------------------------------

    def offers(self):
        self.narrative.step("Offers: 1.2 million against 400 thousand, 950 against 600; an option "
                            "sheet for each caucus.")
        case = self.mediation.case
        self.mediation.relay.stop()
        self.mediation.relay.start()
        self.narrative.say("over night the relay was stopped and started again")
        self.refused("mira", "offer", "make", case, JOINT, "--text", "720 thousand",
                     because=("only parties and counsel make offers",))
        first = self.offer("ana", "--text", "For everything.", "--amount", "1.2 million", "--to",
                           "Northline")
        answer = self.offer("ben", "--text", "For everything.", "--amount", "400 thousand",
                            "--counter", first)
        second = self.offer("ana", "--text", "For everything.", "--amount", "950 thousand",
                            "--counter", answer)
        self.offer("shah", "--text", "With servicing.", "--amount", "600 thousand", "--counter",
                   second)
        self.refused("ben", "offer", "accept", case, first, "--version", "1",
                     because=("version 1 is countered",))
        self.narrative.seen_by(self["ana"], "offers", self.title)
        for key, channel in (("ana", HARBOR), ("ben", NORTHLINE)):
            sheet = self["mira"].made("options", "make", case, channel, "--title", "Ways to pay",
                                      "--option", "in one sum", "--option", "in three instalments")
            self[key].run("sync")
            self[key].run("options", "evaluate", case, sheet[:12], "--rate", "1=2", "--rate", "2=5")
        self.everybody_syncs()

    def offer(self, key, *words):
        self[key].run("sync")
        return self[key].made("offer", "make", self.mediation.case, JOINT, *words)[:12]

    # ---- The record ---------------------------------------------------------------------------

    def record(self):
        self.narrative.step("The record: the timeline without content, the same for all who may see "
                            "it; search in what one may read.")
        case = self.mediation.case
        self.everybody_syncs()
        heads = []
        for key in PEOPLE:
            chains = self[key].objects("case", "timeline", case, "--verify")
            expect(chains and all(one["whole"] for one in chains), f"{key} has a broken chain")
            heads += [(one["head"], one["head_hash"]) for one in chains if one["chain"] == JOINT]
        expect(len(heads) == 6 and len(set(heads)) == 1,
               f"not all see the same log of the joint channel: {heads}")
        for key, canary, count in (("ana", self.canary_h, 1), ("ben", self.canary_h, 0),
                                   ("mira", self.canary_n, 1), ("lee", self.canary_n, 0)):
            found = self[key].objects("search", canary, "--case", case)
            expect(bool(found) == bool(count), f"{key} finds {len(found)} times {canary}")
        self.narrative.seen_by(self["mira"], "case", "timeline", self.title)

    def nothing_has_leaked(self):
        self.narrative.step("The marker words are looked for in everybody's view.")
        for key, person in self.mediation.people.items():
            found = words_found(search_view(person, sorted(self.canaries), self.work))
            may = {word for word, people in self.canaries.items() if key in people}
            expect(found == may, f"{person.name} sees {found}, and should see {may}")
            self.narrative.say(f"{person.name}: {len(may)} of {len(self.canaries)}, as it must be")
        relay_holds_nothing(self, [*self.canaries, self.title, "690 thousand", "caucus:", "damages.xlsx",
                                   *(part.name for part in self.mediation.parts.values())],
                            self.rendezvous)
