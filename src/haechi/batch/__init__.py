"""Many files: from a source to rows of JSON in shards, whatever ends the run in between.

    sources, lists, tars  what SOURCE names -> items   items     a file, known by where it lies
    engine                threads, short queues        worker    a process that makes rows (haechi.isolated)
    shards                rows <-> the folder of a run rows      a report -> a row
    run                   all of it                    summary   the run in a few lines
    progress              how it goes                  cli       the verbs
    run_report            page (copies, thumbnails, templates) and table, for reading

Every file of the source is one row. A row is final once its shard was renamed; what is done is read off the
finished shards, so that a run can be killed at any point and started again by the same command.
"""
