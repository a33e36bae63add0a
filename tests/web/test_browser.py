"""The pages as a person sees them, in headless Chromium."""

from __future__ import annotations

import json
import os
import shutil
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
import uvicorn
from selenium import webdriver
from selenium.common.exceptions import WebDriverException
from selenium.webdriver.common.by import By
from selenium.webdriver.support import expected_conditions as expected
from selenium.webdriver.support.select import Select
from selenium.webdriver.support.wait import WebDriverWait

from api import create_app
from triage.pipeline import Tools
from triage.runtime import Runtime
from triage.settings import Settings

TEXT = "Hello,\n\nthe truck with WH/OUT/00042 broke down near Weert, gearbox gone, <b>no ETA</b>.\n\nRegards\nJan"


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[webdriver.Chrome]:
    program, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if not program or not driver:
        if os.environ.get("CI"):
            pytest.fail("needed in CI: chromium and chromium-driver", pytrace=False)
        pytest.skip("chromium and chromedriver are not installed (apt-get install chromium chromium-driver)")
    options = webdriver.ChromeOptions()
    options.binary_location = program
    for switch in ("headless", "no-sandbox", "disable-gpu", "disable-quic", "no-first-run", "disable-sync"):
        options.add_argument(f"--{switch}")
    for switch in ("disable-background-networking", "disable-component-update", "window-size=1300,1100"):
        options.add_argument(f"--{switch}")
    options.add_argument(f"--user-data-dir={tmp_path_factory.mktemp('chromium')}")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    chrome = webdriver.Chrome(options, webdriver.ChromeService(driver))
    yield chrome
    chrome.quit()


@pytest.fixture(scope="module")
def address(tools: Tools, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A service without Odoo that has triaged one message."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    settings = Settings(_env_file=None, data_dir=tmp_path_factory.mktemp("data"))
    app = create_app(settings, lambda s: Runtime.build(s, tools=tools))
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=port, log_level="warning"))
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.05)
    url = f"http://127.0.0.1:{port}"
    message = {"channel": "email", "subject": "Panne & co", "text": TEXT, "sender": {"email": "jan@vervoer.example"}}
    httpx.post(f"{url}/v1/messages?wait=25", json=message, timeout=40).raise_for_status()
    yield url
    server.should_exit = True
    thread.join()


def test_the_queue_leads_to_a_message_with_its_evidence_marked(
    browser: webdriver.Chrome, address: str, tmp_path: Path
) -> None:
    browser.get(f"{address}/dashboard")
    (row,) = browser.find_elements(By.CSS_SELECTOR, "tbody tr")
    assert "jan@vervoer.example" in row.text
    assert "held" in row.text
    row.find_element(By.LINK_TEXT, "Panne & co").click()
    body = browser.find_element(By.XPATH, "//h2[text()='Message']/following-sibling::pre")
    assert body.text == TEXT, "the text stands as it was sent, tags and all"
    marks = {mark.text: mark for mark in browser.find_elements(By.TAG_NAME, "mark")}
    assert "delivery order" in (marks["WH/OUT/00042"].get_attribute("title") or "")
    assert marks["WH/OUT/00042"].value_of_css_property("background-color") != "rgba(0, 0, 0, 0)"
    assert browser.execute_script("return document.documentElement.scrollWidth <= window.innerWidth")
    assert browser.save_screenshot(str(tmp_path / "message.png"))


def test_a_wrong_label_is_corrected_in_the_form(browser: webdriver.Chrome, address: str, tmp_path: Path) -> None:
    browser.get(f"{address}/dashboard")
    browser.find_element(By.LINK_TEXT, "Panne & co").click()
    form = browser.find_element(By.CSS_SELECTOR, "#verdict form")
    Select(form.find_element(By.NAME, "label")).select_by_value("route_disruption")
    form.find_element(By.NAME, "comment").send_keys("Road closed, <i>not</i> the truck")
    form.find_element(By.CSS_SELECTOR, "button").click()
    said = expected.text_to_be_present_in_element((By.ID, "verdict"), "Road closed, <i>not</i> the truck")
    # A look that falls into the change of pages ends in an error of the driver, which is no answer.
    WebDriverWait(browser, 20, ignored_exceptions=[WebDriverException]).until(said)
    verdict = browser.find_element(By.ID, "verdict")
    assert verdict.location["y"] - browser.execute_script("return window.scrollY") < 1100, "the page opens at the form"
    assert browser.save_screenshot(str(tmp_path / "verdict.png"))
    assert browser.get_log("browser") == []  # type: ignore[no-untyped-call]


def test_the_pages_load_nothing_from_elsewhere_and_complain_of_nothing(browser: webdriver.Chrome, address: str) -> None:
    browser.get_log("performance")  # type: ignore[no-untyped-call]
    browser.get(f"{address}/dashboard")
    events = [json.loads(entry["message"])["message"] for entry in browser.get_log("performance")]  # type: ignore[no-untyped-call]
    sent = [e["params"]["request"]["url"] for e in events if e["method"] == "Network.requestWillBeSent"]
    assert sent
    assert all(url.startswith((address, "data:")) for url in sent), sent
    assert browser.get_log("browser") == []  # type: ignore[no-untyped-call]
