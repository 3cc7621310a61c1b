"""The companion of a stack: when its owner is gone, it ends the processes that the owner had named."""

import sys

from socai.local.processes import Pid


def main() -> None:
    watched: list[tuple[Pid, int]] = []
    for line in sys.stdin:
        pid, ending, started = line.rstrip("\n").split(" ", 2)
        watched.append((Pid(int(pid), started), int(ending)))
    for process, ending in reversed(watched):
        process.signal_group(ending)


if __name__ == "__main__":
    main()
