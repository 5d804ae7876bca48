"""Groups, coupling rows, targets, risk, moves and steps; progress."""

from __future__ import annotations

import copy
import inspect
import pickle
import subprocess
import sys
import threading
import time
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
import scipy.sparse

import adflow
from adflow import Coupling, Group, ResponseCurves, Risk, Target

VIDEO = Group("video", [0, 1], upper=4.0)
VALUES: list[Any] = [
    VIDEO,
    Group("all", [VIDEO, "search", 3], lower=1.0, share_lower=0.1, share_upper=0.9),
    Coupling([[0.5, -1.0, 0.0], [0.0, 0.0, 1.0]], [0.0, 3.0], names=["half", "cap"]),
    Coupling([[1.0, 1.0]], 2.0),
    Target.response(10.0),
    Target.roas(3.0),
    Target.cpa(0.5),
    Target.marginal_roas(1.5),
    Risk.cvar(0.1),
    Risk.mean_minus_std(2.0),
    Risk.probability(7.0),
]


@pytest.fixture
def concave() -> ResponseCurves:
    """Three named concave arms, the best first."""
    curves = ResponseCurves.michaelis_menten([9.0, 7.0, 5.0], [4.0, 4.0, 4.0])
    return curves.with_names(["search", "video", "social"])


@pytest.fixture
def uncertain() -> ResponseCurves:
    """Two arms: one brings much in half of the draws and little in the others, one always the same."""
    return ResponseCurves.michaelis_menten([[9.0, 4.0], [1.0, 4.0]], [[4.0, 4.0], [4.0, 4.0]])


@pytest.mark.parametrize("value", VALUES, ids=repr)
def test_settings_are_values(value: Any) -> None:
    for twin in (pickle.loads(pickle.dumps(value)), copy.deepcopy(value)):
        assert type(twin) is type(value)
        assert twin == value
        assert repr(twin) == repr(value)
    assert [other == value for other in VALUES].count(True) == 1
    with pytest.raises(AttributeError):
        value.name = "other"


@pytest.mark.parametrize("value", [value for value in VALUES if type(value) is not Coupling], ids=repr)
def test_groups_targets_and_risks_can_be_keys(value: Any) -> None:
    assert {value: 1}[pickle.loads(pickle.dumps(value))] == 1


@pytest.mark.parametrize("value", [value for value in VALUES if type(value) is not Coupling], ids=repr)
def test_their_repr_makes_them_again(value: Any) -> None:
    assert eval(repr(value), vars(adflow)) == value


def test_a_group_shows_what_it_holds() -> None:
    group = Group("all", (VIDEO, "search", np.int64(3)), 1, share_upper=0.9)
    assert (group.name, group.members) == ("all", (VIDEO, "search", 3))
    assert (group.lower, group.upper, group.share_lower, group.share_upper) == (1.0, None, None, 0.9)
    assert repr(group) == (
        "Group('all', (Group('video', (0, 1), upper=4.0), 'search', 3), lower=1.0, share_upper=0.9)"
    )
    assert Group("g", np.arange(3)).members == (0, 1, 2)
    assert Group("g", pd.Index(["a", "b"])).members == ("a", "b")
    assert (Target.roas(3).kind, Target.roas(3).level) == ("roas", 3.0)
    assert (Risk.cvar(0.1).kind, Risk.cvar(0.1).level) == ("cvar", 0.1)


@pytest.mark.parametrize(
    ("members", "field"),
    [
        ("search", "members"),
        (3, "members"),
        ([-1], r"members\[0\]"),
        (["a", 1.5], r"members\[1\]"),
        ([None], r"members\[0\]"),
    ],
)
def test_members_are_indices_names_or_groups(members: Any, field: str) -> None:
    with pytest.raises(adflow.InvalidInputError, match=field) as raised:
        Group("g", members)
    assert raised.value.code == "malformed"


def test_groups_within_groups_end() -> None:
    group = VIDEO
    for level in range(100):
        group = Group(f"level {level}", [group])
    with pytest.raises(adflow.InvalidInputError, match="levels"):
        Group("beyond", [group])


MATRIX = np.array([[0.5, -1.0, 0.0], [0.0, 0.0, 2.0]])
DUPLICATES = scipy.sparse.coo_matrix(([0.25, 0.25, -1.0, 2.0, 0.0], ([0, 0, 0, 1, 1], [0, 0, 1, 2, 0])))


