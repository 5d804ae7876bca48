"""Plans as tables for people."""

from __future__ import annotations

from html import escape
from math import floor, isfinite, log10
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    import numpy as np
    from numpy.typing import NDArray

    from adflow._adflow import Frontier, Outcome, Plan, SchedulePlan, Uncertainty

_SHOWN = 30
_SHOWN_ARMS = 8


def plan_text(plan: Plan) -> str:
    """`repr(plan)`."""
    head, rows, total = _table(plan)
    hidden = _hidden(len(plan.spend) - len(rows), "arms")
    return "\n".join([_proof("Plan", plan), *_lines(head, rows, hidden, [total]), *_shared(plan)])


def plan_html(plan: Plan) -> str:
    """`plan._repr_html_()`."""
    head, rows, total = _table(plan)
    hidden = _hidden(len(plan.spend) - len(rows), "arms")
    return _html(_proof("Plan", plan), head, rows, hidden, [total], _shared(plan))


def schedule_text(plan: SchedulePlan) -> str:
    """`repr(plan)` of a plan over periods."""
    head, rows, totals = _periods(plan)
    hidden = _hidden(plan.periods - len(rows), "periods")
    return "\n".join(
        [_proof("SchedulePlan", plan), *_lines(head, rows, hidden, totals, text_last=False), *_shared(plan)]
    )


def schedule_html(plan: SchedulePlan) -> str:
    """`plan._repr_html_()` of a plan over periods."""
    head, rows, totals = _periods(plan)
    hidden = _hidden(plan.periods - len(rows), "periods")
    return _html(_proof("SchedulePlan", plan), head, rows, hidden, totals, _shared(plan), text_last=False)


def frontier_text(frontier: Frontier) -> str:
    """`repr(frontier)`."""
    caption, head, rows, changes = _budgets(frontier)
    hidden = _hidden(len(frontier) - len(rows), "budgets")
    return "\n".join([caption, *_lines(head, rows, hidden, []), *changes])


def frontier_html(frontier: Frontier) -> str:
    """`frontier._repr_html_()`."""
    caption, head, rows, changes = _budgets(frontier)
    hidden = _hidden(len(frontier) - len(rows), "budgets")
    return _html(caption, head, rows, hidden, [], changes)


def outcome_text(outcome: Outcome) -> str:
    """`repr(outcome)`."""
    low, _, middle, _, high = (_number(float(value)) for value in outcome.quantiles)
    return (
        f"Outcome({len(outcome.draws)} draws: mean {_number(outcome.mean)}, std {_number(outcome.std)}, "
        f"median {middle}, 5 % {low}, 95 % {high})"
    )


def uncertainty_text(uncertainty: Uncertainty) -> str:
    """`repr(uncertainty)`."""

    def worth(value: float, money: float | None) -> str:
        return _number(value) if money is None else f"{_number(value)} ({_money(money)} in money)"

    used = f"{len(uncertainty.draws)} draw{'' if len(uncertainty.draws) == 1 else 's'}"
    without = f", {uncertainty.infeasible} of them without a plan" if uncertainty.infeasible else ""
    information = worth(uncertainty.perfect_information, uncertainty.perfect_information_money)
    caption = f"Uncertainty over {used}{without}: knowing all curves would be worth {information}"
    names = uncertainty.names or [str(arm) for arm in range(len(uncertainty.shares))]
    money = uncertainty.arm_information_money
    head = ["arm", "share", "5 %", "95 %", "knowing it is worth"]
    rows = []
    for arm, share in enumerate(uncertainty.shares[:_SHOWN]):
        of_arm = worth(float(uncertainty.arm_information[arm]), None if money is None else float(money[arm]))
        shares = [f"{100 * share[key]:.1f} %" for key in ("mean", "low", "high")]
        rows.append([names[arm], *shares, of_arm])
    hidden = _hidden(len(uncertainty.shares) - len(rows), "arms")
    return "\n".join([caption, *_lines(head, rows, hidden, [])])


