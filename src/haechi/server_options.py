"""What can be set of ``haechi serve``: each option once, with its name, default, meaning and HAECHI_*
variable. It stands outside of ``haechi.web`` because it needs nothing of a server: ``haechi doctor`` tells
the options also where the extra [web] is not installed."""

from __future__ import annotations

import ipaddress
import math
import os
import sys
from collections.abc import Mapping
from dataclasses import Field, dataclass, field, fields, replace
from pathlib import Path
from typing import Any, TypeAlias

from haechi.errors import UsageError

Network: TypeAlias = ipaddress.IPv4Network | ipaddress.IPv6Network

_LEAST_TOKEN = 16


def default_data_dir(environ: Mapping[str, str] | None = None) -> Path:
    """Where programs of this user keep their data on this system (XDG Base Directory on Linux).

    Not platformdirs, which follows XDG_DATA_HOME on macOS too: who set it there would lose their folder."""
    env = os.environ if environ is None else environ
    if sys.platform == "win32":
        return Path(env.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local") / "Haechi"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Application Support" / "Haechi"
    folder = env.get("XDG_DATA_HOME", "")
    return (Path(folder) if Path(folder).is_absolute() else Path.home() / ".local" / "share") / "haechi"


def networks(text: str) -> tuple[Network, ...]:
    """The addresses and networks of a list such as ``127.0.0.1, 10.0.0.0/8``. Raises UsageError."""
    try:
        return tuple(ipaddress.ip_network(part.strip()) for part in text.split(",") if part.strip())
    except ValueError:
        raise UsageError(
            "HAECHI_TRUSTED_PROXY is no list of addresses or networks: write it as `127.0.0.1, 10.0.0.0/8`."
        ) from None


def _switch(text: str) -> bool:
    """What a variable says of an option that is on or off. Raises ValueError for anything else."""
    return {"1": True, "true": True, "yes": True, "0": False, "false": False, "no": False}[text.lower()]


def _option(default: Any, help_text: str, least: float | None = None) -> Any:
    return field(default=default, metadata={"help": help_text, "least": least})


@dataclass(frozen=True, slots=True)
class Options:
    """Every field NAME is read from the variable ``HAECHI_NAME`` by ``from_env``."""

    host: str = _option("127.0.0.1", "address that the server binds")
    port: int = _option(8765, "port that the server binds; 0 takes a free one", 0)
    lan: bool = _option(
        False, "serve one phone in the same network too, by TLS and a code that works once; host: own address"
    )
    token: str | None = _option(None, "secret of at least 16 characters that every caller must show")
    tokens_file: Path | None = field(
        default=None,
        metadata={"help": "list of named tokens; each reads its own results only", "least": None},
    )
    trusted_proxy: str = _option("", "addresses or networks of proxies whose X-Forwarded-* is believed")
    session_s: float = _option(
        3600.0, "seconds without a request after which a browser must sign in again", 1
    )
    data_dir: Path = field(
        default_factory=default_data_dir, metadata={"help": "folder of the server's data", "least": None}
    )
    keep_s: float = _option(3600.0, "seconds after which results are deleted", 1)
    max_upload_bytes: int = _option(200 * 1024**2, "largest upload, in bytes", 1)
    queue: int = _option(64, "jobs that may wait at the same time", 1)
    rate_per_min: int = _option(1200, "uploads a minute that one address may send", 1)
    uploads_per_address: int = _option(16, "uploads that one address may send at the same time", 1)
    live_calls: int = _option(2, "calls that may be watched at the same time", 1)
    verifications: int = _option(20, "face verifications that may run at the same time", 1)
    verify_keep_s: float = _option(
        600.0, "longest time that the result of a face verification stays, in seconds", 1
    )
    webauthn_id: str = _option("", "domain for which devices are bound to face verifications; without, none")
    webauthn_origin: str = _option("", "address of the page that binds devices, such as https://bank.example")
    upload_s: float = _option(1800.0, "seconds that one upload may take", 0.1)
    idle_s: float = _option(20.0, "seconds that a sender may stay silent before it is cut off", 0.1)

    def __post_init__(self) -> None:
        for f in fields(self):
            value, least = getattr(self, f.name), f.metadata["least"]
            if least is not None and not least <= value < math.inf:
                raise UsageError(f"{f.name}={value} is out of range, at least {least} is needed: {_help(f)}")
        networks(self.trusted_proxy)
        if self.port > 65535:
            raise UsageError(f"port={self.port} is out of range, at most 65535 is possible: choose another")
        if self.token is not None and not (
            len(self.token) >= _LEAST_TOKEN and self.token.isascii() and self.token.isprintable()
        ):
            raise UsageError(
                f"The token needs at least {_LEAST_TOKEN} plain characters, or others could guess it: "
                "leave it out and a good one is made."
            )
        if self.lan:
            self._check_lan()

    def _check_lan(self) -> None:
        """Whoever is let in by the one code reads the cases, so there is no second way in. Raises
        UsageError."""
        if self.token is not None or self.tokens_file is not None or self.trusted_proxy:
            raise UsageError(
                "--lan makes a code that works once, for one device, and goes with no other way in: leave "
                "out HAECHI_TOKEN, HAECHI_TOKENS_FILE and HAECHI_TRUSTED_PROXY, or leave out --lan."
            )
        try:
            address = ipaddress.ip_address(self.host)
            inside = not (address.is_unspecified or address.is_global)
        except ValueError:
            inside = False
        if not inside:
            raise UsageError(
                f"--lan: {self.host} is no address of this computer in a home or office network: name one "
                "with --host, or leave --host out."
            )

    @property
    def private(self) -> bool:
        """Whether it serves the people at this machine only: nobody else, not by a proxy either."""
        return self.loopback and not self.trusted_proxy and not self.lan

    @property
    def personal(self) -> bool:
        """Whether it serves one person, at this machine or on their phone: only then are there cases."""
        return self.private or self.lan

    @property
    def loopback(self) -> bool:
        """Whether only this machine can reach the server."""
        if self.host == "localhost":
            return True
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return False

    @classmethod
    def from_env(cls, environ: Mapping[str, str] | None = None) -> Options:
        """Options with every HAECHI_* variable applied. Raises UsageError on a value of the wrong type."""
        env = os.environ if environ is None else environ
        kinds: dict[str, type[Any]] = {"token": str, "tokens_file": Path, "data_dir": Path}
        kinds |= {f.name: type(f.default) for f in fields(cls) if f.name not in kinds}
        changes: dict[str, Any] = {"data_dir": default_data_dir(env)}
        for f in fields(cls):
            variable = f"HAECHI_{f.name.upper()}"
            if not env.get(variable):
                continue
            kind = kinds[f.name]
            try:
                changes[f.name] = _switch(env[variable]) if kind is bool else kind(env[variable])
            except (KeyError, ValueError):
                raise UsageError(
                    f"{variable}={env[variable]!r} is not a valid {kind.__name__}: {_help(f)}"
                ) from None
        return replace(cls(), **changes)


def _help(option: Field[Any]) -> str:
    return str(option.metadata["help"])
