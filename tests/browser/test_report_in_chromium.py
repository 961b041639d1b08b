"""The report of a file in a real browser: nothing asked of the network, nothing cut off."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.portfolio.test_report import report, table

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1280])
def test_the_report_fits_and_asks_nothing(
    browser: Any, tmp_path: Path, scheme: str, width: int
) -> None:
    path = tmp_path / "report.html"
    path.write_text(report(table(), ratio=5.0), "utf-8")
    page = browser.new_page(viewport={"width": width, "height": 800}, color_scheme=scheme)
    asked: list[str] = []
    said: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: said.append(message.text))
    page.goto(path.as_uri())
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert asked == [path.as_uri()]
    assert said == []
    # Pictures have a size, and the two curves are as high as each other.
    boxes = [box.bounding_box() for box in page.locator("svg.curve").all()]
    assert len(boxes) == 6
    assert all(box["width"] > 150 and box["height"] > 100 for box in boxes)
    assert boxes[1]["height"] == pytest.approx(boxes[2]["height"], abs=1)
    page.close()
