"""What the documentation takes from the program itself, written by it and held to it by tests: the options of
the command line, the settings, the public names, what ``haechi check`` says about the sample, and the picture
of the floors. ``haechi bench tables`` writes all of it.
"""
