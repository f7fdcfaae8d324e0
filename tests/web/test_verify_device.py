"""Sessions that are bound to a device: the right one signs, every other one is refused, and none at all is no
acceptance."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from authenticator import PRESENT, VERIFIED, Authenticator
from sites import Site, Start, problem
from visitors import PLACE, Visitor

from callers import FakeLooker
from haechi.errors import UsageError
from haechi.types import Reason
from haechi.verify import challenges
from haechi.verify.book import LASTS_S, VerificationBook
from haechi.verify.checks import CHECKS
from haechi.verify.decide import decide
from haechi.verify.device import MISSING, Party
from haechi.verify.types import CheckResult

ORIGIN, DOMAIN = "https://bank.example", "bank.example"


@pytest.fixture(autouse=True)
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(challenges, "MOTION_S", 0.2)
    monkeypatch.setattr(challenges, "DURATION_S", 0.2)


@pytest.fixture
def site(start: Start) -> Site:
    return start(look=FakeLooker, webauthn_id=DOMAIN, webauthn_origin=ORIGIN)


@pytest.fixture
def phone() -> Authenticator:
    return Authenticator(ORIGIN, DOMAIN)


def send(visitor: Visitor, answer: Any) -> Any:
    return visitor.site.client.post(f"{visitor.address}/device", content=json.dumps(answer))


def result_of(visitor: Visitor) -> dict[str, Any]:
    """What the check of the device says in the result."""
    checks = {check["check"]: check for check in visitor.whole()["checks"]}
    told: dict[str, Any] = checks["device"]
    return told


def registered(site: Site, phone: Authenticator) -> dict[str, Any]:
    """The credential that a relying party keeps after the first session."""
    visitor = Visitor(site, "first", device="new")
    answer = send(visitor, phone.create(visitor.state["device_options"]))
    assert answer.status_code == 200, answer.text
    credential: dict[str, Any] = answer.json()["device"]["credential"]
    assert result_of(visitor)["reason"]["code"] == "verify_device_new"
    return credential


def test_a_device_is_registered_and_known_again(site: Site, phone: Authenticator) -> None:
    kept = registered(site, phone)
    assert set(kept) == {"credential_id", "public_key", "sign_count"}
    visitor = Visitor(site, device=kept)
    options = visitor.state["device_options"]
    assert options["allowCredentials"][0]["id"] == kept["credential_id"]
    assert options["userVerification"] == "required"
    told = send(visitor, phone.get(options)).json()["device"]
    assert told == {"answered": True, "credential": kept | {"sign_count": 1}}
    told_check = result_of(visitor)
    assert (told_check["outcome"], told_check["reason"]["code"]) == ("pass", "verify_device_same")
    problem(send(visitor, phone.get(options)), 409, "verify_refused")


def test_it_may_answer_after_the_last_frame(site: Site, phone: Authenticator) -> None:
    visitor = Visitor(site, device="new")
    options = visitor.state["device_options"]
    while visitor.state["state"] == "open":
        visitor.challenge()
    assert visitor.state["state"] == "judging"
    assert visitor.state["device"] == {"answered": False, "credential": None}
    send(visitor, phone.create(options))
    assert visitor.result()["decision"] == "retry", "nobody was seen"


@pytest.mark.parametrize("wrong", ["key", "session", "origin", "domain", "user", "replay", "nonsense"])
def test_every_other_answer_is_refused(site: Site, phone: Authenticator, wrong: str) -> None:
    kept = registered(site, phone)
    visitor = Visitor(site, device=kept | {"sign_count": 5 if wrong == "replay" else 0})
    options = visitor.state["device_options"]
    if wrong == "session":  # what the same device signed for another session
        options = Visitor(site, "another", device=kept).state["device_options"]
    device = {
        "key": Authenticator(ORIGIN, DOMAIN),
        "origin": replace(phone, origin="https://bank.example.evil"),
        "domain": replace(phone, rp_id="evil.example"),
        "user": replace(phone, flags=PRESENT & ~VERIFIED),
    }.get(wrong, phone)
    answer = {"id": 7, "response": []} if wrong == "nonsense" else device.get(options)
    assert send(visitor, answer).json()["device"] == {"answered": True, "credential": None}
    problem(send(visitor, phone.get(visitor.state["device_options"])), 409, "verify_refused")
    told = result_of(visitor)
    assert (told["outcome"], told["reason"]["code"]) == ("fail", "verify_device_other")
    assert visitor.result()["decision"] == "refuse"


@pytest.mark.parametrize(
    "device",
    ["old", 7, {}, {"credential_id": "AAAA", "public_key": "AAAA"}, {"credential_id": 1, "public_key": 2},
     {"credential_id": "", "public_key": "AAAA", "sign_count": 1},
     {"credential_id": "AAAA", "public_key": "AAAA", "sign_count": -1}],
)  # fmt: skip
def test_an_order_for_no_device(site: Site, device: Any) -> None:
    problem(site.client.post(PLACE, json={"subject": "a", "device": device}), 422, "invalid")


def test_without_the_options_there_are_no_devices(start: Start) -> None:
    site = start(look=FakeLooker)
    told = problem(site.client.post(PLACE, json={"subject": "a", "device": "new"}), 409, "no_device")
    assert "HAECHI_WEBAUTHN_ID" in told["detail"]
    visitor = Visitor(site)
    assert visitor.state["device"] is None
    assert "device_options" not in visitor.state
    problem(send(visitor, {}), 409, "verify_refused")
    with pytest.raises(UsageError, match="together"):
        Party(DOMAIN, "")


def test_a_device_that_never_answers_is_no_acceptance() -> None:
    now_s = 0.0
    book = VerificationBook(3, lambda: now_s, lambda **_: ())
    entry = book.open("a", "bank", flash=True, keep_s=60, device=(Party(DOMAIN, ORIGIN), None))
    assert entry.session.complete
    assert book.running == 1
    now_s = LASTS_S + 1
    assert book.running == 0
    assert entry.result is not None
    assert (entry.result.decision, entry.result.reasons) == ("retry", (Reason(MISSING),))
    fine = [CheckResult(name, "pass", Reason("verify_moved")) for name, _ in CHECKS]
    assert decide(fine, flash=True, device=True).decision == "retry"
    bound = CheckResult("device", "pass", Reason("verify_device_same"))
    assert decide([*fine, bound], flash=True, device=True).decision == "accept"
