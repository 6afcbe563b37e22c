"""Talking to Letta: registering tools, and the local server."""
