"""Everything that a participant's program shows them, gathered for a search."""
import os

from lib.search import search_bytes, search_file


def search_view(person, words, work):
    """Searches all that the profile's owner can see: every command's output, in all channels, and
    every document, fetched. Returns findings by channel; "" for what is of no channel."""
    person.run("sync")
    findings = {"": search_bytes(case_output(person).encode(), words, f"{person.name}'s case")}
    for name in person.channels():
        place = f"{person.name}'s {name}"
        shown = (person.run("--offline", "read", person.case, name).out
                 + person.run("--offline", "read", person.case, name, "--json").out
                 + person.run("--offline", "documents", person.case, name, "--json").out)
        findings[name] = search_bytes(shown.encode("utf-8", "surrogateescape"), words, place)
        for document in person.objects("--offline", "documents", person.case, name):
            target = os.path.join(work, "view.tmp")
            person.run("--offline", "fetch", person.case, name, document["document"], "-o", target,
                       "--force")
            findings[name] += search_file(target, words, f"{place}, document {document['name']}")
            os.remove(target)
    return findings


def case_output(person):
    parts = [("whoami",), ("case", "list"), ("case", "participants", person.case),
             ("channels", person.case), ("warnings", person.case)]
    return "".join(person.run("--offline", *part, *json).out
                   for part in parts for json in ((), ("--json",)))


def words_found(findings):
    """The words in all findings of search_view."""
    return {finding.word for found in findings.values() for finding in found}
