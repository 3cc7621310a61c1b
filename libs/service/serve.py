"""Runs an application as a process: starts, says so in one line, and stops without dropping a request."""

import gc
import os
import socket
import sys
from collections.abc import Callable
from types import FrameType

import orjson
import uvicorn

from libs.service.app import ServiceApp
from libs.service.settings import Settings, SettingsError, exit_for, load_settings
from libs.service.telemetry import configure_logging

GRACE = 20
"""Seconds that requests in flight have to be answered after SIGTERM."""
KEEP_ALIVE = 75
"""Seconds; longer than a gateway keeps an idle connection, so that it never sends into a closing one."""


class Server(uvicorn.Server):
    """Not ready from the signal on, and an ordinary exit at the end. Its ready line is the only thing that
    goes to standard output; logs go to standard error.
    """

    def __init__(self, app: ServiceApp, *, service: str, host: str, port: int) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                host=host,
                port=port,
                loop="uvloop",
                http="httptools",
                ws="none",
                lifespan="on",
                log_config=None,
                access_log=False,
                server_header=False,
                proxy_headers=False,
                timeout_keep_alive=KEEP_ALIVE,
                timeout_graceful_shutdown=GRACE,
            )
        )
        self._app = app
        self._service = service

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        # uvicorn would raise the signal again at the end, and a clean stop would look like a crash.
        self._app.stopping = True
        self.force_exit = self.should_exit
        self.should_exit = True

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        line = {"event": "ready", "service": self._service, "url": self.url, "pid": os.getpid()}
        sys.stdout.buffer.write(orjson.dumps(line) + b"\n")
        sys.stdout.buffer.flush()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._app.stop()
        await super().shutdown(sockets)

    @property
    def url(self) -> str:
        """Where it listens, also when the port was left to the system."""
        host, port = self.servers[0].sockets[0].getsockname()[:2]
        return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def run(service: str, create: Callable[[Settings], ServiceApp]) -> None:
    """The process of one service, until it is told to stop. Exits with 3 where a setting is missing or the
    port is taken.
    """
    try:
        settings = load_settings()
        configure_logging(service, settings.socai_log_level)
        app = create(settings)
    except SettingsError as error:
        exit_for(error)
    # What was imported stays: the collector need not walk through it again and again.
    gc.collect()
    gc.freeze()
    # A batch of a thousand commands makes objects by the ten thousand, none of them in cycles.
    gc.set_threshold(100_000, 20, 50)
    Server(app, service=service, host=settings.socai_host, port=settings.socai_port).run()
