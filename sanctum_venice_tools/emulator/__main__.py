"""python -m sanctum_venice_tools.emulator."""

from sanctum_venice_tools.emulator.command import emulator

if __name__ == "__main__":
    emulator(prog_name="python -m sanctum_venice_tools.emulator")
