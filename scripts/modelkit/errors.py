"""Errors for people: a sentence and an exit status (the same as depthq's)."""

USAGE, DATA, MISSING, UNAVAILABLE, CREATE, CONFIG = 2, 65, 66, 69, 73, 78


class ModelError(Exception):
    """What went wrong and what to do; `status` is the exit status it means."""

    def __init__(self, text, status=DATA):
        super().__init__(text)
        self.status = status
