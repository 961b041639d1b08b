"""Reports of every task in a real browser: nothing asked of the network, nothing cut off."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.portfolio.test_report_tasks import SECTIONS, report, tables

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("task", SECTIONS)
@pytest.mark.parametrize(("scheme", "width"), [("light", 360), ("dark", 1280)])
def test_the_report_of_each_task_fits_and_asks_nothing(
    browser: Any, tmp_path: Path, task: str, scheme: str, width: int
) -> None:
    path = tmp_path / "report.html"
    path.write_text(report(tables()[task]), "utf-8")
    page = browser.new_page(viewport={"width": width, "height": 800}, color_scheme=scheme)
    asked: list[str] = []
    said: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: said.append(message.text))
    page.goto(path.as_uri())
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert asked == [path.as_uri()]
    assert said == []
    boxes = [box.bounding_box() for box in page.locator("svg.curve").all()]
    assert boxes
    assert all(box["width"] > 150 and box["height"] > 100 for box in boxes)
    page.close()
