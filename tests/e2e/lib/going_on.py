"""How to go on by hand as each participant, when the story has been played."""
import os
import shlex


def people_to_go_on(story):
    return [key for key in story.mediation.people if key not in story.gone]


def commands_to_go_on(story, programs, key):
    """The lines that somebody types in a shell, as they are printed."""
    person = story.mediation.people[key]
    side = story.mediation.parts[key].side
    program = shlex.quote(os.path.join(programs, "parley"))
    if person.passphrase_file:
        program += " --passphrase-file " + shlex.quote(person.passphrase_file)
    title = shlex.quote(story.title)
    private = shlex.quote("caucus:" + side) if side else "neutrals"
    return [f"export PARLEY_PROFILE={shlex.quote(person.folder)}",
            f"{program} channels {title}",
            f"{program} read {title} joint",
            f"{program} send {title} {private} 'A word in private.'",
            f"{program} read {title} {private}"]
