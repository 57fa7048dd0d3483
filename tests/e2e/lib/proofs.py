"""What must hold in the story: who sees which marker words, and what the relay holds."""
import os

from lib.search import have_table_reader, search_folder, search_relay
from lib.views import search_view, words_found
from make_documents import JAPANESE_NAME

HARBOR = [("caucus:Harbor", "early"), ("caucus:Harbor", "late")]
NORTHLINE = [("caucus:Northline", "early"), ("caucus:Northline", "late")]
JOINT = [("joint", "early"), ("joint", "late")]
NEUTRALS = [("neutrals", "early")]

# Who may see which marker words: exactly these.
SEES = {
    "mira": HARBOR + NORTHLINE + JOINT + NEUTRALS,
    "tomas": HARBOR + NORTHLINE + JOINT + NEUTRALS,
    "ana": HARBOR + JOINT,
    "lee": HARBOR[:1] + JOINT[:1],  # nothing after the removal
    "kim": HARBOR[1:] + JOINT[1:],  # nothing from before
    "ben": NORTHLINE + JOINT,
    "shah": NORTHLINE + JOINT,
}


class Proofs:
    def __init__(self, story, must_read_memory):
        self.story = story
        self.must_read_memory = must_read_memory

    def show(self):
        self.views()
        self.profiles_at_rest()
        self.relay()

    def views(self):
        self.story.narrative.step("Each caucus' marker words are looked for in every profile's "
                                  "view: channels, messages, documents.")
        words = self.story.words
        everything = set(words.by_place.values())
        for key, places in SEES.items():
            person = self.story.mediation[key]
            found = words_found(search_view(person, sorted(everything), self.story.work))
            may = words.of(*places)
            if found - may:
                raise AssertionError(f"{person.name} sees what they must not: {found - may}")
            if may - found:
                raise AssertionError(f"{person.name} doesn't see: {may - found}")
            self.story.narrative.say(f"{person.name}: sees the {len(may)} marker words of their own "
                                     f"channels and times, none of the other {len(everything - may)}")

    def profiles_at_rest(self):
        words = self.secret_words()
        for person in self.story.mediation.people.values():
            findings = search_folder(person.folder, words)
            if findings:
                raise AssertionError(f"{person.name}'s folder holds plaintext: {findings[0]}")
        self.story.narrative.say("the profiles' own files hold no plaintext")

    def secret_words(self):
        """What nobody may find at the relay or in a file: marker words, people, names of documents,
        the case's title and sides."""
        names = [part.name for part in self.story.mediation.parts.values()]
        return [self.story.words.stem, self.story.title, "Northline", "caucus:", "position paper",
                "damages.xlsx", JAPANESE_NAME[:5], "690 thousand", *names]

    def relay(self):
        relay_holds_nothing(self.story, self.secret_words(), self.story.rendezvous[0],
                            self.must_read_memory)


def relay_holds_nothing(story, words, control, must_read_memory=False):
    """Searches all that the story's running relay has for `words`, and for the mailbox id
    `control`, which must be found."""
    narrative = story.narrative
    narrative.step("All of the running relay is searched: its files, its records one by one, its log, "
                   "a core image of its memory.")
    if not have_table_reader():
        raise AssertionError("sst_dump is missing: install the package rocksdb-tools")
    found, counts = search_relay(story.mediation.relay, [*words, control], story.work)
    if found["memory"] is None:
        if must_read_memory:
            raise AssertionError("only root can read the relay's memory: run this as root")
        narrative.say("SKIPPED: the relay's memory. Only root can read it; run this as root.")
        del found["memory"]
    if counts["records"] == 0:
        raise AssertionError("no record was found inside RocksDB's tables: all that was searched is "
                             "the write-ahead log")
    for place, findings in found.items():
        leaks = [finding for finding in findings if finding.word != control.hex()]
        if leaks:
            raise AssertionError("the relay holds plaintext: "
                                 + "; ".join(str(leak) for leak in leaks[:5]))
        if place in ("files", "memory") and not findings:
            raise AssertionError(f"the control, a known mailbox id, was not found in {place}: the "
                                 "search proves nothing")
    narrative.say("searched " + ", ".join(f"{count:,} {what}" for what, count in counts.items()))
    narrative.say(f"looked for {len(words)} words, each as text, UTF-16, base64 and hexadecimal: none "
                  "found")
    narrative.say(f"control: mailbox id {control.hex()[:16]}… was found in "
                  + " and ".join(place for place, findings in found.items() if findings))
