"""A relay or a consumer as a process of its own: `follow.py relay|consumer URL BOOTSTRAP TOPIC`.

Prints its status as a line of JSON whenever that changes. A line on its input ends it at once.
"""

import asyncio
import json
import sys

import structlog

from socai.local.embedded import Database
from tests.events.streaming import Line


async def main(kind: str, url: str, bootstrap: str, topic: str) -> None:
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    line = Line(Database(url, url), bootstrap, topic)
    async with line.relay() if kind == "relay" else line.consumer() as follower:
        shown = None
        while True:
            if (status := follower.status()) != shown:
                sys.stdout.write(json.dumps(status) + "\n")
                sys.stdout.flush()
                shown = status
            await asyncio.sleep(0.02)


asyncio.run(main(*sys.argv[1:]))
