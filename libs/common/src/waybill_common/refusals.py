"""A refusal: what was asked for is not done; why, and what would work. Pure.

Both are given where it is raised, so that no refusal can leave out the way on; `http.answer_refusals` tells them apart
to whoever asked, as `detail` and `remedy`.
"""

from typing import Any


class Refused(Exception):
    """It changes nothing. The text says why, `remedy` what would work; `status` and `code` are for programs.

    `more` are members of the answer that help a program to go on.
    """

    def __init__(self, reason: str, remedy: str, *, status: int = 409, code: str | None = None, **more: object) -> None:
        super().__init__(reason)
        self.remedy = remedy
        self.status = status
        self.code = code
        self.more = more

    @property
    def told(self) -> dict[str, Any]:
        """The answer's body."""
        code = {} if self.code is None else {"code": self.code}
        return {"detail": str(self), "remedy": self.remedy, **code, **self.more}
