"""A running `parley watch`, whose lines are waited for instead of sleeping."""
import json
import signal
import threading

LINE_SECONDS = 90


class Watching:
    def __init__(self, person, *options):
        self.process = person.start("watch", person.case, *options)
        self._lines = []
        self._news = threading.Condition()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self):
        for line in self.process.stdout:
            with self._news:
                self._lines.append(line)
                self._news.notify_all()

    def wait_for(self, text, seconds=LINE_SECONDS):
        """Returns once a line with the text has come."""
        with self._news:
            if not self._news.wait_for(lambda: any(text in line for line in self._lines), seconds):
                raise AssertionError(f"no line with {text!r} within {seconds} s, but: "
                                     + "".join(self._lines))
        return self

    def stop(self, with_signal=signal.SIGINT):
        """Ends it as a person does; returns its whole output. It must end with status 0."""
        self.process.send_signal(with_signal)
        self.process.wait(30)
        self._reader.join(30)
        errors = self.process.stderr.read()
        self.process.stdout.close()
        self.process.stderr.close()
        if self.process.returncode != 0 or errors:
            raise AssertionError(f"watch: status {self.process.returncode}, {errors!r}")
        return "".join(self._lines)

    def stop_and_parse(self):
        return [json.loads(line) for line in self.stop().splitlines()]
