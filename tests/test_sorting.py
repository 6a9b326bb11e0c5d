"""Numbers in order: as numpy has them."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from gapmap import sorting

FEW = st.integers(-2, 2)
ALL = st.integers(-(2**63), 2**63 - 1)
EDGES = st.sampled_from(
    [sign * 2**bits + step for bits in (15, 16, 17, 32, 33, 48, 62) for sign in (1, -1) for step in (-1, 0, 1)]
)
NUMBERS = arrays(np.int64, st.integers(0, 60), elements=FEW | ALL | EDGES, fill=FEW) | arrays(
    np.int64, st.integers(0, 60), elements=EDGES.map(abs)
)


@given(NUMBERS)
def test_the_order_is_that_of_a_stable_sort(numbers: np.ndarray) -> None:
    given_ = numbers.copy()
    found = sorting.argsort(numbers)
    assert found.tolist() == np.argsort(numbers, kind="stable").tolist()
    assert numbers.tolist() == given_.tolist()


@given(NUMBERS)
def test_distinct_numbers_are_those_of_numpy(numbers: np.ndarray) -> None:
    _, first, which = np.unique(numbers, return_index=True, return_inverse=True)
    found = sorting.distinct(numbers)
    assert [each.tolist() for each in found] == [first.tolist(), which.tolist()]


def test_many_numbers_and_columns_that_lie_apart() -> None:
    numbers = np.random.default_rng(1).integers(-(2**40), 2**40, (50_000, 3))
    for some in (numbers[:, 1], numbers[::-2, 2], np.abs(numbers[:, 0]) % 1_000):
        assert sorting.argsort(some).tolist() == np.argsort(some, kind="stable").tolist()
