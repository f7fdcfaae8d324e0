"""What the documentation takes from the program itself, written by it and held to it by tests: the options of
the command line, the settings, what ``haechi check`` says about the sample, and the picture of the floors.

    python -m haechi_lab.docs            writes all of it anew; run in the root of the project
"""
