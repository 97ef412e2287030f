"""The arithmetic of the bench: medians, ratios, goals and what came of them.

A figure is one number with its goal: `ratio <= 1.10`, `frames/s >= 50`. It is
met, missed or only told (no goal). What could not be measured is missed, not
left out.
"""
from dataclasses import dataclass, field
from statistics import median

MET, MISSED, TOLD = "pass", "MISS", "-"


@dataclass
class Figure:
    """One line of the table. at_most or at_least: the goal; neither: none."""
    name: str
    value: float | None
    unit: str = "ratio"
    at_most: float | None = None
    at_least: float | None = None
    detail: dict = field(default_factory=dict)  # what it was made from, for results.json
    note: str = ""

    @property
    def verdict(self):
        if self.at_most is None and self.at_least is None:
            return TOLD
        if self.value is None or self.value != self.value:
            return MISSED
        below = self.at_most is None or self.value <= self.at_most
        above = self.at_least is None or self.value >= self.at_least
        return MET if below and above else MISSED

    @property
    def goal(self):
        told = [f"{sign} {bound:g}" for sign, bound in (("<=", self.at_most), (">=", self.at_least)) if bound is not None]
        return ", ".join(told)

    def as_json(self):
        return {"name": self.name, "value": self.value, "unit": self.unit, "goal": self.goal, "verdict": self.verdict,
                "note": self.note, "detail": self.detail}


def alternate(rounds, **ways):
    """Call every way in turn, rounds times: A B A B. -> {name: [answers]}

    What the machine does meanwhile then weighs on all of them alike.
    """
    answers = {name: [] for name in ways}
    for _ in range(rounds):
        for name, way in ways.items():
            answers[name].append(way())
    return answers


def ratio(ours, theirs):
    """Median of ours over median of theirs."""
    return median(ours) / median(theirs)


def paired_ratio(ours, theirs):
    """Median of the ratios of each round: neighbours in time saw the same machine."""
    if len(ours) != len(theirs):
        raise ValueError("rounds must pair up")
    return median(a / b for a, b in zip(ours, theirs))


def table(figures):
    """The figures as text, one a line, misses told plainly."""
    rows = [("figure", "value", "unit", "goal", "")]
    for f in figures:
        value = "not measured" if f.value is None else f"{f.value:.4g}"
        rows.append((f.name, value, f.unit, f.goal, f.verdict))
    widths = [max(len(row[i]) for row in rows) for i in range(5)]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip() for row in rows]
    for f in figures:
        if f.note:
            lines.append(f"  {f.name}: {f.note}")
    return "\n".join(lines)


def closing(figures):
    """(the last line, the exit status): 0 when no goal was missed."""
    met = sum(f.verdict == MET for f in figures)
    missed = [f.name for f in figures if f.verdict == MISSED]
    line = f"{met} goals met, {len(missed)} missed" + (": " + ", ".join(missed) if missed else "")
    return line, 1 if missed else 0
