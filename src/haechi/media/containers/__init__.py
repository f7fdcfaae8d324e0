"""One walker a container: JPEG, PNG, GIF, RIFF, ISO boxes, Matroska, TIFF.

A walker follows the structure of a file and nothing else: it yields pieces in the order of the file, bounded
in number, and says at the end in what way the structure ended. It never raises on what a file holds. What a
piece means (a cut file, a note, a second picture) is for those who ask.
"""
