"""``haechi serve``: bind, print the address, open the browser, run until Ctrl-C."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import secrets
import signal
import socket
import sys
import threading
import webbrowser
from collections.abc import Callable
from dataclasses import replace
from importlib.util import find_spec

from haechi.errors import UsageError
from haechi.report.messages import say as sentence
from haechi.server_options import Options
from haechi.settings import Settings
from haechi.web.lan import certificate
from haechi.web.one_time import LASTS_S

_NEEDED = ("fastapi", "uvicorn", "python_multipart", "cryptography", "websockets")


def serve(options: Options, settings: Settings, say: Callable[[str], None], *, browser: bool = True) -> None:
    """Run the server until it is told to stop. Raises UsageError when it cannot start."""
    if missing := [name for name in _NEEDED if find_spec(name) is None]:
        raise UsageError(f"The server needs more ({', '.join(missing)} missing): pip install 'haechi[web]'")
    new_token = not options.personal and options.token is None and options.tokens_file is None
    options = replace(options, token=secrets.token_urlsafe(24)) if new_token else options
    listening = _bind(options)
    port: int = listening.getsockname()[1]
    import uvicorn  # a second of work, not to be done for a port that is taken

    from haechi.web.app import build
    from haechi.web.http_protocol import MOST_HEAD_BYTES, TimedProtocol
    from haechi.web.live.conversation import HEAD_BYTES, MOST_BYTES

    logging.basicConfig(stream=sys.stderr, level=logging.WARNING, format="haechi: %(message)s")
    app = build(options, settings)
    pem, fingerprint = certificate(options.data_dir, options.host) if options.lan else (None, "")
    config = uvicorn.Config(
        app,
        http=TimedProtocol,
        ws="websockets-sansio",
        ws_max_size=HEAD_BYTES + MOST_BYTES,
        ws_per_message_deflate=False,  # of pictures that are compressed already
        loop="asyncio",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,  # or a caller could choose the address that its uploads are counted under
        h11_max_incomplete_event_size=MOST_HEAD_BYTES,
        timeout_graceful_shutdown=3,
        ssl_certfile=pem,  # its key stands in the same file
    )
    server = uvicorn.Server(config)
    address = _address(options, port)
    say(sentence("serve_runs", settings.lang, address=address))
    if new_token:
        say(sentence("serve_token", settings.lang, token=options.token))
    if options.lan:
        link = f"{address}/login?code={app.state.tokens.once.text}"
        _tell_phone(link, fingerprint, options, settings.lang, say)
    elif not options.loopback:
        say(sentence("serve_open", settings.lang))
    if browser and not options.lan:
        threading.Timer(0.5, webbrowser.open, (address,)).start()
    signal.signal(signal.SIGTERM, _interrupt)
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(server.serve(sockets=[listening]))
    say(sentence("serve_stopped", settings.lang))
    if any(thread.name.startswith("haechi-worker") for thread in threading.enumerate()):
        # It does not let go, as on a disk that hangs: Python's own end would wait for it.
        sys.stderr.flush()
        os._exit(0)


def _tell_phone(link: str, fingerprint: str, options: Options, lang: str, say: Callable[[str], None]) -> None:
    """How a phone gets in, and what that means."""
    from haechi.case import qr

    say(sentence("serve_phone", lang, minutes=round(LASTS_S / 60)))
    say(link)
    if qr.available():
        say(sentence("serve_phone_code", lang))
        print(qr.text_drawn(link, coloured=sys.stderr.isatty()), file=sys.stderr, flush=True)
    say(sentence("serve_phone_certificate", lang))
    say(fingerprint)
    say(sentence("serve_phone_rules", lang, minutes=round(options.session_s / 60)))


def _interrupt(_signal: int, _frame: object) -> None:
    raise KeyboardInterrupt


def _bind(options: Options) -> socket.socket:
    """The listening socket. Raises UsageError when the address or the port is not to be had."""
    host = "127.0.0.1" if options.host == "localhost" else options.host
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    try:
        if os.name == "posix":
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((host, options.port))
        listening.listen(512)
    except (OSError, OverflowError) as error:
        listening.close()
        why = getattr(error, "strerror", None) or type(error).__name__
        raise UsageError(
            f"{options.host}:{options.port} cannot be used ({why}): choose another with --port, or --port 0."
        ) from None
    return listening


def _address(options: Options, port: int) -> str:
    host = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(options.host, options.host)
    scheme = "https" if options.lan else "http"
    return f"{scheme}://{f'[{host}]' if ':' in host and host[0] != '[' else host}:{port}"
