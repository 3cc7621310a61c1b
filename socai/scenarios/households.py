"""The households of a hamlet and what each of them reaches over the year, as whole numbers."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from random import Random

from socai.scenarios.apportion import apportion
from socai.scenarios.chance import chance, shuffle
from socai.scenarios.hamlets import Hamlet
from socai.scenarios.story import (
    ADOPTIONS,
    BOOKINGS,
    CAMAU_G,
    GUIDED,
    HEALTH_RECORD,
    Adoption,
    Total,
)


def _table(weights: Sequence[tuple[int, int]]) -> bytes:
    """A translation of 256 equally likely bytes into values with these weights (in 256ths)."""
    assert sum(weight for _, weight in weights) == 256
    return b"".join(bytes([value]) * weight for value, weight in weights)


_SIZES = _table([(1, 14), (2, 34), (3, 56), (4, 74), (5, 42), (6, 22), (7, 9), (8, 5)])
# Of the people beyond the first, about seven in ten are 15 or over: how many of n, by an equally likely byte.
_OVER_15 = {
    size: _table(weights)
    for size, weights in {
        1: [(1, 256)],
        2: [(1, 26), (2, 230)],
        3: [(1, 8), (2, 120), (3, 128)],
        4: [(2, 120), (3, 84), (4, 52)],
        5: [(2, 66), (3, 100), (4, 58), (5, 32)],
        6: [(3, 90), (4, 96), (5, 46), (6, 24)],
        7: [(3, 60), (4, 100), (5, 66), (6, 30)],
        8: [(4, 90), (5, 96), (6, 70)],
    }.items()
}


@dataclass(slots=True)
class Residents:
    """The households of one hamlet by index (their number less one).

    `people[code][i]`: people of household i at the first stage of a digital service; `using[code]`: the
    households of which one person uses it; `bookings[i]`: appointments booked together.
    """

    hamlet: Hamlet
    sizes: bytes
    over_15: bytes
    guided: list[int] = field(default_factory=list)
    people: dict[str, bytearray] = field(default_factory=dict)
    using: dict[str, frozenset[int]] = field(default_factory=dict)
    bookings: bytearray = field(default_factory=bytearray)


def residents(key: str, hamlet: Hamlet) -> Residents:
    rng = chance(key, "residents", hamlet.number)
    sizes = rng.randbytes(hamlet.households).translate(_SIZES)
    over_15 = bytes(
        _OVER_15[size][byte] for size, byte in zip(sizes, rng.randbytes(hamlet.households), strict=True)
    )
    return Residents(hamlet, sizes, over_15)


def assign(key: str, everyone: Sequence[Residents], scaled: Callable[[int], int]) -> None:
    """Who is guided and who reaches what: hamlets first, by largest remainder, then households."""
    _assign_guided(key, everyone, scaled)
    for adoption in ADOPTIONS:
        _assign_adoption(key, everyone, adoption, scaled)
    _assign_bookings(key, everyone, scaled)


def _by_district(
    everyone: Sequence[Residents], total: Total, scaled: Callable[[int], int]
) -> list[tuple[int, list[Residents]]]:
    return [
        (scaled(total.phu_tan), [one for one in everyone if one.hamlet.in_phu_tan]),
        (scaled(total.elsewhere), [one for one in everyone if not one.hamlet.in_phu_tan]),
    ]


def _assign_guided(key: str, everyone: Sequence[Residents], scaled: Callable[[int], int]) -> None:
    rng = chance(key, "guided")
    for total, group in _by_district(everyone, GUIDED, scaled):
        fixed = [min(scaled(h.place.guided), h.households) if (h := one.hamlet).place else 0 for one in group]
        caps = [
            fixed[n] if one.hamlet.place else max(1, one.hamlet.households * 95 // 100)
            for n, one in enumerate(group)
        ]
        weights = [one.hamlet.households * (0.7 + 0.6 * rng.random()) for one in group]
        for one, guided in zip(group, apportion(total, weights, floors=fixed, caps=caps), strict=True):
            place = one.hamlet.place
            first = min(scaled(place.model_area), guided) if place else 0
            others = list(range(first, one.hamlet.households))
            shuffle(chance(key, "guided", one.hamlet.number), others)
            one.guided = sorted([*range(first), *others[: guided - first]])


def _assign_adoption(
    key: str, everyone: Sequence[Residents], adoption: Adoption, scaled: Callable[[int], int]
) -> None:
    """Households of each hamlet first, then the people beyond the first one of each household."""
    code, rng = adoption.code, chance(key, adoption.code)
    for (total, group), (people, _) in zip(
        _by_district(everyone, adoption.households, scaled),
        _by_district(everyone, adoption.people, scaled),
        strict=True,
    ):
        fixed = [_with_app(one, scaled) if code == CAMAU_G.code else 0 for one in group]
        caps = [fixed[n] or len(one.guided) for n, one in enumerate(group)]
        weights = [len(one.guided) * (0.85 + 0.3 * rng.random()) for one in group]
        quotas = apportion(total, weights, floors=fixed, caps=caps)
        seats: list[list[int]] = []
        for one, quota in zip(group, quotas, strict=True):
            chosen = list(one.guided)
            draw = chance(key, code, one.hamlet.number)
            shuffle(draw, chosen)
            one.people[code] = counts = bytearray(one.hamlet.households)
            for i in chosen[:quota]:
                counts[i] = 1
            one.using[code] = frozenset(chosen[: quota * adoption.users // 100])
            able = one.sizes if code == HEALTH_RECORD.code else one.over_15
            seats.append([i for i in chosen[:quota] for _ in range(able[i] - 1)])
            shuffle(draw, seats[-1])
        more = apportion(
            people - sum(quotas), [len(free) for free in seats], caps=[len(free) for free in seats]
        )
        for one, free, extra in zip(group, seats, more, strict=True):
            counts = one.people[code]
            for i in free[:extra]:
                counts[i] += 1


def _with_app(one: Residents, scaled: Callable[[int], int]) -> int:
    """Households with an application, where an article says how many; 0: left to chance."""
    place = one.hamlet.place
    return min(scaled(place.with_app), len(one.guided)) if place else 0


def _assign_bookings(key: str, everyone: Sequence[Residents], scaled: Callable[[int], int]) -> None:
    """Appointments are booked by households with a health record, seldom more than two each."""
    rng = chance(key, "bookings")
    for total, group in _by_district(everyone, BOOKINGS, scaled):
        able = [[i for i in one.guided if one.people[HEALTH_RECORD.code][i]] for one in group]
        weights = [len(households) * (0.6 + 0.8 * rng.random()) for households in able]
        for one, households, quota in zip(group, able, apportion(total, weights), strict=True):
            one.bookings = _spread(chance(key, "bookings", one.hamlet.number), households, quota, one)


def _spread(rng: Random, households: list[int], quota: int, one: Residents) -> bytearray:
    bookings = bytearray(one.hamlet.households)
    # Every household is in the hat twice, so that some book more than once.
    hat = households * 2
    shuffle(rng, hat)
    for n in range(quota):
        bookings[hat[n % len(hat)]] += 1
    return bookings
