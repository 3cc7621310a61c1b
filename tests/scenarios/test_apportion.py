"""Dividing a total into whole parts."""

from hypothesis import given
from hypothesis import strategies as st

from socai.scenarios.apportion import apportion

PARTS = st.lists(
    st.tuples(st.floats(0.1, 10), st.integers(0, 20), st.integers(0, 60)), min_size=1, max_size=30
)


@given(total=st.integers(0, 2_000), parts=PARTS)
def test_parts_keep_their_bounds_and_add_up_as_far_as_bounds_allow(
    total: int, parts: list[tuple[float, int, int]]
) -> None:
    weights = [weight for weight, _, _ in parts]
    floors = [floor for _, floor, _ in parts]
    caps = [floor + room for _, floor, room in parts]
    divided = apportion(total, weights, floors=floors, caps=caps)
    assert all(low <= part <= high for low, part, high in zip(floors, divided, caps, strict=True))
    assert sum(divided) == min(max(total, sum(floors)), sum(caps))


def test_what_is_left_over_goes_to_the_largest_remainders() -> None:
    assert apportion(10, [1, 1, 1]) == [4, 3, 3]
    assert apportion(7, [4.5, 1.5, 1]) == [5, 1, 1]


def test_what_a_cap_keeps_out_goes_to_the_others() -> None:
    assert apportion(100, [9, 1, 1], caps=[10, 100, 100]) == [10, 45, 45]
