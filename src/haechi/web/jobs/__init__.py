"""The jobs of the server: each file that was sent, its place in the queue, its report, and its end.

    requests -> store -> database (Protocol) <- sqlite
                  |          ^
               originals     |
                  |        queue <- worker <- scheduler -> haechi.isolated
             data_folder

``store``      what requests ask: submit, look, drop   ``database``     what is asked of a database
``queue``      what workers ask: claim, finish         ``sqlite``       the rows in one SQLite file
``events``     who waits for an end, and for work      ``originals``    uploads until they are checked
``worker``     a thread: job after job to a process    ``data_folder``  what is ours in the folder
``scheduler``  which worker takes which jobs           ``directory``    a folder that nobody can swap
``records``    the values that all of them pass

A job whose process dies is tried three times; every end is stored before the next job is taken. One server
owns a database: at its start it takes up what ran when the last one ended. In memory are only how far a job
is and who waits for its end.
"""
