"""Runs GraphQL documents fast: each text is parsed and validated once by graphql-core, then kept as a plan of closures.

graphql-core's own executor costs about ten times as much per field, which benchmarks against the sandbox would feel.
Promises the executor's answers for what this schema contains (objects, lists, leaves, the Node interface, fragments,
@skip and @include); cannot promise what it does not contain: unions, subscriptions, @defer.
"""

from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    GraphQLField,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLSchema,
    OperationDefinitionNode,
    OperationType,
    SelectionSetNode,
    get_named_type,
    is_leaf_type,
    is_list_type,
    is_non_null_type,
    parse,
    validate,
)
from graphql.execution.values import get_argument_values, get_directive_values, get_variable_values
from graphql.type import GraphQLIncludeDirective, GraphQLSkipDirective, is_abstract_type

Arguments = dict[str, Any]
Resolve = Callable[[Any, Arguments, Any], Any]
Complete = Callable[[Any, "Run"], Any]
KEPT = 512


@dataclass(slots=True)
class Run:
    """One execution: the caller's context, and the objects made (what the actual cost is counted from)."""

    context: Any
    filled: "Sequence[Arguments]"
    objects: int = 0


@dataclass(frozen=True, slots=True)
class Field:
    """One response key of one selection. Public, because the cost of a query is read off the plan."""

    key: str
    name: str
    slot: int
    """Where this field's arguments stand in `Plan.filled`; 0 is the empty one."""
    resolve: Resolve
    complete: Complete
    type_name: str
    children: "tuple[Field, ...]" = ()


@dataclass(frozen=True, slots=True)
class Shape:
    """What does not depend on the variables: kept for the next call with the same text."""

    operation: OperationDefinitionNode
    fields: tuple[Field, ...]
    slots: tuple[Callable[[Any], Arguments], ...]


@dataclass(frozen=True, slots=True)
class Plan:
    """A shape with this call's arguments in place."""

    operation: OperationType
    fields: tuple[Field, ...]
    filled: tuple[Arguments, ...]

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(item.name for item in self.fields)

    def execute(self, root: object, context: object) -> tuple[dict[str, Any], int]:
        run = Run(context, self.filled)
        return _object(self.fields, root, run), run.objects


@dataclass(slots=True)
class Planner:
    """Plans for one schema; `resolvers` by (type, field), one for each field."""

    schema: GraphQLSchema
    resolvers: Mapping[tuple[str, str], Resolve]
    type_of: Callable[[object], str]
    _documents: "OrderedDict[str, DocumentNode | list[GraphQLError]]" = field(default_factory=OrderedDict)
    _shapes: "OrderedDict[tuple[str, str | None], Shape]" = field(default_factory=OrderedDict)

    def plan(self, text: str, variables: Mapping[str, Any], operation_name: str | None) -> Plan | list[GraphQLError]:
        """The plan with this call's variables in place, or what is wrong with the call."""
        document = self._document(text)
        if isinstance(document, list):
            return document
        known = self._shapes.get((text, operation_name))
        operation = known.operation if known else _operation(document, operation_name)
        if operation is None:
            return [GraphQLError("Must provide operation name if query contains multiple operations.")]
        values = get_variable_values(self.schema, operation.variable_definitions or (), dict(variables))
        if isinstance(values, list):
            return values
        try:
            shape = known or self._shape(text, operation_name, document, operation, values)
            return Plan(operation.operation, shape.fields, tuple(fill(values) for fill in shape.slots))
        except GraphQLError as error:
            return [error]

    def _shape(
        self, text: str, name: str | None, document: DocumentNode, operation: OperationDefinitionNode, values: Any
    ) -> Shape:
        root = self.schema.get_root_type(operation.operation)
        if root is None:
            raise GraphQLError(f"Schema is not configured for {operation.operation.value}s.")
        fragments = {n.name.value: n for n in document.definitions if isinstance(n, FragmentDefinitionNode)}
        compiler = _Compiler(self, fragments, values)
        fields = compiler.select(root, [operation.selection_set])
        shape = Shape(operation, fields, tuple(compiler.slots))
        if not compiler.conditional:
            _keep(self._shapes, (text, name), shape)
        return shape

    def _document(self, text: str) -> DocumentNode | list[GraphQLError]:
        known = self._documents.get(text)
        if known is not None:
            self._documents.move_to_end(text)
            return known
        try:
            document: DocumentNode | list[GraphQLError] = parse(text)
            document = validate(self.schema, cast(DocumentNode, document)) or document
        except GraphQLError as error:
            document = [error]
        _keep(self._documents, text, document)
        return document


