"""The browser app and REST /v1 of ``haechi serve``: FastAPI in one process, SQLite beside it, nothing else.

    uvicorn (wire) -> guard -> api, pages -> uploads -> desk <- worker, lane -> haechi.isolated
                                                         |
                                                       store

``options``  what can be set                     ``guard``    who may ask, how much, headers of answers
``desk``     jobs, originals and reports         ``uploads``  a multipart body -> one file in the data folder
``store``    the rows of ``desk`` in SQLite      ``worker``   the lanes, and who watches them
``folder``   what is ours in the data folder     ``lane``     a thread: job after job to a process
``problem``  errors as RFC 9457 tells them       ``app``      puts all of it together

Importing this package loads neither FastAPI nor the networks.
"""
