"""Drives parley-hostile-relay, and points clients at it.

  with HostileRelay(program, data_folder, "127.0.0.1:7443") as liar:
      invitation = readdress_invitation(invitation, liar.address)
      ...
      liar.rule("alter", mailbox=mailbox, position=5)
      ...                                        # the client behind it must notice
      assert liar.hits() > 0                     # it did lie
      liar.clear()
"""
import base64
import collections
import subprocess
import threading

Attempt = collections.namedtuple("Attempt", "mailbox generation append_id nonce payload position code")
Append = collections.namedtuple("Append", "mailbox position generation closing")


class HostileRelay:
    def __init__(self, program, data, true_address):
        self._process = subprocess.Popen(
            [program, "--data", str(data), "--relay", true_address],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self._lock = threading.Lock()
        port = self._process.stdout.readline().strip()
        if not port:
            raise RuntimeError("parley-hostile-relay did not start")
        self.address = f"127.0.0.1:{port}"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    def stop(self):
        if self._process.poll() is None:
            self._process.stdin.close()
            try:
                self._process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()

    def command(self, line):
        """Sends a command and gives the lines of its answer."""
        with self._lock:
            self._process.stdin.write(line + "\n")
            self._process.stdin.flush()
            answer = []
            while True:
                got = self._process.stdout.readline()
                if not got:
                    raise RuntimeError("parley-hostile-relay ended")
                got = got.rstrip("\n")
                if got == "ok":
                    return answer
                if got.startswith("error: "):
                    raise ValueError(f"{line}: {got}")
                answer.append(got)

    def rule(self, kind, **arguments):
        self.command(" ".join([kind, *(f"{name}={value}" for name, value in arguments.items())]))

    def clear(self):
        self.command("clear")

    def forget(self):
        """Forgets all that it knows, for a test that sets the true relay back."""
        self.command("forget")

    def hits(self):
        """How often it has lied since the last clear()."""
        return int(self.command("hits")[0])

    def fork(self, mailbox, position, generation):
        """From `position` on, clients behind this relay have a log of their own."""
        self.command(f"fork mailbox={mailbox} position={position} generation={generation}")

    def appends(self):
        """The appends that it has acknowledged since the last call."""
        found = []
        for line in self.command("appends"):
            mailbox, position, generation, kind = line.split()
            found.append(Append(mailbox, int(position), int(generation), kind == "closing"))
        return found

    def attempts(self):
        """All that clients tried to append since the last call; position 0 where they were told of
        no success, with the code of gRPC's status. `nonce` and `payload` (its SHA-256) are in hexadecimal."""
        found = []
        for line in self.command("attempts"):
            mailbox, generation, append_id, *rest, payload, position, code = line.split()
            found.append(Attempt(mailbox, int(generation), append_id, rest[0] if rest else "",
                                 payload, int(position), int(code)))
        return found

    def blobs(self):
        """Ids of the blobs that were made since the last call."""
        return self.command("blobs")


def _decode(text, prefix):
    if not text.startswith(prefix):
        raise ValueError(f"not a {prefix} text")
    body = text[len(prefix):]
    return base64.urlsafe_b64decode(body + "=" * (-len(body) % 4))


def _encode(prefix, data):
    return prefix + base64.urlsafe_b64encode(data).decode().rstrip("=")


def readdress_invitation(text, address):
    """The invitation with another address (docs/protocol.md section 4)."""
    prefix = "parley-invite1:"
    data = _decode(text, prefix)
    length, start = data[33], 34
    if length & 0xC0 == 0x40:
        length, start = (length & 0x3F) << 8 | data[34], 35
    if len(address) >= 64:
        raise ValueError("the address is too long")
    return _encode(prefix, data[:33] + bytes([len(address)]) + address.encode()
                   + data[start + length:])
