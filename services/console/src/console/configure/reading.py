"""A configuration document becomes a `Configuration`, or a list of everything that is wrong with it. Pure.

The file is refused whole: every error with its path and its fix, nothing applied (foundation issue, Bad input).
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

from pydantic import ValidationError

from waybill_contracts.configuration import Configuration


class Problem(NamedTuple):
    """One thing that is wrong with the file."""

    path: str
    message: str


class WrongConfiguration(ValueError):
    """The configuration was refused whole; `problems` names each error with its path and its fix."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__("; ".join(f"{problem.path}: {problem.message}" for problem in problems))
        self.problems = problems


def read_configuration(document: object) -> Configuration:
    """Raises WrongConfiguration."""
    if not isinstance(document, Mapping):
        raise WrongConfiguration([Problem("(whole file)", f"is {type(document).__name__}, must be a mapping")])
    try:
        configuration = Configuration.model_validate(document)
    except ValidationError as error:
        raise WrongConfiguration([_problem(item) for item in error.errors(include_url=False)]) from None
    problems = [Problem(path, message) for path, message in configuration.problems()]
    if problems:
        raise WrongConfiguration(problems)
    return configuration


def _problem(item: Any) -> Problem:
    path = path_of(item["loc"])
    if item["type"] == "extra_forbidden":
        return Problem(path, "is no known key; check its spelling against the documentation")
    if item["type"] == "missing":
        return Problem(path, "is missing; add it")
    message = item["msg"].removeprefix("Value error, ")
    if item["type"] in ("value_error", "model_type", "dict_type") or "credentials" in path:
        return Problem(path, message)
    return Problem(path, f"{message} (found {str(item['input'])[:80]!r})")


def path_of(location: tuple[int | str, ...]) -> str:
    """('sources', 0, 'url') -> sources[0].url"""
    path = ""
    for step in location:
        path += f"[{step}]" if isinstance(step, int) else f".{step}" if path else str(step)
    return path or "(whole file)"
