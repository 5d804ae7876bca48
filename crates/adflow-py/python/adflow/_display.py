"""A plan as a table for people."""

from __future__ import annotations

from html import escape
from math import floor, isfinite, log10
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from adflow._adflow import Plan

_SHOWN = 30


def plan_text(plan: Plan) -> str:
    """`repr(plan)`."""
    head, rows, total = _table(plan)
    widths = [max(len(row[at]) for row in (head, *rows, total)) for at in range(len(head))]

    def line(cells: Iterable[str]) -> str:
        aligned = [
            cell.rjust(width) if 0 < at < len(widths) - 1 else cell.ljust(width)
            for at, (cell, width) in enumerate(zip(cells, widths, strict=True))
        ]
        return "  ".join(aligned).rstrip()

    rule = "─" * (sum(widths) + 2 * (len(widths) - 1))
    body = [line(row) for row in rows]
    hidden = len(plan.spend) - len(rows)
    if hidden:
        body.append(f"… {hidden} more arms")
    return "\n".join([_proof(plan), line(head), rule, *body, rule, line(total), *_shared(plan)])


def plan_html(plan: Plan) -> str:
    """`plan._repr_html_()`."""
    head, rows, total = _table(plan)

    def line(cells: list[str], tag: str) -> str:
        last = len(cells) - 1
        align = ["right" if 0 < at < last else "left" for at in range(len(cells))]
        texts = (
            f'<{tag} style="text-align:{side}">{escape(cell)}</{tag}>'
            for cell, side in zip(cells, align, strict=True)
        )
        return f"<tr>{''.join(texts)}</tr>"

    body = "".join(line(row, "td") for row in rows)
    hidden = len(plan.spend) - len(rows)
    if hidden:
        body += f'<tr><td colspan="{len(head)}">… {hidden} more arms</td></tr>'
    span = f'<tr><td colspan="{len(head)}" style="text-align:left">'
    shared = "".join(f"{span}{escape(limit)}</td></tr>" for limit in _shared(plan))
    return (
        f"<table><caption style='text-align:left'>{escape(_proof(plan))}</caption>"
        f"<thead>{line(head, 'th')}</thead><tbody>{body}</tbody><tfoot>{line(total, 'th')}{shared}</tfoot></table>"
    )


def _proof(plan: Plan) -> str:
    gap = "0" if plan.gap <= 0 else f"{plan.gap:.1e}"
    return (
        f"Plan: {plan.status}, objective {_number(plan.objective_value)}, "
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


def _shared(plan: Plan) -> list[str]:
    """A line for every binding limit over several arms."""
    lines = []
    for entry in plan.binding:
        if entry["arm"] is None and entry["limit"] != "budget":
            word = entry["limit"].replace("_", " ")
            of = "" if entry["name"] is None else f" of {entry['name']}"
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
