"""A relay as a process of its own, on 127.0.0.1 with a free port and a fresh folder."""
import base64
import os
import socket
import struct
import subprocess
import time

START_SECONDS = 30
STOP_SECONDS = 30


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def at_address(connection, address):
    """The connection string with another address (of a proxy before the relay)."""
    prefix, code = connection.split(":", 1)
    raw = base64.urlsafe_b64decode(code + "=" * (-len(code) % 4))
    head, rest = raw[:33], raw[33:]
    (length,) = struct.unpack(">H", rest[:2])
    host = address.encode()
    changed = head + struct.pack(">H", len(host)) + host + rest[2 + length:]
    return prefix + ":" + base64.urlsafe_b64encode(changed).rstrip(b"=").decode()


def with_identity(connection, identity_key):
    """The connection string with another relay's identity key (32 bytes)."""
    prefix, code = connection.split(":", 1)
    raw = base64.urlsafe_b64decode(code + "=" * (-len(code) % 4))
    changed = raw[:1] + identity_key + raw[33:]
    return prefix + ":" + base64.urlsafe_b64encode(changed).rstrip(b"=").decode()


def rendezvous_id(invitation):
    """The id of the mailbox through which an invitation's two sides meet (32 bytes)."""
    code = invitation.split(":", 1)[1]
    raw = base64.urlsafe_b64decode(code + "=" * (-len(code) % 4))
    address_length = raw[33]  # one byte: addresses are shorter than 64 bytes
    return raw[34 + address_length:66 + address_length]


class Relay:
    def __init__(self, programs, folder):
        self.program = os.path.join(programs, "parley-relay")
        self.folder = folder
        self.data = os.path.join(folder, "data")
        self.log = os.path.join(folder, "relay.log")
        self.address = f"127.0.0.1:{free_port()}"
        self.process = None
        self.options = []  # further ones of "serve"
        os.makedirs(folder, exist_ok=True)

    @property
    def pid(self):
        return self.process.pid

    def start(self):
        """Starts the relay and returns when it has said where it listens and who it is."""
        # Nothing of the environment or the folder can bring a word of a mediation into the relay.
        environment = {"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"}
        for name, value in os.environ.items():
            if name.endswith("SAN_OPTIONS"):
                environment[name] = value
        with open(self.log, "ab") as log:
            start = log.tell()
            self.process = subprocess.Popen(
                [self.program, "serve", "--data", self.data, "--listen", self.address,
                 *self.options],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=environment, cwd="/",
                start_new_session=True)
        deadline = time.monotonic() + START_SECONDS
        while "fingerprint" not in self.log_text()[start:]:
            if self.process.poll() is not None:
                raise RuntimeError(f"the relay ended with {self.process.returncode}:\n"
                                   + self.log_text()[-2000:])
            if time.monotonic() > deadline:
                raise RuntimeError("the relay doesn't come up:\n"
                                   + self.log_text()[-2000:])
            time.sleep(0.02)
        return self

    def log_text(self):
        with open(self.log, encoding="utf-8", errors="replace") as log:
            return log.read()

    def kill(self):
        """SIGKILL: no chance to tidy up."""
        self.process.kill()
        self.process.wait()

    def stop(self):
        """SIGTERM; returns the exit status."""
        if self.process is None or self.process.poll() is not None:
            return None if self.process is None else self.process.returncode
        self.process.terminate()
        try:
            return self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill()
            return None

    def run(self, *arguments):
        """Another command of the same program; returns its standard output."""
        done = subprocess.run([self.program, *arguments], stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, timeout=60, check=False)
        if done.returncode != 0:
            raise RuntimeError(f"parley-relay {' '.join(arguments)}: {done.stderr.strip()}")
        return done.stdout

    def add_sponsor(self, name="sponsor", quota="20GiB"):
        """The new sponsor's connection string."""
        output = self.run("sponsor", "add", name, "--quota", quota, "--data", self.data)
        return output.strip().splitlines()[-1]

    def peak_memory(self):
        return peak_memory(self.pid)

    def stored_bytes(self):
        total = 0
        for folder, _, names in os.walk(self.data):
            for name in names:
                try:
                    total += os.path.getsize(os.path.join(folder, name))
                except FileNotFoundError:
                    pass  # it was compacted away in between
        return total


def peak_memory(pid):
    """The most memory that the process had resident, in bytes."""
    with open(f"/proc/{pid}/status", encoding="ascii") as status:
        for line in status:
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    raise RuntimeError(f"no VmHWM for process {pid}")
