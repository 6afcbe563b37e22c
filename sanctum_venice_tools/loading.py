"""How a process loads what it is made of."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def quick_loading() -> Iterator[None]:
    """Import without the garbage collector, which takes up to a quarter of the time for nothing.

    What was imported stays until the process ends: it is not looked at afterwards, either.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()