@dataclass(slots=True)
class _Compiler:
    planner: Planner
    fragments: Mapping[str, FragmentDefinitionNode]
    variables: Any
    slots: list[Callable[[Any], Arguments]] = field(default_factory=lambda: [_no_arguments])
    conditional: bool = False
    """A selection depends on @skip or @include: the shape is good for this call alone."""

    def select(self, parent: GraphQLObjectType, sets: Sequence[SelectionSetNode]) -> tuple[Field, ...]:
        collected: dict[str, list[FieldNode]] = {}
        for selection_set in sets:
            for node in self._fields(parent, selection_set):
                collected.setdefault(node.alias.value if node.alias else node.name.value, []).append(node)
        return tuple(self._field(parent, key, nodes) for key, nodes in collected.items())

    def _fields(self, parent: GraphQLObjectType, selection_set: SelectionSetNode) -> Iterator[FieldNode]:
        for node in selection_set.selections:
            if not self._included(node):
                continue
            if isinstance(node, FieldNode):
                yield node
                continue
            part: Any = self.fragments[node.name.value] if isinstance(node, FragmentSpreadNode) else node
            if part.type_condition is None or self._is(parent, part.type_condition.name.value):
                yield from self._fields(parent, part.selection_set)

    def _included(self, node: Any) -> bool:
        if not node.directives:
            return True
        self.conditional = True
        skip = get_directive_values(GraphQLSkipDirective, node, self.variables)
        include = get_directive_values(GraphQLIncludeDirective, node, self.variables)
        return not (skip and skip["if"]) and not (include and not include["if"])

    def _is(self, parent: GraphQLObjectType, name: str) -> bool:
        return parent.name == name or any(interface.name == name for interface in parent.interfaces)

    def _field(self, parent: GraphQLObjectType, key: str, nodes: list[FieldNode]) -> Field:
        name = nodes[0].name.value
        if name == "__typename":
            return Field(key, name, 0, lambda *_: parent.name, _leaf, "String")
        definition = parent.fields.get(name)
        if definition is None:
            raise GraphQLError("Introspection is not offered by this emulator.", nodes)
        resolve = self.planner.resolvers[parent.name, name]
        named = get_named_type(definition.type)
        sets = [node.selection_set for node in nodes if node.selection_set]
        children: tuple[Field, ...] = ()
        if isinstance(named, GraphQLObjectType):
            children = self.select(named, sets)
        elif is_abstract_type(named):
            plans = self._concrete(cast(GraphQLInterfaceType, named), sets)
            children = max(plans.values(), key=_width)
            complete = self._complete(definition.type, _by_type(plans, self.planner.type_of))
            return Field(key, name, self._slot(definition, nodes[0]), resolve, complete, named.name, children)
        complete = self._complete(definition.type, _one_type(children))
        return Field(key, name, self._slot(definition, nodes[0]), resolve, complete, named.name, children)

    def _slot(self, definition: GraphQLField, node: FieldNode) -> int:
        if not definition.args:
            return 0
        self.slots.append(lambda variables: get_argument_values(definition, node, variables))
        return len(self.slots) - 1

    def _complete(self, output: GraphQLOutputType, inner: Complete) -> Complete:
        if is_non_null_type(output):
            return self._complete(output.of_type, inner)
        if is_leaf_type(get_named_type(output)):
            return _leaf
        if is_list_type(output):
            return _list_of(self._complete(output.of_type, inner))
        return inner

    def _concrete(self, interface: GraphQLInterfaceType, sets: list[SelectionSetNode]) -> dict[str, tuple[Field, ...]]:
        return {kind.name: self.select(kind, sets) for kind in self.planner.schema.get_possible_types(interface)}


def _one_type(children: tuple[Field, ...]) -> Complete:
    return lambda value, run: None if value is None else _object(children, value, run)


def _by_type(plans: Mapping[str, tuple[Field, ...]], type_of: Callable[[object], str]) -> Complete:
    return lambda value, run: None if value is None else _object(plans[type_of(value)], value, run)


def _width(fields: Sequence[Field]) -> int:
    """How much a selection asks for: of several possible types, the dearest counts."""
    return sum(1 + _width(item.children) for item in fields)


def _object(fields: Sequence[Field], value: Any, run: Run) -> dict[str, Any]:
    run.objects += 1
    context, filled = run.context, run.filled
    return {item.key: item.complete(item.resolve(value, filled[item.slot], context), run) for item in fields}


def _operation(document: DocumentNode, name: str | None) -> OperationDefinitionNode | None:
    found = [
        node
        for node in document.definitions
        if isinstance(node, OperationDefinitionNode) and (name is None or (node.name and node.name.value == name))
    ]
    return found[0] if len(found) == 1 else None


def _keep(cache: "OrderedDict[Any, Any]", key: object, value: object) -> None:
    cache[key] = value
    if len(cache) > KEPT:
        cache.popitem(last=False)


def _no_arguments(variables: Any) -> Arguments:
    return {}


def _leaf(value: Any, run: Run) -> Any:
    return value


def _list_of(inner: Complete) -> Complete:
    return lambda value, run: None if value is None else [inner(item, run) for item in value]
