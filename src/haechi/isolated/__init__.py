"""Checks in a process of their own: what crashes a decoder, keeps it busy or fills its memory costs the one
file that did it.

    CheckProcess (checks) -> Process (process)  ==pipe==  child -> Checks (checks) -> haechi.check

    CallProcess (calls) -> Process              ==pipe==  child -> Calls (calls) -> haechi.live

    VerificationProcess (verifications) -> Process ==pipe== child -> Verifications -> haechi.verify

``process``  starts, asks, ends the child        ``child``   what runs in it: one request after another
``checks``   a check asked for, and answered     ``limits``  what the child may take
``calls``    a call under watch, frame by frame
``verifications``  the frames of a challenge
"""

from haechi.isolated.calls import CallProcess
from haechi.isolated.checks import CheckProcess, Kept
from haechi.isolated.verifications import VerificationProcess

__all__ = ["CallProcess", "CheckProcess", "Kept", "VerificationProcess"]
