"""Stands between clients and a relay; sees only TLS. Counts bytes, and can cut the line."""
import socket
import threading


class Proxy:
    """Forwards connections to `target` ("host:port"). `up` counts the bytes from clients to the
    relay, `down` the others."""

    def __init__(self, target):
        host, port = target.split(":")
        self._target = (host, int(port))
        self._lock = threading.Lock()
        self._open = set()
        self._limit = {"up": None, "down": None}
        self.up = 0
        self.down = 0
        self.cut = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def cut_after(self, direction, count):
        """Cuts all connections, and refuses new ones, once so many further bytes have passed."""
        with self._lock:
            self._limit[direction] = getattr(self, direction) + count
            self.cut.clear()

    def mend(self):
        """Lets connections through again, without a limit."""
        with self._lock:
            self._limit = {"up": None, "down": None}
            self.cut.clear()

    def close(self):
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._drop_all()

    def _accept(self):
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            if self.cut.is_set():
                client.close()
                continue
            try:
                relay = socket.create_connection(self._target, timeout=10)
            except OSError:
                client.close()
                continue
            relay.settimeout(None)
            with self._lock:
                self._open |= {client, relay}
            for source, sink, direction in ((client, relay, "up"), (relay, client, "down")):
                threading.Thread(target=self._forward, args=(source, sink, direction),
                                 daemon=True).start()

    def _forward(self, source, sink, direction):
        try:
            while data := source.recv(64 * 1024):
                if self._passes(direction, len(data)):
                    sink.sendall(data)
                else:
                    self._drop_all()
        except OSError:
            pass
        for end in (source, sink):
            shut(end)
        source.close()  # the other direction closes the other end
        with self._lock:
            self._open.discard(source)

    def _passes(self, direction, count):
        with self._lock:
            setattr(self, direction, getattr(self, direction) + count)
            limit = self._limit[direction]
            if limit is not None and getattr(self, direction) > limit:
                self.cut.set()
            return not self.cut.is_set()

    def _drop_all(self):
        with self._lock:
            ends, self._open = self._open, set()
        for end in ends:
            shut(end)


def shut(end):
    try:
        end.shutdown(socket.SHUT_RDWR)
    except OSError:
        pass  # it is closed already
