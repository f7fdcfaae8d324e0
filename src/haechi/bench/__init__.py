"""Measuring that cannot be fooled, on labelled files of one's own.

    manifest           the csv of what is measured          treatment       the same law for both classes
    corruptions, h264  what happens to pictures on their way: the rungs of a ladder
    scorer             what is measured                     run             every item on every rung
    scores             of every item, and their file        result          scores <-> figures <-> JSON
    metrics            figures of merit with 95% intervals over groups
    rung_figures       what else is asked of a rung: selective_risk, person_alarms, localisation of the maps
    metadata_baseline  what the file tells without the picture
    result_tables      a result as tables in Markdown       cli             the verbs

``haechi-lab`` adds verbs of its own (``haechi.extensions``). From Python:

    bench(read_manifest(Path("list.csv")), Path("results/list.json"), scorer=None, rungs=("clean", "jpeg40"))

with ``scorer`` any function rgb u8 (H, W, 3) -> {"swap": 1.2, "verdict": 0.7, "level": "some"}.
"""
