"""What ``haechi serve`` costs and withstands, measured from outside on a real process of its own.

    latency   a photograph of 4 MB from the upload to the verdict        load    60 seconds, 8 clients
    kill      kill -9 in the middle of 200 jobs                          hostile 500 uploads that mean harm
    size      megabytes that haechi[web] adds                            abrupt  ended at 200 random points
    live      frames of a call a second, and how soon each is answered

Every command writes its rows {what, value, unit, shown, bar, ok} into one result, ``results/web.json``;
``live``, which needs a browser too, into one of its own.
"""
