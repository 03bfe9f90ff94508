"""What an expression of PromQL asks for, from its syntax tree."""

from collections.abc import Iterator

import promql_parser as syntax


def parts(expr: syntax.Expr) -> Iterator[syntax.Expr]:
    """An expression and everything in it."""
    yield expr
    match expr:
        case syntax.AggregateExpr():
            inner = [expr.expr, expr.param]
        case syntax.BinaryExpr():
            inner = [expr.lhs, expr.rhs]
        case syntax.Call():
            inner = list(expr.args)
        case syntax.ParenExpr() | syntax.UnaryExpr() | syntax.SubqueryExpr():
            inner = [expr.expr]
        case syntax.MatrixSelector():
            inner = [expr.vector_selector]
        case _:
            inner = []
    for one in inner:
        if one is not None:
            yield from parts(one)


def metrics_of(expr: syntax.Expr) -> list[tuple[str, set[str]]]:
    """Each metric that is asked for, with the labels it is asked by."""
    found = [one for one in parts(expr) if isinstance(one, syntax.VectorSelector)]
    return [(one.name or "", {matcher.name for matcher in one.matchers.matchers}) for one in found]


def labels_of(expr: syntax.Expr) -> set[str]:
    """Labels that are grouped by, joined on, or carried over."""
    found: set[str] = set()
    for one in parts(expr):
        if isinstance(one, syntax.AggregateExpr) and one.modifier is not None:
            found |= set(one.modifier.labels)
        if isinstance(one, syntax.BinaryExpr) and one.modifier is not None:
            if one.modifier.matching is not None:
                found |= set(one.modifier.matching.labels)
            found |= set(getattr(one.modifier.card, "labels", None) or [])
    return found
