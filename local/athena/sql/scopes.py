"""Which columns a name can mean at a place of a query."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from local.athena.errors import QueryError


if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from local.athena.sql.correlation import Clause
    from local.athena.sql.tables import Origin
    from local.athena.sql.values import Facts
    from local.athena.types import Type


@dataclass(frozen=True)
class Field:
    """A column of a relation.

    Attributes:
        name: Its name in lower case; None where it has none.
        type: Its type.
        ref: DuckDB SQL of it.
        qualifier: Catalog, database and table or alias by which it may be called.
        hidden: Whether ``*`` leaves it out.
        origins: Partition keys of which it is nothing but a copy.
        facts: What reading it means; None for a plain column.
        on_use: Called when the column is used, with what then is its SQL; tables learn in this way what to read.
    """

    name: str | None
    type: Type
    ref: str
    qualifier: tuple[str, ...] = ()
    hidden: bool = False
    origins: tuple[Origin, ...] = ()
    facts: Facts | None = None
    on_use: Callable[[], str] | None = None

    def sql(self) -> str:
        """DuckDB SQL of the column; tells its table that it is needed."""
        return self.on_use() if self.on_use else self.ref


@dataclass(frozen=True)
class Relation:
    """Something that can stand after FROM.

    Attributes:
        sql: DuckDB SQL of it.
        fields: Its columns.
        reached: Where it uses columns of the query around the whole query.
    """

    sql: str
    fields: tuple[Field, ...]
    reached: frozenset[Clause] = frozenset()


@dataclass
class Scope:
    """The columns of a FROM clause, and those of the query around it.

    Attributes:
        fields: The columns.
        parent: What the query around it can name.
        variables: Names that hide columns: a lambda's parameters, aliases in ORDER BY.
        clause: The clause that is being translated.
        reached: The clauses that used columns of the query around.
    """

    fields: Sequence[Field]
    parent: Scope | None = None
    variables: dict[str, Field] = field(default_factory=dict)
    clause: Clause = "FROM"
    reached: set[Clause] = field(default_factory=set)

    def find(self, parts: Sequence[str]) -> tuple[Field, bool] | None:
        """The column with a possibly qualified name, and whether it belongs to a query further out.

        Raises:
            QueryError: AMBIGUOUS_NAME.
        """
        name, qualifier = parts[-1].lower(), tuple(part.lower() for part in parts[:-1])
        if not qualifier and name in self.variables:
            return self.variables[name], False
        found = [
            one
            for one in self.fields
            if one.name is not None
            and one.name.lower() == name
            and (not qualifier or one.qualifier[-len(qualifier) :] == qualifier)
        ]
        if len(found) > 1:
            raise QueryError("AMBIGUOUS_NAME", f"Column '{'.'.join(parts)}' is ambiguous")
        if found:
            return found[0], False
        if self.parent is None:
            return None
        outer = self.parent.find(parts)
        return None if outer is None else (outer[0], True)

    def reach(self, parts: Sequence[str]) -> bool:
        """Note that the clause uses a column of the query around; False when it is that of one further out."""
        self.reached.add(self.clause)
        found = None if self.parent is None else self.parent.find(parts)
        return found is not None and not found[1]

    def with_variables(self, variables: dict[str, Field]) -> Scope:
        """The same scope inside a lambda."""
        return replace(self, variables=self.variables | variables)
