"""A session bound to a device: its authenticator signs a challenge that is made of the session alone (W3C Web
Authentication), by the package ``webauthn`` of the extra of that name.

Nothing is stored: whoever opens a session brings the credential that they keep for its subject, or asks for a
new one and is told it with the result. It shows which device answered, and nothing about a face or a
camera."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.util import find_spec
from typing import Any

from haechi.errors import UsageError
from haechi.types import Reason
from haechi.verify.types import CheckResult

NAME = "device"
LABEL = b"haechi.verify/1 device"
MISSING = "verify_device_missing"


@dataclass(frozen=True, slots=True)
class Party:
    """Who asks. id: a domain · origin: of the page, such as https://bank.example."""

    id: str
    origin: str

    def __post_init__(self) -> None:
        """Raises UsageError when one half is missing, or the extra."""
        if not self.id or not self.origin:
            raise UsageError(
                "Devices are bound with HAECHI_WEBAUTHN_ID and HAECHI_WEBAUTHN_ORIGIN together: set both, "
                "such as bank.example and https://bank.example, or neither."
            )
        if find_spec("webauthn") is None:
            raise UsageError("Binding devices needs the extra: pip install 'haechi[webauthn]'.")


@dataclass(frozen=True, slots=True)
class Credential:
    """What a relying party keeps of a device: id, public_key (COSE), sign_count."""

    id: bytes
    public_key: bytes
    sign_count: int


@dataclass(slots=True)
class Binding:
    """Of one session. credential: the one that has to sign; None asks for a new one · answer: what came of
    what the device sent, None as long as it sent nothing · proof: the credential as it is now, to be kept,
    once the device has proved it."""

    party: Party
    challenge: bytes
    credential: Credential | None
    answer: CheckResult | None = None
    proof: Credential | None = field(default=None)

    def options(self, subject: str) -> dict[str, Any]:
        """What the page hands to ``navigator.credentials``, as JSON."""
        import webauthn
        from webauthn.helpers import structs

        need = structs.UserVerificationRequirement.REQUIRED
        if self.credential is None:
            asked_for: Any = webauthn.generate_registration_options(
                rp_id=self.party.id,
                rp_name=self.party.id,
                user_name=subject,
                challenge=self.challenge,
                authenticator_selection=structs.AuthenticatorSelectionCriteria(user_verification=need),
            )
        else:
            asked_for = webauthn.generate_authentication_options(
                rp_id=self.party.id,
                challenge=self.challenge,
                allow_credentials=[structs.PublicKeyCredentialDescriptor(id=self.credential.id)],
                user_verification=need,
            )
        options: dict[str, Any] = json.loads(webauthn.options_to_json(asked_for))
        return options

    def take(self, response: Mapping[str, Any]) -> None:
        """Note what the device sent, as the page's ``toJSON()`` gives it: the first counts, right or wrong.
        Raises UsageError for a second."""
        if self.answer is not None:
            raise UsageError("The device has answered already: begin a new session.")
        from webauthn.helpers.exceptions import WebAuthnException

        try:
            self.proof = self._verified(dict(response))
        except (WebAuthnException, ValueError, TypeError, KeyError, AttributeError):
            self.answer = CheckResult(NAME, "fail", Reason("verify_device_other"))
        else:
            code = "verify_device_new" if self.credential is None else "verify_device_same"
            self.answer = CheckResult(NAME, "pass", Reason(code))

    def _verified(self, response: dict[str, Any]) -> Credential:
        import webauthn

        due: dict[str, Any] = {
            "credential": response,
            "expected_challenge": self.challenge,
            "expected_rp_id": self.party.id,
            "expected_origin": self.party.origin,
            "require_user_verification": True,
        }
        if self.credential is None:
            new = webauthn.verify_registration_response(**due)
            return Credential(new.credential_id, new.credential_public_key, new.sign_count)
        own = self.credential
        used = webauthn.verify_authentication_response(
            **due, credential_public_key=own.public_key, credential_current_sign_count=own.sign_count
        )
        if not hmac.compare_digest(used.credential_id, own.id):
            raise ValueError("another credential")
        return Credential(own.id, own.public_key, used.new_sign_count)


def challenge_of(id_: str, key: bytes) -> bytes:
    """What the device signs: bound to the key by which the frames are sealed, so that the two belong
    together."""
    return hashlib.sha256(LABEL + id_.encode() + key).digest()
