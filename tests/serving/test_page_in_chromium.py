"""The page to try the model in a real browser: it answers, fits a phone, and asks nobody else."""

from __future__ import annotations

from typing import Any

import pytest
from tests.browser.conftest import browser
from tests.browser.test_page_in_chromium import CONTRAST
from tests.serving.conftest import Running

__all__ = ["browser"]  # the fixture of tests/browser

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1200])
def test_a_row_is_asked_and_answered(
    browser: Any, server: Running, width: int, scheme: str
) -> None:
    context = browser.new_context(
        viewport={"width": width, "height": 800}, color_scheme=scheme, reduced_motion="reduce"
    )
    opened = context.new_page()
    said: list[str] = []
    asked: list[str] = []
    opened.on("console", lambda message: said.append(message.text))
    opened.on("pageerror", lambda error: said.append(str(error)))
    opened.on("request", lambda request: asked.append(request.url))
    opened.goto(f"http://127.0.0.1:{server.port}/")
    assert opened.input_value("#f0") == "17.99"
    opened.click("button[type=submit]")
    opened.wait_for_selector("#answer:not([hidden])")
    wanted = server.json("GET", "/openapi.json")[1]["components"]["schemas"]["Row"]["examples"][0]
    probability = server.json("POST", "/predict", wanted)[1]["probability"]
    assert opened.text_content("#probability") == f"{probability:.3f}"
    assert "page-" in opened.text_content("#told")
    assert opened.evaluate("document.documentElement.scrollWidth") <= width
    contrast = opened.evaluate(CONTRAST)
    assert (contrast["poor"], contrast["seen"] > 10) == ([], True)

    opened.fill("#f0", "large")
    opened.click("button[type=submit]")
    assert opened.text_content("#e0") == "is no number"
    opened.fill("#f0", "1e39")
    opened.click("button[type=submit]")
    opened.wait_for_selector("#failure:not([hidden])")
    assert "beyond what the model can take" in opened.text_content("#why")
    opened.click("#other")
    opened.fill("#f0", "12,5")
    assert '"mean radius":12.5' in opened.text_content("#curl")
    assert {url.split("/")[2] for url in asked if url.startswith("http")} == {
        f"127.0.0.1:{server.port}"
    }
    assert [text for text in said if "422" not in text] == []
    context.close()