@pytest.mark.parametrize(
    "matrix",
    [
        MATRIX,
        MATRIX.tolist(),
        np.asfortranarray(MATRIX),
        pd.DataFrame(MATRIX),
        pl.DataFrame(MATRIX),
        scipy.sparse.csr_matrix(MATRIX),
        scipy.sparse.csr_array(MATRIX),
        scipy.sparse.csc_array(MATRIX),
        scipy.sparse.coo_array(MATRIX),
        scipy.sparse.csr_array(MATRIX[:, ::-1])[:, ::-1],
        DUPLICATES,
    ],
    ids=lambda matrix: f"{type(matrix).__module__}.{type(matrix).__name__}",
)
def test_a_coupling_matrix_is_dense_or_sparse(matrix: Any) -> None:
    coupling = Coupling(matrix, [0.0, 3.0])
    assert coupling == Coupling(MATRIX, np.array([0.0, 3.0]))
    assert coupling.shape == (2, 3)
    np.testing.assert_array_equal(coupling.upper, [0.0, 3.0])
    assert coupling.names is None
    assert repr(coupling) == "Coupling(2 rows over 3 arms)"


def test_a_sparse_matrix_stays_as_it_is() -> None:
    matrix = scipy.sparse.csr_matrix(([1.0, 2.0], [2, 0], [0, 2]), shape=(1, 3))
    Coupling(matrix, 1.0)
    assert (matrix.indices.tolist(), matrix.data.tolist()) == ([2, 0], [1.0, 2.0])


def test_one_number_bounds_every_row_and_rows_may_have_names() -> None:
    coupling = Coupling(MATRIX, 3.0, names=["half", "cap"])
    assert coupling.upper.tolist() == [3.0, 3.0]
    assert coupling.names == ["half", "cap"]
    assert repr(coupling) == "Coupling(2 rows over 3 arms: half, cap)"


@pytest.mark.parametrize(
    ("arguments", "code", "field"),
    [
        (([1.0, 2.0], 1.0), "out_of_domain", "matrix"),
        ((5.0, 1.0), "out_of_domain", "matrix"),
        (([["a"]], 1.0), "malformed", "matrix"),
        ((MATRIX, [1.0]), "length_mismatch", "upper"),
        ((MATRIX, [[1.0], [2.0]]), "out_of_domain", "upper"),
        ((MATRIX, 1.0, ["one"]), "length_mismatch", "names"),
        ((MATRIX, 1.0, "ab"), "malformed", "names"),
        ((scipy.sparse.coo_array(MATRIX[0]), 1.0), "out_of_domain", "matrix"),
    ],
)
def test_coupling_errors(arguments: Any, code: str, field: str) -> None:
    with pytest.raises(adflow.InvalidInputError, match=field) as raised:
        Coupling(*arguments)
    assert raised.value.code == code


