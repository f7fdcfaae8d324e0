"""The browser app and REST /v1 of ``haechi serve``: FastAPI in one process, SQLite beside it, nothing else.

    uvicorn (http_protocol) -> middleware -> api, pages -> uploads -> jobs -> haechi.isolated

``http_protocol``  connections that must soon ask     ``uploads``  a multipart body -> one file
``middleware``     who may ask, headers of answers    ``jobs``     the queue, who works on it, what is kept
``api``, ``pages`` what is answered                   ``problem``  errors as RFC 9457 tells them
``live``           a call under watch             ``sessions`` who asks
``openapi``        what is promised to programs       ``app``      puts all of it together

What can be set stands in ``haechi.server_options``. Importing this package loads neither FastAPI nor the
networks.
"""
