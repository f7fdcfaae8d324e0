"""Deleting cases and their files in the pages: only after the words that say what is lost."""

from __future__ import annotations

import pytest

pytest.importorskip("cryptography")

from test_pages import HTML, Page, get
from test_pages_cases import PASSPHRASE, made, stored


def add(site, address, says="strong"):
    site.client.post(f"{address}/add", files={"file": ("a.png", site.picture(says))})


def links(page):
    return {a.get("href") for a in Page(page.text).all("a")}


@pytest.mark.parametrize("passphrase", ["", PASSPHRASE])
def test_a_case_is_deleted_after_it_was_said_what_is_lost(site, passphrase):
    address, other = made(site, "To go", passphrase), made(site, "To stay")
    add(site, address)
    add(site, other)
    kept = {p: p.read_bytes() for p in (site.folder / other[1:]).rglob("*") if p.is_file()}
    assert f"{address}/delete" in links(get(site, address))
    page = get(site, f"{address}/delete")
    for words in ("To go", "All that is stored in it (1)", "cannot be undone", "your other cases"):
        assert words in page.text
    assert get(site, address).status_code == 200, "asking deletes nothing"
    answer = site.client.post(f"{address}/delete", headers=HTML)
    assert "The case was deleted." in answer.text
    assert "To go" not in answer.text
    assert not (site.folder / address[1:]).exists()
    assert get(site, address).status_code == 404
    assert kept == {p: p.read_bytes() for p in (site.folder / other[1:]).rglob("*") if p.is_file()}
    assert site.client.post(f"{address}/delete", headers=HTML).status_code == 404


def test_a_case_that_is_open_elsewhere_is_closed(site):
    address = made(site, "Private title", PASSPHRASE)
    sessions = site.client.app.state.case_sessions
    token = site.client.cookies["haechi_case"]
    assert sessions.get(token, address.rpartition("/")[2]) is not None
    site.client.cookies.clear()  # another browser, without the passphrase
    page = get(site, address)
    assert f"{address}/delete" in links(page), "whoever forgot the passphrase can delete it"
    assert "Private title" not in get(site, f"{address}/delete").text
    site.client.post(f"{address}/delete", headers=HTML)
    assert sessions.get(token, address.rpartition("/")[2]) is None


def test_a_damaged_case_can_be_deleted_and_what_is_not_haechis_stays(site):
    address = made(site)
    folder = site.folder / address[1:]
    (folder / "log.jsonl").write_bytes(b"")
    (folder / "thesis.doc").write_bytes(b"mine")
    assert f"{address}/delete" in links(get(site, f"{address}/verify"))
    assert get(site, f"{address}/delete").status_code == 200
    answer = site.client.post(f"{address}/delete", headers=HTML)
    assert "are still in its folder" in answer.text
    assert [p.name for p in folder.iterdir()] == ["thesis.doc"]


@pytest.mark.parametrize("passphrase", ["", PASSPHRASE])
def test_one_file_is_deleted_and_the_proof_of_the_rest_holds(site, passphrase):
    address = made(site, "t", passphrase)
    for says in ("strong", "none", "strong"):
        add(site, address, says)
    page = get(site, f"{address}/1/delete").text
    for words in ("cannot be undone", "goes from there as well: 3.", "which can only grow"):
        assert words in page
    answer = site.client.post(f"{address}/1/delete", headers=HTML)
    assert "The file of No. 1 was deleted" in answer.text
    assert answer.text.count("The file was deleted on 20") == 2
    assert site.picture("strong") not in stored(site).values()
    assert f"{address}/2/delete" in links(answer)
    assert f"{address}/1/delete" not in links(answer)
    verified = get(site, f"{address}/verify").text
    assert "Nothing was changed" in verified
    assert "were deleted, as the log says" in verified
    for number in ("1", "7", "x", "9" * 5000):
        assert get(site, f"{address}/{number}/delete").status_code == 404
        assert site.client.post(f"{address}/{number}/delete", headers=HTML).status_code == 404


def test_of_a_locked_case_no_single_file_is_deleted(site):
    address = made(site, "t", PASSPHRASE)
    add(site, address)
    site.client.cookies.clear()
    before = stored(site)
    for ask in (site.client.get, site.client.post):
        answer = ask(f"{address}/1/delete", headers=HTML, follow_redirects=False)
        assert (answer.status_code, answer.headers["location"]) == (303, address)
    assert stored(site) == before


def test_another_site_deletes_nothing(site):
    address = made(site)
    add(site, address)
    before = stored(site)
    for path in ("/delete", "/1/delete"):
        answer = site.client.post(address + path, headers={**HTML, "Origin": "https://evil.example"})
        assert answer.status_code == 403
    assert stored(site) == before
