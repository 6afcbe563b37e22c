"""What is said when a program of Letta's on this machine cannot do what was asked."""


class LocalProgramError(Exception):
    """It cannot do what was asked; one line for the user, naming the log where there is one."""
