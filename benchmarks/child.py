"""Run a command, and tell on the last line of standard error how it went.

python -I -S child.py COMMAND ...

Linux counts the memory of whoever starts a program as the program's own until it runs. So programs
are measured from this small process, and not from a benchmark that has everything loaded.
"""

import json
import os
import sys
import time

# Linux tells kilobytes, macOS bytes.
KILOBYTE = 1024 if sys.platform == "darwin" else 1


def main() -> None:
    """Run the command with our own input and output, and wait for its end."""
    command = sys.argv[1:]
    started = time.perf_counter()
    pid = os.posix_spawnp(command[0], command, os.environ)
    _, status, used = os.wait4(pid, 0)
    seconds = time.perf_counter() - started
    told = {
        "status": os.waitstatus_to_exitcode(status),
        "seconds": seconds,
        "processor_seconds": used.ru_utime + used.ru_stime,
        "peak_mb": used.ru_maxrss / KILOBYTE / 1024,
    }
    sys.stderr.write("\n" + json.dumps(told) + "\n")


if __name__ == "__main__":
    main()
