"""Letta Code, what Letta develops today: agents with a shell, whose model can be at Venice.

What it does is that of version 0.34.12, run and read.
"""
