from itertools import combinations, permutations
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from rearank_cli.methods.kemeny import kemeny

VOTES = st.integers(0, 6).flatmap(
    lambda n: st.lists(st.lists(st.integers(0, 3), min_size=n, max_size=n), min_size=n, max_size=n)
)


def cost(votes, order):
    return sum(votes[worse][better] for better, worse in combinations(order, 2))


def ballots(*orders):
    count = max(map(len, orders))
    votes = [[0] * count for _ in range(count)]
    for order in orders:
        for better, worse in combinations(order, 2):
            votes[better][worse] += 1
    return votes


@settings(max_examples=300, deadline=None)
@given(VOTES)
def test_of_all_orders_that_cost_least_it_is_the_first(votes):
    """Whatever the diagonal holds: nobody stands before himself."""
    best = min(permutations(range(len(votes))), key=lambda order: (cost(votes, order), order))
    assert kemeny(votes) == list(best)


@settings(max_examples=25, deadline=None)
@given(st.integers(2, 4), st.integers(0, 1 << 30))
def test_seven_documents_too(voters, seed):
    random = Random(seed)
    votes = ballots(*(random.sample(range(7), 7) for _ in range(voters)))
    best = min(permutations(range(7)), key=lambda order: (cost(votes, order), order))
    assert kemeny(votes) == list(best)


def test_documents_that_nobody_compared_stay_where_they_are():
    assert kemeny([[0] * 100 for _ in range(100)]) == list(range(100))


def test_orders_that_agree_are_the_order_of_any_length():
    order = Random(1).sample(range(300), 300)
    assert kemeny(ballots(order, order, order)) == order


def test_twenty_documents_in_one_cycle_are_ordered():
    """0 to 19 by two votes to one, but 19 before 0 by more than all that stand between them."""
    votes = ballots(range(20), range(20), range(19, -1, -1))
    votes[19][0] += 40
    assert kemeny(votes) == [*range(1, 20), 0]


def test_more_are_put_in_an_order_that_no_move_makes_better():
    random = Random(5)
    votes = ballots(*(random.sample(range(40), 40) for _ in range(4)))
    order = kemeny(votes)
    assert sorted(order) == list(range(40))
    for one in order:
        others = [other for other in order if other != one]
        for place in range(len(order)):
            assert cost(votes, [*others[:place], one, *others[place:]]) >= cost(votes, order)