def test_scipy_is_not_imported() -> None:
    program = (
        "import adflow, sys; c = adflow.Coupling([[1.0, 1.0]], 3.0); "
        "curves = adflow.ResponseCurves.power([1.0, 2.0], 0.5); adflow.allocate(curves, 5.0, coupling=c); "
        "assert 'scipy' not in sys.modules and 'tqdm' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


@pytest.mark.parametrize(
    ("settings", "code", "field"),
    [
        ({"groups": VIDEO}, "malformed", "groups"),
        ({"groups": [("video", [0, 1])]}, "malformed", r"groups\[0\]"),
        ({"groups": [Group("g", [7])]}, "out_of_domain", r"groups\[0\].members\[0\]"),
        ({"groups": [Group("g", ["tv"])]}, "unknown_name", "tv"),
        ({"groups": [Group("g", [0]), Group("g", [0])]}, "duplicate_name", "g"),
        ({"groups": [Group("paid", [0, 1]), Group("g", [Group("paid", [0])])]}, "duplicate_name", "paid"),
        ({"groups": [Group("g", [Group("video", [0])])]}, "out_of_domain", "groups.*video"),
        ({"groups": [Group("a", ["b"]), Group("b", ["a"])]}, "cyclic_group", "itself"),
        ({"groups": [Group("g", [0, "search"])]}, "out_of_domain", r"groups\[0\].members"),
        ({"groups": [Group("g", [])]}, "empty", r"groups\[0\].members"),
        ({"groups": [Group("g", [0], upper=-1.0)]}, "out_of_domain", r"groups\[0\].upper"),
        ({"groups": [Group("g", [0], lower=np.nan)]}, "not_finite", r"groups\[0\].lower"),
        ({"groups": [Group("g", [0], share_upper=1.5)]}, "out_of_domain", r"groups\[0\].share_upper"),
        ({"coupling": MATRIX}, "malformed", "coupling"),
        ({"coupling": Coupling([[1.0, 1.0]], 1.0)}, "length_mismatch", "coupling.matrix"),
        ({"coupling": Coupling([[1.0, np.nan, 0.0]], 1.0)}, "not_finite", "coupling.matrix"),
        ({"coupling": Coupling([[1.0, 1.0, 0.0]], np.nan)}, "not_finite", "coupling.upper"),
        ({"target": 3.0}, "malformed", "target"),
        ({"target": Target.roas(-1.0)}, "out_of_domain", "target"),
        ({"objective": "reach"}, "malformed", "objective"),
        ({"objective": 3}, "malformed", "objective"),
        ({"risk": 0.1}, "malformed", "risk"),
        ({"risk": Risk.cvar(1.5)}, "out_of_domain", "risk"),
        ({"extrapolation": "stop"}, "malformed", "extrapolation"),
        ({"extrapolation": -1.0}, "out_of_domain", "extrapolation"),
        ({"extrapolation": [1.0]}, "malformed", "extrapolation"),
        ({"activation_cost": -1.0}, "out_of_domain", "activation_cost"),
        ({"activation_cost": [1.0, 2.0]}, "length_mismatch", "activation_cost"),
        ({"max_active": -1}, "malformed", "max_active"),
        ({"max_active": 1.5}, "malformed", "max_active"),
        ({"max_moves": "two"}, "malformed", "max_moves"),
        ({"max_change": -0.1, "current": [1.0, 1.0, 1.0]}, "out_of_domain", "max_change"),
        (
            {"max_change_amount": [1.0, np.nan, 1.0], "current": [1.0] * 3},
            "not_finite",
            r"max_change_amount\[1\]",
        ),
        ({"move_cost": [[1.0]], "current": [1.0, 1.0, 1.0]}, "out_of_domain", "move_cost"),
        ({"step": [-1.0, 1.0, 1.0]}, "out_of_domain", r"step\[0\]"),
        ({"spend_all": "yes"}, "malformed", "spend_all"),
        ({"threads": "all"}, "malformed", "threads"),
        ({"progress": 3}, "malformed", "progress"),
    ],
)
def test_errors_name_the_setting(
    concave: ResponseCurves, settings: dict[str, Any], code: str, field: str
) -> None:
    with pytest.raises(adflow.InvalidInputError, match=field) as raised:
        adflow.allocate(concave, 20.0, **settings)
    assert raised.value.code == code


@pytest.mark.parametrize("setting", ["max_change", "max_change_amount", "max_moves", "move_cost"])
def test_moves_start_from_current_spends(concave: ResponseCurves, setting: str) -> None:
    with pytest.raises(adflow.InvalidInputError, match="current"):
        adflow.allocate(concave, 20.0, **{setting: 1})


def test_a_setting_that_is_not_known_is_a_type_error(concave: ResponseCurves) -> None:
    with pytest.raises(TypeError, match="allocate.. got an unexpected keyword argument 'colour'"):
        adflow.allocate(concave, 20.0, colour=None)  # type: ignore[call-arg]
    with pytest.raises(TypeError, match="allocate_batch.. got an unexpected keyword argument 'budget'"):
        adflow.allocate_batch(concave, [0, 3], [20.0], budget=20.0)  # type: ignore[call-arg]


def test_none_is_the_same_as_nothing_said(concave: ResponseCurves) -> None:
    parameters = inspect.signature(adflow.allocate).parameters.values()
    names = [parameter.name for parameter in parameters if parameter.kind is parameter.KEYWORD_ONLY]
    assert len(names) == 24
    plan = adflow.allocate(concave, 20.0, **dict.fromkeys(names))  # type: ignore[arg-type]
    np.testing.assert_array_equal(plan.spend, adflow.allocate(concave, 20.0).spend)


def test_groups_hold_and_bind(concave: ResponseCurves) -> None:
    group = Group("paid", ["search", 1], upper=4.0)
    plan = adflow.allocate(concave, 20.0, groups=[group])
    assert plan.status == "optimal"
    assert plan.spend[:2].sum() == pytest.approx(4.0)
    assert plan.spend.sum() == pytest.approx(20.0)
    [limit] = [limit for limit in plan.binding if limit["limit"] == "group_upper"]
    assert (limit["arm"], limit["name"], limit["bound"]) == (None, "paid", 4.0)
    # One more unit for the group, taken from the third arm.
    more = adflow.allocate(concave, 20.0, groups=[Group("paid", [0, 1], upper=4.0 + 1e-3)])
    assert limit["price"] == pytest.approx((more.objective_value - plan.objective_value) / 1e-3, rel=1e-2)
    assert "group upper of paid: 4" in repr(plan)
    assert "group upper of paid: 4" in plan._repr_html_()
    assert plan.to_dict()["binding"] == plan.binding
    share = adflow.allocate(concave, 20.0, groups=[Group("paid", [0, 1], share_upper=0.25)])
    assert share.spend[:2].sum() <= 0.25 * share.total_spend + 1e-9


def test_a_group_within_a_group_holds_whether_or_not_it_is_listed(concave: ResponseCurves) -> None:
    inner = Group("inner", [0], upper=1.0)
    outer = Group("outer", [inner, 1], upper=3.0)
    plan = adflow.allocate(concave, 20.0, groups=[outer])
    assert plan.spend[0] == pytest.approx(1.0)
    assert plan.spend[1] == pytest.approx(2.0)
    twin = Group("inner", [0], upper=1.0)
    for groups in ([inner, outer], [outer, twin], (group for group in [twin, outer])):
        assert adflow.allocate(concave, 20.0, groups=groups).spend == pytest.approx(plan.spend, abs=1e-6)
    by_name = [inner, Group("outer", ["inner", 1], upper=3.0)]
    np.testing.assert_array_equal(adflow.allocate(concave, 20.0, groups=by_name).spend, plan.spend)


def test_coupling_rows_hold_and_bind(concave: ResponseCurves) -> None:
    rows = Coupling([[1.0, -1.0, 0.0], [0.0, 0.0, 1.0]], [-1.0, 2.0], names=["video above search", "cap"])
    plan = adflow.allocate(concave, 20.0, coupling=rows)
    assert plan.spend[1] >= plan.spend[0] + 1.0 - 1e-9
    assert plan.spend[2] <= 2.0 + 1e-9
    binding = {limit["name"] for limit in plan.binding if limit["limit"] == "coupling"}
    assert binding == {"video above search", "cap"}
    sparse = Coupling(scipy.sparse.csr_array(np.array([[1.0, -1.0, 0.0], [0, 0, 1]])), [-1.0, 2.0])
    np.testing.assert_array_equal(adflow.allocate(concave, 20.0, coupling=sparse).spend, plan.spend)


def test_targets_and_objectives(concave: ResponseCurves) -> None:
    least = adflow.allocate(concave, target=Target.response(9.0), objective="spend", upper=100.0)
    assert least.total_response == pytest.approx(9.0)
    assert least.objective_value == pytest.approx(-least.total_spend)
    again = adflow.allocate(concave, least.total_spend)
    assert again.total_response == pytest.approx(9.0, rel=1e-6)
    [limit] = [limit for limit in least.binding if limit["limit"] == "target"]
    assert (limit["arm"], limit["bound"]) == (None, 9.0)
    assert "target: 9" in repr(least)

    roas = adflow.allocate(concave, 100.0, target=Target.roas(1.0), upper=100.0)
    assert roas.total_response == pytest.approx(roas.total_spend, rel=1e-6)
    cpa = adflow.allocate(concave, 100.0, target=Target.cpa(1.0), value=5.0)
    assert cpa.total_spend == pytest.approx(cpa.total_response, rel=1e-6)
    marginal = adflow.allocate(concave, 100.0, target=Target.marginal_roas(0.5))
    assert marginal.marginal_response.min() >= 0.5 - 1e-9
    assert marginal.marginal_response == pytest.approx([0.5] * 3, rel=1e-6)

    profit = adflow.allocate(concave, 100.0, objective="profit")
    assert profit.marginal_response == pytest.approx([1.0] * 3, rel=1e-6)
    assert profit.objective_value == pytest.approx(profit.total_response - profit.total_spend)


def test_risk_takes_the_certain_arm(uncertain: ResponseCurves) -> None:
    mean = adflow.allocate(uncertain, 4.0)
    outcomes = {}
    for risk in (None, Risk.cvar(0.5), Risk.mean_minus_std(1.0), Risk.probability(2.0)):
        plan = adflow.allocate(uncertain, 4.0, risk=risk)
        outcomes[risk] = np.sort(uncertain.response_draws(plan.spend).sum(axis=1))
        assert plan.objective_value <= plan.upper_bound + 1e-12
        if risk is not None:
            assert plan.spend[0] < mean.spend[0]
    assert outcomes[Risk.cvar(0.5)][0] > outcomes[None][0]
    assert adflow.allocate(uncertain, 4.0, risk=Risk.cvar(0.5)).objective_value == pytest.approx(
        outcomes[Risk.cvar(0.5)][0]
    )
    assert adflow.allocate(uncertain, 4.0, risk=Risk.probability(2.0)).objective_value == 1.0


def test_few_arms_are_active(concave: ResponseCurves) -> None:
    plan = adflow.allocate(concave, 20.0, max_active=np.int64(2))
    assert (plan.spend > 0).tolist() == [True, True, False]
    cost = adflow.allocate(concave, 20.0, activation_cost=[None, 0.5, 50.0])
    assert cost.spend[2] == 0.0
    assert cost.objective_value == pytest.approx(cost.total_response - 0.5)


def test_moves_are_limited(concave: ResponseCurves) -> None:
    current = [5.0, 5.0, 10.0]
    share = adflow.allocate(concave, 20.0, current=current, max_change=[0.2, None, 0.1])
    assert abs(share.spend[0] - 5.0) <= 1.0 + 1e-9
    assert share.spend[2] >= 9.0 - 1e-9
    assert share.spend[0] == pytest.approx(6.0)
    assert any(limit["limit"] == "max_change" and limit["arm"] == 0 for limit in share.binding)
    amount = adflow.allocate(concave, 20.0, current=current, max_change_amount=0.5)
    assert np.abs(amount.spend - current).max() <= 0.5 + 1e-9
    moves = adflow.allocate(concave, 20.0, current=current, max_moves=2)
    assert np.count_nonzero(moves.spend != np.array(current)) == 2
    dear = adflow.allocate(concave, 20.0, current=current, move_cost=10.0)
    np.testing.assert_array_equal(dear.spend, current)


def test_spends_are_whole_steps_and_the_loss_is_said(concave: ResponseCurves) -> None:
    plan = adflow.allocate(concave, 20.0, step=[3.0, 3.0, None], spend_all=True)
    assert (plan.spend[:2] % 3.0 == 0.0).all()
    assert plan.spend.sum() == pytest.approx(20.0, abs=1e-12)
    free = adflow.allocate(concave, 20.0, spend_all=True)
    assert free.rounding_loss is None
    assert plan.rounding_loss == pytest.approx(free.objective_value - plan.objective_value, rel=1e-6)


def test_extrapolation_has_a_cap_or_a_price(concave: ResponseCurves) -> None:
    curves = concave.with_observed_spend([[1.0, 4.0], [1.0, 5.0], [0.0, np.inf]])
    assert adflow.allocate(curves, 30.0).spend[0] > 4.0
    cap = adflow.allocate(curves, 30.0, extrapolation="cap")
    assert cap.spend == pytest.approx([4.0, 5.0, 21.0])
    price = adflow.allocate(curves, 30.0, extrapolation=100.0)
    assert price.spend == pytest.approx([4.0, 5.0, 21.0])


def test_an_infeasible_group_is_in_the_conflict(concave: ResponseCurves) -> None:
    groups = [Group("paid", [0, 1], lower=10.0)]
    with pytest.raises(adflow.InfeasibleError, match="paid") as raised:
        adflow.allocate(concave, 5.0, groups=groups, upper=20.0)
    error = raised.value
    assert sorted(
        (limit["limit"], limit["arm"], limit["name"], limit["bound"]) for limit in error.conflict
    ) == [
        ("budget", None, None, 5.0),
        ("group_lower", None, "paid", 10.0),
    ]
    assert error.feasible_budget == pytest.approx((10.0, 60.0))
    assert error.feasible_target is None
    twin = pickle.loads(pickle.dumps(error))
    assert (twin.conflict, twin.nearest, twin.feasible_target) == (error.conflict, error.nearest, None)


def test_a_target_out_of_reach_says_what_could_be_reached(concave: ResponseCurves) -> None:
    with pytest.raises(adflow.InfeasibleError) as raised:
        adflow.allocate(concave, 6.0, target=Target.response(15.0))
    best = adflow.allocate(concave, 6.0).objective_value
    assert raised.value.feasible_target == pytest.approx(best, rel=1e-6)
    assert {limit["limit"] for limit in raised.value.conflict} == {"budget", "target"}


def test_a_total_that_cannot_be_spent_has_neighbours(concave: ResponseCurves) -> None:
    with pytest.raises(adflow.InfeasibleError) as raised:
        adflow.allocate(concave, 8.0, active_lower=5.0, upper=6.0, spend_all=True)
    assert raised.value.nearest == pytest.approx((6.0, 10.0))
    with pytest.raises(adflow.InfeasibleError) as raised:
        adflow.allocate(concave, 5.0, lower=2.0)
    assert raised.value.nearest == (None, 6.0)


PER_ARM: dict[str, Any] = {
    "activation_cost": np.array([0.1, 0.2, 0.3, 0.1, 0.2]),
    "max_change": np.array([0.1, np.inf, 0.4, 0.05, np.inf]),
    "max_change_amount": np.array([2.0, 1.0, np.inf, 3.0, 2.0]),
    "move_cost": np.array([0.01, 0.0, 0.02, 0.0, 0.01]),
    "step": np.array([0.0, 0.25, 0.0, 0.5, 0.0]),
}


@pytest.mark.parametrize("setting", sorted(PER_ARM))
def test_a_batch_with_limits_is_a_loop(setting: str) -> None:
    curves = ResponseCurves.michaelis_menten([9.0, 7.0, 5.0, 6.0, 8.0], [4.0, 4.0, 3.0, 2.0, 5.0])
    current = np.array([3.0, 4.0, 2.0, 3.0, 4.0])
    given = PER_ARM[setting]
    batch = adflow.allocate_batch(curves, [0, 3, 5], [8.0, 6.5], current=current, **{setting: given})
    plain = adflow.allocate_batch(curves, [0, 3, 5], [8.0, 6.5])
    for j, arms in enumerate([slice(0, 3), slice(3, 5)]):
        plan = adflow.allocate(curves[arms], [8.0, 6.5][j], current=current[arms], **{setting: given[arms]})
        np.testing.assert_array_equal(batch.spend[arms], plan.spend)
        assert batch.objective_value[j] == plan.objective_value
        assert batch.upper_bound[j] == plan.upper_bound
    assert (batch.objective_value < plain.objective_value).any()


def test_a_batch_takes_the_same_objective_for_all() -> None:
    curves = ResponseCurves.michaelis_menten([9.0, 7.0, 5.0], [4.0, 4.0, 3.0])
    batch = adflow.allocate_batch(curves, [0, 2, 3], [50.0, 50.0], objective="profit")
    assert batch.marginal_response == pytest.approx([1.0] * 3, rel=1e-6)


@pytest.mark.parametrize(
    "settings",
    [
        {"max_active": 1},
        {"max_moves": 1},
        {"target": Target.roas(1.2)},
        {"target": Target.response(6.0), "objective": "spend"},
        {"target": Target.marginal_roas(0.9), "objective": "profit"},
    ],
    ids=["max_active", "max_moves", "roas", "response", "marginal_roas"],
)
def test_what_is_asked_of_several_arms_holds_for_each_problem(settings: dict[str, Any]) -> None:
    curves = ResponseCurves.michaelis_menten([9.0, 7.0, 5.0, 6.0, 8.0], [4.0, 4.0, 3.0, 2.0, 5.0])
    current = np.array([3.0, 4.0, 1.0, 3.0, 2.0])
    batch = adflow.allocate_batch(curves, [0, 3, 5], [8.0, 6.5], current=current, **settings)
    plain = adflow.allocate_batch(curves, [0, 3, 5], [8.0, 6.5], current=current)
    for j, arms in enumerate([slice(0, 3), slice(3, 5)]):
        plan = adflow.allocate(curves[arms], [8.0, 6.5][j], current=current[arms], **settings)
        np.testing.assert_array_equal(batch.spend[arms], plan.spend)
        np.testing.assert_array_equal(batch.marginal_response[arms], plan.marginal_response)
        for name in ("objective_value", "upper_bound", "gap", "shadow_price", "status"):
            assert getattr(batch, name)[j] == getattr(plan, name)
    assert (np.abs(batch.spend - plain.spend) > 1e-3).any()


def test_a_batch_takes_a_measure_of_risk(uncertain: ResponseCurves) -> None:
    many = ResponseCurves.concat([uncertain, uncertain])
    batch = adflow.allocate_batch(many, [0, 2, 4], [4.0, 6.0], risk=Risk.cvar(0.5))
    for j, budget in enumerate([4.0, 6.0]):
        plan = adflow.allocate(uncertain, budget, risk=Risk.cvar(0.5))
        np.testing.assert_array_equal(batch.spend[2 * j : 2 * j + 2], plan.spend)
        assert batch.objective_value[j] == plan.objective_value


def test_a_batch_refuses_what_joins_arms_of_several_problems(concave: ResponseCurves) -> None:
    for setting in ({"groups": [VIDEO]}, {"coupling": Coupling([[1.0, 1.0, 0.0]], 2.0)}):
        with pytest.raises(adflow.InvalidInputError, match="many problems") as raised:
            adflow.allocate_batch(concave, [0, 2, 3], [20.0, 5.0], **setting)  # type: ignore[arg-type]
        assert raised.value.code == "out_of_domain"


def test_the_first_infeasible_problem_of_a_batch_names_its_arms() -> None:
    curves = ResponseCurves.michaelis_menten([9.0, 7.0, 5.0], [4.0, 4.0, 3.0])
    with pytest.raises(adflow.InfeasibleError) as raised:
        adflow.allocate_batch(curves, [0, 1, 3], [8.0, 1.0], lower=[0.0, 2.0, 0.0], max_active=1)
    assert {(limit["limit"], limit["arm"]) for limit in raised.value.conflict} == {
        ("budget", None),
        ("lower", 1),
    }


def test_a_frame_takes_settings_for_each_campaign() -> None:
    frame = pd.DataFrame(
        {
            "campaign": ["a", "b", "a", "b"],
            "budget": 8.0,
            "curve": "michaelis_menten",
            "beta": [9.0, 6.0, 7.0, 8.0],
            "half_saturation": 4.0,
            "current": [2.0, 5.0, 6.0, 1.0],
        }
    )
    active = adflow.allocate_frame(frame, max_active=1)
    assert (active["spend"] > 0).groupby(active["campaign"]).sum().to_list() == [1, 1]
    moved = adflow.allocate_frame(frame, max_moves=1)
    assert (moved["spend"] != frame["current"]).groupby(frame["campaign"]).sum().max() <= 1
    cheap = adflow.allocate_frame(frame, objective="spend", target=Target.response(5.0))
    np.testing.assert_allclose(cheap.groupby("campaign")["response"].sum(), 5.0, rtol=1e-6)
    with pytest.raises(adflow.InvalidInputError, match="no column `current`"):
        adflow.allocate_frame(frame.drop(columns="current"), max_moves=1)


def test_a_frame_has_columns_for_limits() -> None:
    frame = pl.DataFrame(
        {
            "campaign": ["b", "a", "b"],
            "budget": [8.0, 5.0, 8.0],
            "curve": ["michaelis_menten"] * 3,
            "beta": [9.0, 6.0, 7.0],
            "half_saturation": [4.0, 4.0, 4.0],
            "current": [2.0, 5.0, 6.0],
            "max_change": [0.5, None, None],
            "step": [None, 2.0, 0.5],
        }
    )
    result = adflow.allocate_frame(frame)
    curves = ResponseCurves.michaelis_menten([9.0, 7.0], [4.0, 4.0])
    want = adflow.allocate(curves, 8.0, current=[2.0, 6.0], max_change=[0.5, None], step=[None, 0.5])
    assert result["spend"].to_list() == [want.spend[0], 4.0, want.spend[1]]
    assert want.spend[0] == pytest.approx(3.0)
    for_all = adflow.allocate_frame(frame.drop("max_change", "step"), max_change_amount=0.25)
    assert (for_all["spend"] - frame["current"]).abs().max() <= 0.25 + 1e-9
    with pytest.raises(adflow.InvalidInputError, match="no column `current`"):
        adflow.allocate_frame(frame.drop("current"))
    # Nothing reads `current` where nothing is said of moves.
    odd = frame.drop("max_change", "step").with_columns(current=pl.lit("then"))
    assert adflow.allocate_frame(odd)["spend"].sum() == pytest.approx(13.0)


def test_errors_of_a_frame_keep_their_details() -> None:
    frame = pd.DataFrame(
        {
            "campaign": ["a", "a"],
            "budget": 8.0,
            "beta": 1.0,
            "half_saturation": 1.0,
            "slope": 1.0,
            "active_lower": 5.0,
            "upper": 6.0,
        }
    )
    with pytest.raises(adflow.InfeasibleError, match="^campaign 'a'") as raised:
        adflow.allocate_frame(frame, spend_all=True)
    assert raised.value.nearest == (6.0, 10.0)
    assert raised.value.feasible_target is None


def batch_of(hard: dict[str, Any]) -> dict[str, Any]:
    """Many times the hard problem, so that threads share them."""
    curves = hard["curves"]
    many = ResponseCurves.concat([ResponseCurves.concat([curves] * 20)] * 15)
    problems = len(many) // len(curves)
    return {
        "curves": many,
        "offsets": np.arange(problems + 1) * len(curves),
        "budgets": np.full(problems, hard["budget"]),
        "tolerance": 1e-15,
        "threads": 4,
    }


@pytest.mark.parametrize("call", ["single", "batch"])
def test_progress_tells_the_seconds_that_passed(hard: dict[str, Any], call: str) -> None:
    told: list[float] = []
    threads = set()

    def progress(seconds: float) -> None:
        told.append(seconds)
        threads.add(threading.get_ident())

    start = time.perf_counter()
    if call == "single":
        adflow.allocate(**hard, time_limit=0.5, progress=progress)
    else:
        adflow.allocate_batch(**batch_of(hard), time_limit=0.5, progress=progress)
    passed = time.perf_counter() - start
    assert len(told) >= 3
    assert told == sorted(told)
    assert 0.04 < told[0]
    assert told[-1] <= passed
    assert threads == {threading.get_ident()}


@pytest.mark.parametrize("call", ["single", "batch"])
def test_what_progress_raises_ends_the_call(hard: dict[str, Any], call: str) -> None:
    def enough(seconds: float) -> None:
        if seconds > 0.1:
            raise RuntimeError(f"enough after {seconds:.1f} s")

    start = time.perf_counter()
    with pytest.raises(RuntimeError, match="enough"):
        if call == "single":
            adflow.allocate(**hard, time_limit=30.0, progress=enough)
        else:
            adflow.allocate_batch(**batch_of(hard), time_limit=30.0, progress=enough)
    assert time.perf_counter() - start < 10


def test_a_bar_counts_the_seconds(hard: dict[str, Any], capsys: pytest.CaptureFixture[str]) -> None:
    adflow.allocate(**hard, time_limit=0.3, progress=True)
    assert "s of at most 0.3 s" in capsys.readouterr().err
    adflow.allocate(ResponseCurves.power([1.0, 2.0], 0.5), 3.0, progress=True)
    adflow.allocate(**hard, time_limit=0.2, progress=False)
    assert capsys.readouterr().err == ""


def test_a_bar_needs_tqdm(monkeypatch: pytest.MonkeyPatch, concave: ResponseCurves) -> None:
    monkeypatch.setitem(sys.modules, "tqdm.auto", None)
    with pytest.raises(ImportError, match=r"adflow\[progress\]"):
        adflow.allocate(concave, 3.0, progress=True)
