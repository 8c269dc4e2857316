"""The parts of a configuration as rows: one entity each, credentials apart from the rest. Pure.

`kept` as a credential, or an `env:NAME` that was not resolved but is the one already stored, leaves what is there.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

from console.configure.reading import Problem, WrongConfiguration
from waybill_contracts.configuration import Configuration, Setting

KEPT = "kept"
ROUTING = "routing"


class Entity(NamedTuple):
    """One channel, source, store or the routing, as the file has it."""

    name: str  # channel/<id>, source/<id>, store/<id>, routing
    body: dict[str, Any]
    credentials: dict[str, str]
    path: str

    @property
    def id(self) -> str:
        return self.name.partition("/")[2]


def entities_of(configuration: Configuration) -> list[Entity]:
    """In the order of the file; a channel's body names its store."""
    found = []
    for i, store in enumerate(configuration.stores):
        found.append(Entity(f"store/{store.id}", {"id": store.id}, {}, f"stores[{i}]"))
        for j, channel in enumerate(store.channels):
            body = _body(channel) | {"store": store.id}
            found.append(Entity(f"channel/{channel.id}", body, channel.credentials, f"stores[{i}].channels[{j}]"))
    for i, source in enumerate(configuration.sources):
        found.append(Entity(f"source/{source.id}", _body(source), source.credentials, f"sources[{i}]"))
    found.append(Entity(ROUTING, _body(configuration.routing), {}, ROUTING))
    return found


def _body(part: Setting) -> dict[str, Any]:
    body = part.model_dump(mode="json", by_alias=True, exclude_unset=True)
    body.pop("credentials", None)
    return body


class Credentials(NamedTuple):
    """What to store: plain values still to be sealed, and the names they were given by."""

    new: dict[str, str]
    kept: dict[str, str]  # sealed already
    names: dict[str, str]  # name -> env:NAME

    @property
    def changed(self) -> bool:
        return bool(self.new)


def merge_credentials(
    entity: Entity, stored: Mapping[str, str], stored_names: Mapping[str, str], resolved: Mapping[str, str]
) -> Credentials:
    """`resolved` are values of `env:` names that the command line sent along. Raises WrongConfiguration."""
    new: dict[str, str] = {}
    kept: dict[str, str] = {}
    names: dict[str, str] = {}
    problems = []
    for name, value in entity.credentials.items():
        path = f"{entity.path}.credentials.{name}"
        if value.startswith("env:"):
            names[name] = value
        if name in resolved:
            new[name] = resolved[name]
        elif value == KEPT or (value.startswith("env:") and stored_names.get(name) == value):
            if name in stored:
                kept[name] = stored[name]
                names |= {name: stored_names[name]} if name in stored_names else {}
            else:
                problems.append(Problem(path, "is 'kept' but nothing is stored; give the value or env:NAME"))
        elif value.startswith("env:"):
            problems.append(Problem(path, f"{value} is not set; set the variable where `waybill apply` runs"))
        else:
            new[name] = value
    if problems:
        raise WrongConfiguration(problems)
    return Credentials(new, kept, names)
