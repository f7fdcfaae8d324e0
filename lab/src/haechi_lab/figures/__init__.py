"""What the page docs/how-it-works.md shows: an experiment and pictures, all made by code."""
