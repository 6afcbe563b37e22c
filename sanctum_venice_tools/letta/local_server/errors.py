"""What the local server answers when it cannot do what was asked."""


class LocalServerError(Exception):
    """The local server cannot do what was asked; one line for the user, naming the log where there is one."""
