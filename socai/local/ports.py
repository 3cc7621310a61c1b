"""Free ports of 127.0.0.1."""

import random
import socket

# Below the range that the kernel takes for outgoing connections (32768 and up): a client that
# reconnects to a dead server's port could otherwise be given that very port and keep it from the server.
_RANGE = range(15000, 32000)


def is_free(port: int, host: str = "127.0.0.1") -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
        return True


def free_port() -> int:
    for port in random.SystemRandom().sample(_RANGE, 200):
        if is_free(port):
            return port
    raise OSError("no free port found between 15000 and 32000")
