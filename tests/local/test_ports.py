from __future__ import annotations

import socket

from socai.local.ports import free_port, is_free


def test_a_port_somebody_listens_on_is_not_free() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        assert not is_free(server.getsockname()[1])


def test_a_free_port_is_none_the_kernel_gives_to_clients() -> None:
    assert free_port() < 32768
