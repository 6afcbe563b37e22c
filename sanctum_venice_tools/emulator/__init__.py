"""The local Venice: a strict stand-in for https://api.venice.ai/api/v1 on this machine.

It imports nothing of the rest of the package, so that it can contradict it.
"""
