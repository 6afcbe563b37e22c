"""A short-lived program that turns into one of PostgreSQL's.

It does not run as root, and not for longer than the server lives.

python postgres_launcher.py PROCESS_ID_OF_THE_SERVER PROGRAM [ARGUMENT ...]
"""

import ctypes
import os
import pwd
import signal
import sys


def database_user() -> pwd.struct_passwd | None:
    """PostgreSQL refuses to run as root; as anybody else it runs as that user."""
    return pwd.getpwnam("nobody") if os.geteuid() == 0 else None


def _become_database_program(caller: int, command: list[str]) -> None:
    """Turn this process into a PostgreSQL program that stops when the server is killed."""
    libc = ctypes.CDLL(None, use_errno=True)
    if user := database_user():
        _drop_root(libc, user)
    if sys.platform == "linux":
        set_parent_death_signal = 1
        libc.prctl(set_parent_death_signal, int(signal.SIGINT), 0, 0, 0)
        if os.getppid() != caller:  # it died before the line above
            sys.exit(1)
    os.chdir("/")  # the caller's folder may be closed to this user
    try:
        os.execv(command[0], command)  # noqa: S606  # a fixed program of the wheel, and no shell
    except PermissionError:
        sys.exit(
            "error: PostgreSQL does not run as root, "
            f"and as the user nobody it cannot reach {command[0]}; start the server as a normal "
            "user, or name folders that others may enter: SANCTUM_LETTA_HOME and "
            "SANCTUM_LETTA_ENVIRONMENT"
        )


def _drop_root(libc: ctypes.CDLL, user: pwd.struct_passwd) -> None:
    """Become `user`, but keep the right to pass folders that are closed to others.

    The home and the environment may lie under /root or in another private folder, and opening those
    folders to everybody would be worse. Where the kernel refuses, what follows fails with the name
    of the folder.
    """
    # Otherwise access(2), which initdb asks, says no.
    set_secure_bits, keep_rights_as_another_user = 28, 1 << 2
    ambient, ambient_raise, capability_version = 47, 2, 0x20080522
    pass_closed_folders = (
        1  # CAP_DAC_OVERRIDE; the narrower CAP_DAC_READ_SEARCH is not granted in containers
    )
    libc.prctl(set_secure_bits, keep_rights_as_another_user, 0, 0, 0)
    os.setgroups([])
    os.setgid(user.pw_gid)
    os.setuid(user.pw_uid)
    mask = 1 << pass_closed_folders
    header = (ctypes.c_uint32 * 2)(capability_version, 0)
    # Effective, permitted, inheritable; the rest is none.
    sets = (ctypes.c_uint32 * 6)(mask, mask, mask)
    libc.capset(header, sets)
    libc.prctl(ambient, ambient_raise, pass_closed_folders, 0, 0)


if __name__ == "__main__":
    _become_database_program(caller=int(sys.argv[1]), command=sys.argv[2:])
