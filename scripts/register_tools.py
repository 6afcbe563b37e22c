#!/usr/bin/env python3
"""Put the Venice tools on a Letta server; see --help."""

import sys
from pathlib import Path

# A clone works without being installed.
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from sanctum_venice_tools.cli.register import register_tools

if __name__ == "__main__":
    register_tools(prog_name="register_tools.py")