def _hidden(rows: int, what: str) -> str | None:
    return f"… {rows} more {what}" if rows else None


def _lines(
    head: list[str],
    rows: list[list[str]],
    hidden: str | None,
    totals: list[list[str]],
    *,
    text_last: bool = True,
) -> list[str]:
    """A table in plain text: names on the left, numbers on the right."""
    widths = [max(len(row[at]) for row in (head, *rows, *totals)) for at in range(len(head))]
    numbers = range(1, len(widths) - text_last)

    def line(cells: Iterable[str]) -> str:
        aligned = [
            cell.rjust(width) if at in numbers else cell.ljust(width)
            for at, (cell, width) in enumerate(zip(cells, widths, strict=True))
        ]
        return "  ".join(aligned).rstrip()

    rule = "─" * (sum(widths) + 2 * (len(widths) - 1))
    lines = [line(head), rule, *map(line, rows)]
    if hidden is not None:
        lines.append(hidden)
    return [*lines, rule, *map(line, totals)] if totals else lines


def _html(
    caption: str,
    head: list[str],
    rows: list[list[str]],
    hidden: str | None,
    totals: list[list[str]],
    notes: list[str],
    *,
    text_last: bool = True,
) -> str:
    """The same as a table of a page."""
    numbers = range(1, len(head) - text_last)

    def line(cells: list[str], tag: str) -> str:
        texts = (
            f'<{tag} style="text-align:{"right" if at in numbers else "left"}">{escape(cell)}</{tag}>'
            for at, cell in enumerate(cells)
        )
        return f"<tr>{''.join(texts)}</tr>"

    span = f'<tr><td colspan="{len(head)}" style="text-align:left">'
    body = "".join(line(row, "td") for row in rows)
    if hidden is not None:
        body += f"{span}{escape(hidden)}</td></tr>"
    foot = "".join(line(total, "th") for total in totals)
    foot += "".join(f"{span}{escape(note)}</td></tr>" for note in notes)
    return (
        f"<table><caption style='text-align:left'>{escape(caption)}</caption>"
        f"<thead>{line(head, 'th')}</thead><tbody>{body}</tbody><tfoot>{foot}</tfoot></table>"
    )


def _proof(what: str, plan: Plan | SchedulePlan) -> str:
    gap = "0" if plan.gap <= 0 else f"{plan.gap:.1e}"
    return (
        f"{what}: {plan.status}, objective {_number(plan.objective_value)}, "
        f"at most {_number(plan.upper_bound)} possible (gap {gap}), "
        f"shadow price {_number(plan.shadow_price)}"
    )


def _table(plan: Plan) -> tuple[list[str], list[list[str]], list[str]]:
    """Head, rows and totals."""
    names = plan.names or [str(arm) for arm in range(len(plan.spend))]
    binding: dict[int | None, str] = {}
    for entry in plan.binding:
        if entry["arm"] is not None or entry["limit"] == "budget":
            others = binding.get(entry["arm"])
            word = entry["limit"].replace("_", " ")
            binding[entry["arm"]] = word if others is None else f"{others}, {word}"
    head = ["arm", "spend", "response", "marginal", "binds"]
    total = ["total", _money(plan.total_spend), _number(plan.total_response), "", binding.get(None, "")]
    if plan.current is not None:
        head[1:2] = ["current", "spend", "change"]
        before = float(plan.current.sum())
        total[1:2] = [_money(before), _money(plan.total_spend), _change(before, plan.total_spend)]
    rows = []
    for arm in range(min(len(names), _SHOWN)):
        spend = float(plan.spend[arm])
        row = [names[arm], _money(spend), _number(float(plan.response[arm]))]
        row += [_number(float(plan.marginal_response[arm])), binding.get(arm, "")]
        if plan.current is not None:
            current = float(plan.current[arm])
            row[1:2] = [_money(current), _money(spend), _change(current, spend)]
        rows.append(row)
    return head, rows, total


