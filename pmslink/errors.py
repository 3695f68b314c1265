"""Errors that an operator can correct: the base class, and errors that several packages raise."""


class PmslinkError(Exception):
    """An error that a person can correct; its text says how."""


class FieldError(PmslinkError, ValueError):
    """A value that a record field cannot hold; ``code`` is the two-character code of the field."""

    def __init__(self, code: str, problem: str) -> None:
        super().__init__(f"field {code}: {problem}")
        self.code = code


class NotApplicableError(PmslinkError):
    """A command that the current state does not allow; ``code`` is the reason for programs."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
