"""A page for tests of face verification over REST."""

from __future__ import annotations

import base64
import time
from typing import Any

from sites import Site

from callers import jpeg, wait_until
from haechi.verify.uploads import FrameUpload, packed, seal

PLACE = "/v1/verifications"


class Visitor:
    """A page: it seals what it sends by the key that it was told."""

    def __init__(self, site: Site, subject: str = "customer 7", lang: str = "en", **more: Any) -> None:
        self.site, self.lang, self.headers = site, lang, more.pop("headers", {})
        answer = site.client.post(
            f"{PLACE}?lang={lang}", json={"subject": subject, **more}, headers=self.headers
        )
        self.began_s = time.monotonic()  # later than the server's: no frame comes from its future
        assert answer.status_code == 201, answer.text
        self.state: dict[str, Any] = answer.json()
        assert answer.headers["location"] == self.address
        self.key, self.sequence = base64.b64decode(self.state["key"]), 0

    @property
    def address(self) -> str:
        return f"{PLACE}/{self.state['id']}"

    def upload(self, picture: bytes, **other: int) -> FrameUpload:
        nonce = base64.b64decode(self.state["challenge"]["nonce"])
        sequence = other.get("sequence", self.sequence)
        number, time_ms = (
            other.get("challenge", self.state["number"]),
            1000 * (time.monotonic() - self.began_s),
        )
        self.sequence += 1
        return FrameUpload(
            sequence, number, time_ms, seal(self.key, nonce, sequence, number, time_ms, picture), picture
        )

    def send(self, *uploads: FrameUpload) -> Any:
        answer = self.site.client.post(
            f"{self.address}/frames?lang={self.lang}", content=packed(*uploads), headers=self.headers
        )
        if answer.status_code == 200:
            self.state = answer.json()
        return answer

    def challenge(self) -> None:
        """Frames as long as it lasts, then its end."""
        for number in range(4):
            assert self.send(self.upload(jpeg(100 + number))).status_code == 200
            time.sleep(0.08)
        assert self.send(self.upload(b"")).status_code == 200

    def whole(self) -> dict[str, Any]:
        """The result of a session in which everything that is due is sent."""
        while self.state["state"] == "open":
            self.challenge()
        return self.result()

    def result(self) -> dict[str, Any]:
        def told() -> dict[str, Any]:
            answer: dict[str, Any] = self.site.client.get(
                f"{self.address}?lang={self.lang}", headers=self.headers
            ).json()
            return answer

        wait_until(lambda: told()["state"] == "done")
        result: dict[str, Any] = told()["result"]
        return result