def _periods(plan: SchedulePlan) -> tuple[list[str], list[list[str]], list[list[str]]]:
    """Head, periods and totals: a column per arm, for those that spend most, and one for the others."""
    arms = len(plan.arm_spend)
    names = plan.names or [f"arm {arm}" for arm in range(arms)]
    order = sorted(range(arms), key=lambda arm: -float(plan.arm_spend[arm]))
    shown = sorted(order[:_SHOWN_ARMS])
    others = sorted(order[_SHOWN_ARMS:])

    def row(label: str, values: NDArray[np.float64], show: Callable[[float], str]) -> list[str]:
        cells = [label, *(show(float(values[arm])) for arm in shown)]
        if others:
            cells.append(show(float(values[others].sum())))
        return [*cells, show(float(values.sum()))]

    head = ["period", *(names[arm] for arm in shown)]
    if others:
        head.append(f"{len(others)} other arm{'s' if len(others) > 1 else ''}")
    rows = [row(str(period), plan.spend[period], _money) for period in range(min(plan.periods, _SHOWN))]
    totals = [row("spend", plan.arm_spend, _money), row("response", plan.arm_response, _number)]
    if plan.response_after > 0:
        totals.append(row("…after", plan.response[plan.periods :].sum(axis=0), _number))
    return [*head, "total"], rows, totals


def _budgets(frontier: Frontier) -> tuple[str, list[str], list[list[str]], list[str]]:
    """Caption, head, rows and changes."""
    optimal = frontier.status.count("optimal")
    caption = f"Frontier: {len(frontier)} budgets, {len(frontier.curves)} arms, {optimal} optimal"
    head = ["budget", "spend", "response", "objective", "at most", "shadow price", "status"]
    rows = []
    for at in range(min(len(frontier), _SHOWN)):
        money = (frontier.budgets, frontier.total_spend)
        numbers = (
            frontier.total_response,
            frontier.objective_value,
            frontier.upper_bound,
            frontier.shadow_price,
        )
        cells = [_money(float(column[at])) for column in money]
        cells += [_number(float(column[at])) for column in numbers]
        rows.append([*cells, frontier.status[at]])
    changes = [
        f"{change['name'] or 'arm ' + str(change['arm'])} {change['change']} at "
        f"{'' if change['exact'] else 'about '}{_money(change['budget'])}"
        for change in frontier.changes[:_SHOWN]
    ]
    more = _hidden(len(frontier.changes) - len(changes), "changes")
    return caption, head, rows, changes if more is None else [*changes, more]


def _shared(plan: Plan | SchedulePlan) -> list[str]:
    """A line for every binding limit over several spends."""
    several = ("arm_lower", "arm_upper")
    lines = []
    for entry in plan.binding:
        if (entry["arm"] is None or entry["limit"] in several) and entry["limit"] != "budget":
            word = entry["limit"].replace("_", " ")
            name = entry["name"] or (None if entry["arm"] is None else f"arm {entry['arm']}")
            of = "" if name is None else f" of {name}"
            bound = entry["bound"]
            whole = bound.is_integer() and abs(bound) < 1e15
            shown = f"{bound:,.0f}" if whole else _number(bound)
            lines.append(f"{word}{of}: {shown}, price {_number(entry['price'])}")
    return lines


def _money(amount: float) -> str:
    if amount == 0:
        return "0"
    return (
        f"{amount:,.0f}" if 1000 <= amount < 1e15 else _number(amount) if amount >= 1e15 else f"{amount:,.2f}"
    )


def _number(value: float) -> str:
    """Five digits, thousands separated."""
    if value == 0 or not isfinite(value):
        return f"{value:g}"
    exponent = floor(log10(abs(value)))
    if not -4 <= exponent < 15:
        return f"{value:.4e}"
    return f"{value:,.{max(0, 4 - exponent)}f}"


def _change(before: float, after: float) -> str:
    if before == 0:
        return "" if after == 0 else "new"
    percent = 100 * (after / before - 1)
    return "=" if abs(percent) < 0.05 else f"{percent:+,.1f} %" if abs(percent) < 10 else f"{percent:+,.0f} %"
