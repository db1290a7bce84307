"""Would the oracle notice? Copies of the search with one mistake each, all of which the comparison must catch.

A copy is a package of its own in a temporary folder: the product's modules stay as they are.
"""

import importlib
import random
import re
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest

import domain
from tests.domain.random_days import Case, random_case
from tests.domain.test_slots_oracle import Starts, simulated

COPIED = ("slots_clock", "slots_pass", "slots_prepare", "slots_insert", "slots_search")
SEEDS = range(500)
"""Most mistakes show within the first few."""


class Mutant(NamedTuple):
    """A mistake: in a module, one piece of source text becomes another."""

    name: str
    module: str
    old: str
    new: str


MUTANTS = [
    Mutant("start a second early", "slots_insert", "unfed_first = ready + to_job", "unfed_first = ready + to_job - 1"),
    Mutant("start a second late", "slots_insert", "unfed_first = ready + to_job", "unfed_first = ready + to_job + 1"),
    Mutant(
        "end a second early",
        "slots_insert",
        "fed_last = due - from_job - length",
        "fed_last = due - from_job - length - 1",
    ),
    Mutant(
        "end a second late",
        "slots_insert",
        "fed_last = due - from_job - length",
        "fed_last = due - from_job - length + 1",
    ),
    Mutant(
        "a gap that just fits is refused", "slots_insert", "(first <= last) & open_gaps", "(first < last) & open_gaps"
    ),
    Mutant(
        "a stretch of work that just fits is refused",
        "slots_clock",
        "fits = candidate + length <= _beside",
        "fits = candidate + length < _beside",
    ),
    Mutant(
        "a stretch of work is a second longer",
        "slots_clock",
        "fits = candidate + length <= _beside",
        "fits = candidate + length - 1 <= _beside",
    ),
    Mutant(
        "a window's end is left out",
        "slots_insert",
        'np.searchsorted(ends, found.first, side="left")',
        'np.searchsorted(ends, found.first, side="right")',
    ),
    Mutant(
        "a window's start is left out",
        "slots_insert",
        'np.searchsorted(starts, found.last, side="right")',
        'np.searchsorted(starts, found.last, side="left")',
    ),
    Mutant("lunch ignored", "slots_clock", "cls(needed == 1,", "cls(needed == 2,"),
    Mutant("lunch may start when it should end", "slots_clock", "earliest, latest - length", "earliest, latest"),
    Mutant(
        "lunch in time off does not count", "slots_clock", ">= length for start, end", ">= length * 1000 for start, end"
    ),
    Mutant(
        "no lunch after the job",
        "slots_insert",
        "np.maximum(schedule.due_fed - from_job, before_lunch)",
        "schedule.due_fed - from_job",
    ),
    Mutant(
        "no lunch later in the day",
        "slots_insert",
        "np.maximum(schedule.due_fed - from_job, before_lunch)",
        "before_lunch",
    ),
    Mutant(
        "no lunch on the way to the job",
        "slots_insert",
        "np.minimum(np.maximum(schedule.ready_fed, now) + to_job, after_lunch)",
        "np.maximum(schedule.ready_fed, now) + to_job",
    ),
    Mutant(
        "no lunch earlier in the day",
        "slots_insert",
        "np.minimum(np.maximum(schedule.ready_fed, now) + to_job, after_lunch)",
        "after_lunch",
    ),
    Mutant(
        "the drive to the job ignored",
        "slots_insert",
        "there[known] = travel.matrix(nodes, target)[:, 0]",
        "there[known] = 0",
    ),
    Mutant(
        "the drive from the job ignored",
        "slots_insert",
        "back[known] = travel.matrix(target, nodes)[0]",
        "back[known] = 0",
    ),
    Mutant(
        "drives between stops ignored",
        "slots_prepare",
        "legs[between] = travel.legs(origins, destinations)",
        "legs[between] = 0",
    ),
    Mutant("the drive home ignored", "slots_pass", "ready + home <= clocks.total", "ready <= clocks.total"),
    Mutant(
        "time off ignored", "slots_prepare", "working_spans(day.shifts, day.time_off)", "working_spans(day.shifts, ())"
    ),
    Mutant(
        "promised windows ignored",
        "slots_prepare",
        "np.where(fluid, padded(latest), padded(start))",
        "np.where(fluid, padded(latest) + 900, padded(start))",
    ),
    Mutant("a promise's start ignored", "slots_prepare", "np.maximum(clocks.at(padded(earliest)), soonest)", "soonest"),
    Mutant(
        "a promise ends a second late",
        "slots_prepare",
        "np.where(fluid, padded(latest), padded(start))",
        "np.where(fluid, padded(latest) + 1, padded(start))",
    ),
    Mutant(
        "a promise ends a second early",
        "slots_prepare",
        "np.where(fluid, padded(latest), padded(start))",
        "np.where(fluid, padded(latest) - 1, padded(start))",
    ),
    Mutant(
        "a broken promise slides",
        "slots_prepare",
        "stop.promised is not None and stop.promised[0] <= stop.start <= stop.promised[1]",
        "stop.promised is not None",
    ),
    Mutant("fixed stops slide", "slots_prepare", "not stop.fixed and _within_promise(stop)", "_within_promise(stop)"),
    Mutant(
        "stops slide into the past",
        "slots_prepare",
        "np.minimum(planned, now[:, None] + legs[:, :-1])",
        "np.minimum(planned, 0)",
    ),
    Mutant(
        "drives to the job begin in the past",
        "slots_insert",
        "ready, due = np.maximum(schedule.ready, now), schedule.due",
        "ready, due = schedule.ready, schedule.due",
    ),
    Mutant(
        "a day that cannot be kept counts as kept", "slots_pass", "kept &= ~real | (start <= stops.last[:, k])", "pass"
    ),
    Mutant("skills ignored", "slots_insert", "job.skills <= technician.skills", "True"),
    Mutant("service area ignored", "slots_insert", "technician.area.covers(job.point, job.postal_code)", "True"),
]


