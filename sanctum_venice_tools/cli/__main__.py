"""`python -m sanctum_venice_tools.cli`: the command, where the package is not installed."""

from sanctum_venice_tools.cli import main

main(prog_name="sanctum-venice")
