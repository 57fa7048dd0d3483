"""What the story prints: steps, and what participants see."""
import sys
import time


class Narrative:
    """`show` prints what each participant sees, too."""

    def __init__(self, show, out=sys.stdout):
        self.show = show
        self.out = out
        self.started = time.monotonic()
        self.count = 0

    def step(self, text):
        self.count += 1
        seconds = time.monotonic() - self.started
        self._print(("\n" if self.show else "") + f"{self.count:2}. {text}"
                    + ("" if self.show else f"  [{seconds:.1f} s]"))

    def say(self, text):
        """Something that has been proved, or that the reader should know."""
        self._print("    " + text)

    def seen_by(self, person, *arguments):
        """Shows what a command shows somebody. It is run in any case."""
        output = person.run(*arguments).out.rstrip("\n")
        if not self.show:
            return
        words = " ".join(quoted(argument) for argument in arguments)
        self._print(f"\n    {person.name} $ parley {words}")
        for line in output.splitlines():
            self._print("    | " + line)

    def _print(self, text):
        print(text, file=self.out, flush=True)


def quoted(argument):
    return f'"{argument}"' if " " in argument else argument
