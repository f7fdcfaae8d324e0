"""The pages of cases: made, opened, filled, verified, handed over; on this computer only."""

from __future__ import annotations

import hashlib
import io
import re
import zipfile

import pytest

pytest.importorskip("cryptography")

from test_pages import HOSTILE, HTML, Page, answered, checked, get

from haechi.web.pages import case_sessions

PASSPHRASE = "a horn that tells the truth"


def made(site, title="Found in March", passphrase=""):
    """The address of a new case, opened."""
    lock = "passphrase" if passphrase else "none"
    form = {"title": title, "passphrase": passphrase, "again": passphrase, "lock": lock}
    answer = site.client.post("/cases", data=form, headers=HTML, follow_redirects=False)
    assert answer.status_code == 303, answer.text
    return answer.headers["location"]


def keep(site, address, content, name="photo.png", **fields):
    data = {"case": "new", "lock": "none", **fields}
    return site.client.post(f"{address}/case", files={"file": (name, content)}, data=data, headers=HTML)


def stored(site):
    """Names and bytes of all files below the cases' folder."""
    return {file.name: file.read_bytes() for file in (site.folder / "cases").rglob("*") if file.is_file()}


def test_a_case_is_made_and_listed(site):
    address = made(site)
    assert "Found in March" in get(site, "/cases").text
    page = get(site, address).text
    assert "Not encrypted" in page
    assert "Nothing is stored here yet" in page


def test_the_list_names_what_each_case_is_newest_first(site, monkeypatch):
    times = iter(f"2026-03-05T10:00:{second:02d}Z" for second in range(60))
    monkeypatch.setattr("haechi.case.store.now", lambda: next(times))
    addresses = [made(site, f"number {i}") for i in range(8)]
    addresses.append(made(site, ""))
    locked = made(site, "secret", PASSPHRASE)
    site.client.post(f"{locked}/lock", headers=HTML)
    damaged = made(site, "damaged")
    (site.folder / damaged[1:] / "log.jsonl").write_bytes(b"")
    text = get(site, "/cases").text
    order = [a["href"].removesuffix("/verify") for a in Page(text).all("a") if a["href"][:7] == "/cases/"]
    assert order[:11] == [damaged, locked, *reversed(addresses)]
    assert text.count("Locked case") == text.count("Case without a name") == 1
    assert text.count("Changed or damaged case") == 1
    assert text.count("Made on 2026-03-05<") == 10  # a damaged case says that it is one, and no more
    assert "Case without a name" in get(site, addresses[-1]).text


def test_a_file_is_added_with_where_it_was_found(site):
    address = made(site)
    answer = site.client.post(
        f"{address}/add",
        files={"file": ("found.png", site.picture("strong"))},
        data={"address": "https://example.org/page", "note": "posted by somebody"},
        headers=HTML,
    )
    assert "Stored and sealed" in answer.text
    for told in ("found.png", "https://example.org/page", "posted by somebody"):
        assert told in answer.text
    assert hashlib.sha256(site.picture("strong")).hexdigest() in answer.text


def test_a_result_becomes_evidence_with_its_report(site):
    address = checked(site)
    assert "must be given again" not in get(site, f"{address}/case").text, "two questions come first"
    answered(site, "adult", "US")
    assert "must be given again" in get(site, f"{address}/case").text
    answer = keep(site, address, site.picture("strong"), title="March")
    assert "Stored and sealed" in answer.text
    assert "Strong signs of manipulation" in answer.text
    case = str(answer.url).partition("?")[0].partition("8765")[2]
    report = get(site, f"{case}/1").text
    assert 'id="unveil"' in report
    assert "Strong signs of manipulation" in report
    assert site.client.get(f"{case}/1/report.css").status_code == 200
    again = keep(site, address, site.picture("strong"), case=case.rpartition("/")[2])
    assert "No. 2" in again.text


def test_a_stored_report_shows_no_picture_to_who_said_that_the_person_is_a_minor(site):
    """The answer holds for the whole visit, also for a report that was kept before it was given."""
    address = checked(site)
    answered(site, "adult", "US")
    case = str(keep(site, address, site.picture("strong")).url).partition("?")[0].partition("8765")[2]
    answered(site, "minor", "US")
    report = get(site, f"{case}/1").text
    assert "Strong signs of manipulation" in report
    for shows in ("data:image", "<image", 'id="unveil"'):
        assert shows not in report
    adult = site.client.get(f"{case}/1/report.css").text
    answered(site, "adult", "US")
    assert len(site.client.get(f"{case}/1/report.css").text) > len(adult), "the rules place the pictures"