@cache
def judged(seed: int) -> tuple[Case, Starts]:
    """A case in ticks of a second, so that a mistake by a second shows, with the oracle's answer."""
    case = random_case(random.Random(seed), tick=1)
    return case, simulated(case)


def copied(folder: Path, package: str, mutant: Mutant | None) -> Path:
    """A package with the modules of the search, which import each other and the rest of the product."""
    source = Path(str(domain.__file__)).parent
    (folder / package).mkdir()
    (folder / package / "__init__.py").touch()
    for name in COPIED:
        text = (source / f"{name}.py").read_text()
        if mutant is not None and mutant.module == name:
            flat = re.sub(r"\s+", r"\\s*", re.escape(mutant.old).replace(r"\ ", " "))
            text, count = re.subn(flat, lambda _: mutant.new, text)
            assert count == 1, f"{mutant.old!r} stands {count} times in {name}"
        text = re.sub(rf"from domain\.({'|'.join(COPIED)}) ", rf"from {package}.\1 ", text)
        (folder / package / f"{name}.py").write_text(text)
    return folder


def differs(package: str, seeds: Sequence[int] = SEEDS) -> bool:
    """Whether the copy answers any case in another way than the oracle."""
    prepare = importlib.import_module(f"{package}.slots_prepare").prepare
    offered_windows = importlib.import_module(f"{package}.slots_search").offered_windows
    for seed in seeds:
        case, want = judged(seed)
        found: Starts = {day.technician.id: {} for day in case.days}
        schedule = prepare(case.days, case.travel, case.now)
        for offered in offered_windows(schedule, case.job, case.ticks(), case.travel):
            for candidate in offered.candidates:
                found[candidate.technician_id][candidate.earliest_start] = candidate.added_travel
        if found != want:
            return True
    return False


def test_a_faithful_copy_agrees(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(copied(tmp_path, "faithful", None))
    assert not differs("faithful", SEEDS[:40])


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_a_mistake_is_caught(mutant: Mutant, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = f"mutant_{MUTANTS.index(mutant)}"
    monkeypatch.syspath_prepend(copied(tmp_path, package, mutant))
    assert differs(package)
