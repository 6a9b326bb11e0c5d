"""What every test run shares: a skip is said loudly, and with GAPMAP_REQUIRE_ALL=1 it is a failure."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from gapmap.analysis import open as open_result
from gapmap.analysis import run
from gapmap.cli import demo_scenario
from tests.sentinels import sentinel_result

if TYPE_CHECKING:
    from collections.abc import Generator

    from gapmap import Analysis

REQUIRE_ALL = os.environ.get("GAPMAP_REQUIRE_ALL", "") not in {"", "0"}


def _reason(report: pytest.TestReport | pytest.CollectReport) -> str:
    text = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
    return text.removeprefix("Skipped: ")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if REQUIRE_ALL and report.skipped and not hasattr(report, "wasxfail"):
        reason = _reason(report)
        report.outcome = "failed"
        report.longrepr = f"skipped, though GAPMAP_REQUIRE_ALL is set: {reason}"
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    report = yield
    if REQUIRE_ALL and report.skipped:
        reason = _reason(report)
        report.outcome = "failed"
        report.longrepr = f"skipped, though GAPMAP_REQUIRE_ALL is set: {reason}"
    return report


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    skipped = terminalreporter.stats.get("skipped", [])
    if not skipped:
        return
    counts: dict[str, int] = {}
    for report in skipped:
        counts[_reason(report)] = counts.get(_reason(report), 0) + 1
    terminalreporter.section("NOT EVERYTHING WAS TESTED", sep="!", red=True, bold=True)
    for reason, count in sorted(counts.items()):
        terminalreporter.line(f"SKIPPED {count}: {reason}", red=True)
    terminalreporter.line("With GAPMAP_REQUIRE_ALL=1 each of these is a failure.", red=True)


@pytest.fixture(scope="session")
def result(tmp_path_factory: pytest.TempPathFactory) -> Analysis:
    """Return a result whose zones carry words to be sought in what leaves the room."""
    return sentinel_result(tmp_path_factory.mktemp("points"))


@pytest.fixture(scope="session")
def counts(tmp_path_factory: pytest.TempPathFactory) -> Analysis:
    """Return the same, whose incidents are shared as counts."""
    return sentinel_result(tmp_path_factory.mktemp("counts"), share="counts")


@pytest.fixture(scope="session")
def computed_demo() -> Analysis:
    """Return the shipped demo as it comes out of the run; nobody changes it."""
    return run(demo_scenario())


@pytest.fixture(scope="session")
def demo(computed_demo: Analysis, tmp_path_factory: pytest.TempPathFactory) -> Analysis:
    """Return the same, saved and opened again."""
    return open_result(computed_demo.save(tmp_path_factory.mktemp("demo") / "gaps.gpkg"))