def test_no_case_that_anybody_can_read_is_chosen_from_the_start(site):
    address = checked(site)
    made(site, "Open one")
    sealed = made(site, "Sealed one", PASSPHRASE)

    def chosen(page):
        radios = [a for a in Page(page.text).all("input") if a.get("name") == "case"]
        assert len(radios) == 3
        return [radio["value"] for radio in radios if "checked" in radio]

    answered(site, "adult", "US")
    page = get(site, f"{address}/case")
    assert chosen(page) == [sealed.rpartition("/")[2]]
    assert page.text.count("Not encrypted: whoever uses") == 1, "what is not is called so"
    site.client.cookies.clear()  # the sealed one is locked again
    answered(site, "adult", "US")
    assert chosen(get(site, f"{address}/case")) == ["new"]


def test_nothing_is_kept_by_one_careless_tap(site):
    address, picture = checked(site), site.picture("strong")
    answered(site, "adult", "US")
    form = get(site, f"{address}/case").text
    choice = {a["value"]: "checked" in a for a in Page(form).all("input") if a.get("name") == "lock"}
    assert choice == {"passphrase": True, "none": False}
    assert "unencrypted, readable by anyone who uses this computer" in form
    for fields, told in (
        ({"lock": "passphrase"}, "type a passphrase, or choose plainly"),
        ({"lock": ""}, "type a passphrase, or choose plainly"),
        ({"lock": "perhaps"}, "type a passphrase, or choose plainly"),
        ({"lock": "none", "passphrase": PASSPHRASE, "again": PASSPHRASE}, "decide for one of the two"),
        ({"lock": "passphrase", "passphrase": "short", "again": "short"}, "at least 8"),
    ):
        answer = keep(site, address, picture, note="my note", **fields)
        assert answer.status_code == 422, fields
        assert told in answer.text
        assert "my note" in answer.text, "what was typed is not lost"
        assert not stored(site)
    sealed = keep(site, address, picture, lock="passphrase", passphrase=PASSPHRASE, again=PASSPHRASE)
    assert "Stored and sealed" in sealed.text
    assert picture not in stored(site).values()
    keep(site, address, picture, lock="none")
    assert picture in stored(site).values()


def test_another_file_than_the_one_checked_is_not_taken_for_it(site):
    answer = keep(site, checked(site), site.picture("none"), note="my note")
    assert answer.status_code == 422
    assert "another file than the one that was checked" in answer.text
    assert "my note" in answer.text, "what was typed is not lost"
    assert not stored(site)


def test_of_a_minor_nothing_is_kept_and_help_is_named(site):
    picture = site.picture("strong")
    address, again = checked(site), checked(site)
    answer = keep(site, address, picture, minor="1")
    assert "Only fingerprints, the time and the verdict were stored, no picture" in answer.text
    assert "takeitdown.ncmec.org" in answer.text
    assert picture not in stored(site).values()
    assert not list((site.folder / "uploads").iterdir())
    for result in (address, again):  # a preview of it was in each
        assert get(site, result).status_code == 404
    assert not site.jobs.counts()["done"]
    assert "Strong signs of manipulation" in answer.text, "the verdict is kept in words"
    assert 'href="/cases/' + str(answer.url).rpartition("/")[2].partition("?")[0] + '/1"' not in answer.text


def test_whoever_said_that_it_shows_a_minor_is_not_asked_again(site):
    address = checked(site)
    answered(site, "minor", "KR")
    form = get(site, f"{address}/case").text
    inputs = Page(form).all("input")
    assert [(a["type"], a["value"]) for a in inputs if a.get("name") == "minor"] == [("hidden", "1")]
    assert [a["value"] for a in inputs if a.get("name") == "lock"] == ["passphrase", "none"]
    assert "Stores the original" not in form
    assert "must be given again" not in form
    answer = keep(site, address, site.picture("strong"))
    assert "no picture" in answer.text
    assert "tel:1388" in answer.text
    assert site.picture("strong") not in stored(site).values()
    assert not [name for name in stored(site) if name.endswith((".png", ".report"))]


