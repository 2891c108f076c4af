"""How a file is refused."""


class Refusal(Exception):
    """The verdict on this file, for good: its message is one sentence that a person can act on."""
