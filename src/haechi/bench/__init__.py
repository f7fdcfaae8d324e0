"""Measuring that cannot be fooled.

    metrics     figures of merit with 95% intervals over groups     degrade    the ladder of degradations
    manifest    the csv of what is measured                         treatment  the same law for both classes
    null        what the file tells without the picture             scorer     what is measured
    run         every item on every rung, resumable                 result     scores <-> figures <-> json
    questions   what else is asked of the scores, namely:           risk       what does abstaining buy?
    persons     whose face is accused?                              localise   does the map lie over the mask?
    nuisance    does the score follow quality?                      ablation   what is each part worth?
    speed       seconds, memory, megabytes                          side       cost beside what is found
    views       a result as a table                                 tables     results -> the documentation
    cli         the verbs

The command line: ``haechi bench MANIFEST`` · ``haechi bench tables [--check]`` · ``haechi bench again
RESULT...`` · ``haechi bench ablation DIR`` · ``haechi bench speed [--peers]``;
``haechi.bench.cli.app`` is the Typer application that ``haechi.cli`` calls. From Python:

    bench(read_manifest(Path("list.csv")), Path("results/list.json"), scorer=None, rungs=("clean", "jpeg40"))

with ``scorer`` any function rgb u8 (H, W, 3) -> {"swap": 1.2, "verdict": 0.7, "level": "some"}.
Result schemas: haechi.bench/1, haechi.nuisance/1, haechi.ablation/1, haechi.speed/1, haechi.peers/1.
"""