def test_a_form_about_a_minor_keeps_no_picture_though_the_answers_are_forgotten(site):
    """They are gone with the process, and a browser without cookies leaves them behind with the address."""
    address, picture = checked(site), site.picture("strong")
    asked = get(site, f"{address}/case?age=minor&country=KR")
    hidden = {a["name"]: a["value"] for a in Page(asked.text).all("input") if a.get("type") == "hidden"}
    site.client.cookies.clear()
    answer = keep(site, address, picture, **hidden)
    assert "no picture" in answer.text
    assert picture not in stored(site).values()
    assert not [name for name in stored(site) if name.endswith((".png", ".report"))]


def test_a_letter_names_whom_to_call_in_its_country_first(site):
    address = made(site)
    site.client.post(f"{address}/add", files={"file": ("a.png", site.picture("strong"))})
    for country, number in (("UK", "tel:03456000459"), ("KR", "tel:02-735-8994"), ("EU", "tel:116016")):
        for query in ("", "&kind=platform&n=1"):
            first, fold, folded = get(site, f"{address}/letter?country={country}{query}").text.partition(
                "<details"
            )
            assert number in first
            assert fold
            assert "tel:" in folded
            assert f'"{number}"' not in folded or country == "EU"  # Germany has the number of the Union


def test_what_is_neither_yes_nor_no_is_named(site):
    answer = keep(site, checked(site), site.picture("strong"), minor="perhaps")
    assert answer.status_code == 422
    assert site.picture("strong") not in stored(site).values()


def test_a_passphrase_locks_the_case_for_every_other_browser(site):
    address = made(site, "Private title", PASSPHRASE)
    site.client.post(f"{address}/add", files={"file": ("a.png", site.picture("strong"))})
    assert "Private title" in get(site, address).text
    assert site.picture("strong") not in stored(site).values()
    site.client.cookies.clear()
    page = get(site, address).text
    assert "Private title" not in page
    assert "type its passphrase" in page
    assert "Private title" not in get(site, "/cases").text
    wrong = site.client.post(f"{address}/unlock", data={"passphrase": "wrong guess"}, headers=HTML)
    assert wrong.status_code == 422
    assert "not the passphrase" in wrong.text
    right = site.client.post(f"{address}/unlock", data={"passphrase": PASSPHRASE}, headers=HTML)
    assert "Private title" in right.text


def test_locked_pages_lead_to_the_form_for_the_passphrase(site):
    address = made(site, "t", PASSPHRASE)
    site.client.cookies.clear()
    for path in ("/add", "/match", "/letter", "/bundle.zip", "/1"):
        answer = site.client.get(address + path, headers=HTML, follow_redirects=False)
        assert (answer.status_code, answer.headers["location"]) == (303, address), path


@pytest.mark.parametrize("path", ["/cases/lock", "{}/lock"])
def test_locking_forgets_the_key(site, path):
    address = made(site, "Private title", PASSPHRASE)
    site.client.post(path.format(address), headers=HTML)
    assert "type its passphrase" in get(site, address).text


def test_an_open_case_locks_itself_after_a_while(site, monkeypatch):
    address = made(site, "Private title", PASSPHRASE)
    monkeypatch.setattr(case_sessions, "IDLE_S", -1.0)
    assert "type its passphrase" in get(site, address).text


def test_bad_passphrases_are_told_and_make_no_case(site):
    problems = (
        ("abc", "abc", "at least 8"),
        (PASSPHRASE, "x", "not the same"),
        ("", "", "choose plainly to go without one"),
    )
    for passphrase, again, told in problems:
        form = {"title": "Kept title", "passphrase": passphrase, "again": again}
        answer = site.client.post("/cases", data=form, headers=HTML)
        assert answer.status_code == 422
        assert told in answer.text
        assert "Kept title" in answer.text
        assert not passphrase or f'value="{passphrase}"' not in answer.text
    assert not stored(site)


def test_verify_tells_an_untouched_case_from_a_changed_one(site):
    address = made(site)
    site.client.post(f"{address}/add", files={"file": ("a.png", site.picture("strong"))})
    page = get(site, f"{address}/verify")
    assert "Nothing was changed" in page.text
    head = re.findall(r">([0-9a-f]{64})<", page.text)[0]
    assert "holds 2 lines, the last one of 20" in page.text
    assert '<div role="img" aria-label="QR code of this line"><svg' in page.text
    log = site.folder / address[1:] / "log.jsonl"
    whole = log.read_bytes()
    log.write_bytes(whole + b'{"do":')
    interrupted = get(site, f"{address}/verify").text
    assert "was interrupted" in interrupted
    assert "Something was changed" not in interrupted
    log.write_bytes(whole)
    assert "It fits" in get(site, f"{address}/verify?head={head}").text
    assert "does not belong to this case" in get(site, f"{address}/verify?head={'0' * 64}").text
    original = next((site.folder / address[1:] / "originals").iterdir())
    original.chmod(0o600)
    original.write_bytes(original.read_bytes()[:-1] + b"x")
    changed = get(site, f"{address}/verify", "ko").text
    assert "바뀐 것이 있습니다" in changed
    assert original.name in changed


