"""Haechi finds forged faces in photographs and videos, on the user's own machine."""
