"""Whole numbers that add up: a total divided by weights."""

from collections.abc import Sequence


def apportion(
    total: int,
    weights: Sequence[float],
    *,
    floors: Sequence[int] | None = None,
    caps: Sequence[int] | None = None,
) -> list[int]:
    """`total` divided in proportion to `weights` by largest remainder, each part within its floor and cap.

    What a cap keeps out goes to the others. Less than `total` is given only when every cap is reached, more
    only when the floors alone are more.
    """
    parts = list(floors) if floors is not None else [0] * len(weights)
    limits = list(caps) if caps is not None else [max(total, 0)] * len(weights)
    left = total - sum(parts)
    while left > 0:
        open_ = [i for i, part in enumerate(parts) if part < limits[i] and weights[i] > 0]
        if not open_:
            break
        whole = sum(weights[i] for i in open_)
        shares = {i: left * weights[i] / whole for i in open_}
        given = {i: min(int(shares[i]), limits[i] - parts[i]) for i in open_}
        spare = left - sum(given.values())
        # The unit that a fraction is nearest to comes first; equal fractions keep the order of the parts.
        for i in sorted(open_, key=lambda i: (int(shares[i]) - shares[i], i)):
            if spare == 0:
                break
            if given[i] < limits[i] - parts[i]:
                given[i] += 1
                spare -= 1
        for i, more in given.items():
            parts[i] += more
        left = spare
    return parts