def test_a_bundle_holds_the_originals_or_only_hashes(site):
    address = made(site)
    site.client.post(f"{address}/add", files={"file": ("a.png", site.picture("strong"))})

    def contents(query):
        answer = site.client.get(f"{address}/bundle.zip{query}")
        assert answer.headers["content-type"] == "application/zip"
        with zipfile.ZipFile(io.BytesIO(answer.content)) as bundle:
            return [bundle.read(name) for name in bundle.namelist()]

    assert site.picture("strong") in contents("")
    assert site.picture("strong") not in contents("?hashes_only=true")
    assert not list(site.folder.glob(".bundle-*"))


def test_copies_are_found_and_what_was_compared_is_not_kept(site):
    address = made(site)
    site.client.post(f"{address}/add", files={"file": ("a.png", site.picture("strong"))})

    def compared(content):
        return site.client.post(f"{address}/match", files={"file": ("b.png", content)}, headers=HTML).text

    assert "b.png: a copy of No. 1 (the very same file)" in compared(site.picture("strong"))
    assert "b.png" in compared(b"nonsense")
    assert not list((site.folder / "uploads").iterdir())


@pytest.mark.parametrize("lang", ["en", "zh", "ko"])
def test_a_letter_names_hashes_and_addresses(site, lang):
    address = made(site)
    site.client.post(
        f"{address}/add",
        files={"file": ("a.png", site.picture("strong"))},
        data={"address": "https://example.org/page"},
    )
    form = get(site, f"{address}/letter")
    kinds = [a["value"] for a in Page(form.text).all("input") if a.get("name") == "kind"]
    assert kinds
    for kind in kinds:
        text = get(site, f"{address}/letter?kind={kind}&text_lang={lang}&n=1").text
        assert "https://example.org/page" in text
        assert "a.png" not in text.partition('id="letter"')[2]
        assert hashlib.sha256(site.picture("strong")).hexdigest() in text


def test_a_note_keeps_its_lines(site):
    address = made(site)
    answer = site.client.post(
        f"{address}/add",
        files={"file": ("a.png", site.picture("strong"))},
        data={"note": "seen on Monday\r\nby <me>\u202e"},
        headers=HTML,
    )
    assert ">seen on Monday\nby &lt;me&gt;\\u202e</dd>" in answer.text


def test_hostile_words_stay_words_in_every_page_of_a_case(site):
    address = made(site, HOSTILE)
    site.client.post(
        f"{address}/add",
        files={"file": (HOSTILE, site.picture("strong"))},
        data={"address": HOSTILE, "note": HOSTILE},
    )
    for path in ("/cases", address, f"{address}/add", f"{address}/match", f"{address}/letter"):
        text = get(site, path).text
        assert "<img src=x" not in text, path
        Page(text)


@pytest.mark.parametrize("name", ["0123456789abcdef", "..%2f..%2fetc", "....", "x" * 300])
def test_no_name_reaches_another_folder(site, name):
    for path in ("", "/verify", "/bundle.zip", "/add"):
        assert site.client.get(f"/cases/{name}{path}", headers=HTML).status_code == 404


@pytest.mark.parametrize("number", ["9" * 5000, "0", "7", "-1", "x", "١"])
def test_an_entry_that_is_none_is_not_there(site, number):
    address = made(site)
    for path in ("", "/report.css"):
        assert site.client.get(f"{address}/{number}{path}", headers=HTML).status_code == 404


def test_another_site_cannot_fill_a_case(site):
    address = made(site)
    answer = site.client.post(
        f"{address}/add",
        files={"file": ("a.png", site.picture("strong"))},
        headers={**HTML, "Origin": "https://evil.example"},
    )
    assert answer.status_code == 403


def test_cases_exist_on_this_computer_only(start):
    token = "a-token-of-many-letters"
    site = start(host="0.0.0.0", token=token, headers={"Authorization": f"Bearer {token}"})
    for path in ("/cases", "/cases/new", "/cases/0123456789abcdef"):
        assert get(site, path).status_code == 404
    assert site.client.post("/cases", data={"title": "x"}, headers=HTML).status_code == 404
