"""Failures that the platform tells at the top of an answer, in `errors`."""


class ApiError(Exception):
    """Ends the operation: HTTP 200 with `errors` and no data."""

    def __init__(self, message: str, code: str = "BAD_REQUEST") -> None:
        super().__init__(message)
        self.message = message
        self.code = code
