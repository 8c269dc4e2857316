"""The files that plans are tried with: read whole, or refused with every error, its place and its fix."""

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any

import yaml
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from router.routing.task import Demand, Task
from waybill_contracts.configuration import Configuration
from waybill_contracts.values import Country


class FileRefused(ValueError):
    """A file is not as it should be; one error a line, each with its place and its fix."""


class OrderLine(BaseModel):
    """One line of an order; what it does not know it ignores."""

    model_config = ConfigDict(extra="ignore", coerce_numbers_to_str=True)

    line: str
    sku: str = Field(min_length=1)
    quantity: int = Field(ge=1)


def _each_once(lines: list[OrderLine]) -> list[OrderLine]:
    names = [line.line for line in lines]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise ValueError(f"line {twice!r} stands here twice; give each line a name of its own")
    return lines


class OrderRow(BaseModel):
    """One row of the orders' file; what it does not know it ignores."""

    model_config = ConfigDict(extra="ignore", coerce_numbers_to_str=True)

    number: str
    country: Country
    lines: Annotated[list[OrderLine], AfterValidator(_each_once)]
    channel: str = ""
    tags: tuple[str, ...] = ()
    total: Decimal | None = None
    shipping_method: str | None = None

    def task(self) -> Task:
        demands = tuple(Demand(line.line, line.sku, line.quantity) for line in self.lines)
        return Task(
            number=self.number,
            countries=(self.country,),
            demands=demands,
            channel=self.channel,
            tags=self.tags,
            value=self.total,
            shipping_method=self.shipping_method,
        )


def read_configuration(path: Path) -> Configuration:
    """Raises FileRefused."""
    try:
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
        configuration = Configuration.model_validate(document)
    except OSError as error:
        raise FileRefused(f"{path}: {error.strerror}") from error
    except (UnicodeDecodeError, yaml.YAMLError) as error:
        raise FileRefused(f"{path} is no YAML: {error}") from error
    except ValidationError as error:
        raise FileRefused("\n".join(dict.fromkeys(explained(str(path), error)))) from None
    problems = configuration.problems()
    if problems:
        raise FileRefused("\n".join(f"{path}: {where}: {what}" for where, what in problems))
    return configuration


def read_orders(path: Path) -> list[OrderRow]:
    """Raises FileRefused naming each wrong line: a plan of the others would use up stock that is not theirs."""
    orders: list[OrderRow] = []
    errors: list[str] = []
    try:
        lines = path.read_text(encoding="utf-8").split("\n")
    except OSError as error:
        raise FileRefused(f"{path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise FileRefused(f"{path} is no UTF-8 text: {error}") from error
    for number, line in enumerate(lines, start=1):
        if line.strip():
            try:
                orders.append(OrderRow.model_validate_json(line))
            except ValidationError as error:
                errors += explained(f"{path}:{number}", error)
    if errors:
        raise FileRefused("\n".join(errors))
    return orders


def explained(where: str, error: ValidationError) -> Iterator[str]:
    """Each error with its place and its fix."""
    for item in error.errors(include_url=False):
        location = item["loc"]
        if item["type"] == "model_type" and len(location) > 1 and location[-1] == "SingleFr":
            continue  # the other kind of priority was meant
        steps = [step for step in location if not str(step).startswith(("literal[", "SingleFr"))]
        yield f"{where}: {_path(steps)}: {_message(item)}"


def _path(steps: list[Any]) -> str:
    """['sources', 0, 'url'] -> sources[0].url"""
    path = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in steps)
    return path.removeprefix(".") or "(all of it)"


def _message(item: Any) -> str:
    if item["type"] == "missing":
        return "is missing; add it"
    if item["type"] == "extra_forbidden":
        return "is no known key; check its spelling"
    message = item["msg"].removeprefix("Value error, ")
    return message if item["type"] == "value_error" else f"{message} (found {str(item['input'])[:80]!r})"
