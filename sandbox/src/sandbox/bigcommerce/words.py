"""How the store words its answers: V2's errors are a list, V3's an object. Texts are the platform's where known."""

from typing import Any

from sandbox.serving import Answer, Manners

V2_NOT_FOUND = "The requested resource was not found."
V3_TYPE = "https://developer.bigcommerce.com/api-docs/getting-started/api-status-codes"


class Refused(Exception):
    """An answer that is not 2xx, on either version of the API."""

    def __init__(self, status: int, message: str, details: dict[str, Any] | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.details = details or {}


def v2_error(status: int, message: str, details: dict[str, Any] | None = None) -> Answer:
    entry: dict[str, Any] = {"status": status, "message": message}
    return Answer.json(status, [{**entry, "details": details} if details else entry])


def v3_error(status: int, title: str, errors: dict[str, Any] | None = None) -> Answer:
    return Answer.json(status, {"status": status, "title": title, "type": V3_TYPE, "errors": errors or {}})


def missing(field: str) -> Refused:
    return Refused(400, f"The required field '{field}' was not supplied.")


def invalid(field: str, reason: str) -> Refused:
    return Refused(400, f"The field '{field}' is invalid.", {"invalid_reason": reason})


def unauthorized() -> Answer:
    text = "Unauthorized - the v3 Auth client ID or token in the request are not a valid combination for this store."
    return v3_error(401, text)


def forbidden() -> Answer:
    return v3_error(403, "Unauthorized Access. You do not have permission to make this request.")


def too_many(reset_ms: int = 1000, quota: int = 150, window_ms: int = 30_000) -> Answer:
    answer = v2_error(429, "Too many requests.")
    headers = {**rate_headers(0, quota, reset_ms, window_ms), "X-Retry-After": str(max(reset_ms // 1000, 1))}
    return Answer(answer.status, answer.body, headers)


def rate_headers(left: int, quota: int, reset_ms: int, window_ms: int) -> dict[str, str]:
    return {
        "X-Rate-Limit-Requests-Left": str(left),
        "X-Rate-Limit-Requests-Quota": str(quota),
        "X-Rate-Limit-Time-Reset-Ms": str(reset_ms),
        "X-Rate-Limit-Time-Window-Ms": str(window_ms),
    }


MANNERS = Manners(
    unauthorized=unauthorized,
    throttled=too_many,
    internal=lambda: v2_error(500, "An internal error has occurred."),
    too_many=lambda: v2_error(429, "Too many requests."),
    unavailable=lambda: Answer(503, b"<html><body>Store maintenance</body></html>", content_type="text/html"),
)
