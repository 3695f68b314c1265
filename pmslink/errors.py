"""The one small family of errors that pmslink raises for people to act on."""


class PmslinkError(Exception):
    """Something that a person can put right; its text says how."""


class FieldError(PmslinkError, ValueError):
    """A value that cannot be written into a record; ``code`` is the field's two characters."""

    def __init__(self, code: str, problem: str) -> None:
        super().__init__(f"field {code}: {problem}")
        self.code = code


class NotApplicableError(PmslinkError):
    """A control that cannot be obeyed in this state; ``code`` says why to programs."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
