"""The local Letta server's own process, run by the Python of its environment.

Nothing else of ours gets there.
"""
