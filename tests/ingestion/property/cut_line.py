"""A line between a load and its source that can be cut after so many bytes of answers."""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

_RESET = struct.pack("ii", 1, 0)  # SO_LINGER: close without a farewell


class Line:
    """Passes connections on to a port of this machine."""

    def __init__(self) -> None:
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listening.getsockname()[1])
        self.target = 0
        self.left: int | None = None  # bytes until it breaks; None: it is whole
        threading.Thread(target=self._accept, daemon=True).start()

    @contextmanager
    def cut_after(self, count: int) -> Iterator[None]:
        """Break after so many bytes, and stay broken until the block ends."""
        self.left = count
        try:
            yield
        finally:
            self.left = None

    def close(self) -> None:
        self._listening.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                asking, _ = self._listening.accept()
                threading.Thread(target=self._join, args=[asking], daemon=True).start()

    def _join(self, asking: socket.socket) -> None:
        with asking, socket.create_connection(("127.0.0.1", self.target)) as answering:
            back = threading.Thread(target=self._pass, args=[answering, asking], daemon=True)
            back.start()
            with suppress(OSError):
                while data := asking.recv(65536):
                    answering.sendall(data)
                answering.shutdown(socket.SHUT_WR)
            back.join()

    def _pass(self, answering: socket.socket, asking: socket.socket) -> None:
        with suppress(OSError):
            while data := answering.recv(65536):
                whole = self.left is None or len(data) <= self.left
                asking.sendall(data if whole else data[: self.left])
                if not whole:
                    asking.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
                    break
                if self.left is not None:
                    self.left -= len(data)
        for end in (asking, answering):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
