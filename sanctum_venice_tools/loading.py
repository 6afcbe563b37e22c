"""How a process loads what it is made of."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager

# How many new objects Python looks through for garbage at a time. At its own 700 that takes a tenth
# of the local Letta server's time, and finds little: nearly all that is done with goes by itself.
_OBJECTS_BETWEEN_LOOKS = 20_000


@contextmanager
def quick_loading() -> Iterator[None]:
    """Import without the garbage collector, which takes up to a quarter of the time for nothing.

    What was imported stays until the process ends: it is not looked at afterwards, either. At what
    the process makes itself, the collector looks more rarely than by itself.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.set_threshold(_OBJECTS_BETWEEN_LOOKS)
        gc.enable()
