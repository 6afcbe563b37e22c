"""python -m sanctum_venice_tools.emulator."""

from sanctum_venice_tools.loading import quick_loading

with quick_loading():
    from sanctum_venice_tools.emulator.command import emulator

if __name__ == "__main__":
    emulator(prog_name="python -m sanctum_venice_tools.emulator")
