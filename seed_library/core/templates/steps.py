"""Making a template count what it does, before it is compiled.

Each body (a file, a block, a macro, a turn of a loop) begins with a filter that counts its nodes. What works on data of
any size without a filter (joining by `~`, slices, comparisons) is written as one, so that it is counted, too. What is
not offered is refused here, with its line.

The names of these filters have a blank in front, so that no template can write them.
"""

from __future__ import annotations

from collections.abc import Iterable
from math import isfinite
from typing import Any

from jinja2 import Environment, TemplateSyntaxError, nodes
from jinja2.visitor import NodeTransformer

from seed_library.core.templates.faults import near
from seed_library.core.templates.meter import CHARACTERS_PER_STEP
from seed_library.core.templates.offered import FILTER_NAMES, TEST_NAMES

STEP, JOIN, CUT, WEIGH, TEXT = " step", " join", " cut", " weigh", " text"
_OWN = {STEP, JOIN, CUT, WEIGH, TEXT}
_BODIES = (nodes.Block, nodes.CallBlock, nodes.For, nodes.Macro, nodes.Template)


def counted(template: nodes.Template, environment: Environment) -> nodes.Template:
    """Return the parsed template with its counting.

    Raises:
        TemplateSyntaxError: it uses what is not offered.
    """
    _Counting().visit(template)
    template.set_environment(environment)
    return template


class _Counting(NodeTransformer):
    def _with_step(self, node: Any) -> Any:
        self.generic_visit(node)
        node.body.insert(0, nodes.ExprStmt(_step(node, node.body), lineno=node.lineno))
        return node

    visit_Block = visit_CallBlock = visit_Template = _with_step  # noqa: N815  names that Jinja2 looks for

    def visit_Macro(self, node: nodes.Macro) -> Any:  # noqa: N802
        _require_once([argument.name for argument in node.args], node.lineno)
        return self._with_step(node)

    def visit_Call(self, node: Any) -> nodes.Node:  # noqa: N802
        _require_once([argument.key for argument in node.kwargs], node.lineno)
        return self.generic_visit(node)

    def visit_For(self, node: nodes.For) -> Any:  # noqa: N802
        if node.test is not None:
            test = self.visit(node.test)
            node.test = nodes.And(_step(node, [test]), test, lineno=node.lineno)
        return self._with_step(node)

    def visit_Filter(self, node: nodes.Filter) -> nodes.Node:  # noqa: N802
        if node.name not in FILTER_NAMES | _OWN:
            raise _not_offered("filter", node.name, node.lineno, FILTER_NAMES)
        return self.visit_Call(node)

    def visit_FilterBlock(self, node: nodes.FilterBlock) -> nodes.Node:  # noqa: N802
        """Let what a filter makes of a block be judged like anything else that is to stand in the text."""
        self.generic_visit(node)
        node.filter = _filter(node.filter, TEXT, [], node.lineno)
        return node

    def visit_Test(self, node: nodes.Test) -> nodes.Node:  # noqa: N802
        if node.name not in TEST_NAMES:
            raise _not_offered("test", node.name, node.lineno, TEST_NAMES)
        return self.visit_Call(node)

    def visit_Const(self, node: nodes.Const) -> nodes.Node:  # noqa: N802
        if isinstance(node.value, float) and not isfinite(node.value):
            raise TemplateSyntaxError("a number is too large", node.lineno)
        return node

    def visit_Concat(self, node: nodes.Concat) -> nodes.Node:  # noqa: N802
        self.generic_visit(node)
        return _filter(nodes.List(node.nodes, lineno=node.lineno), JOIN, [], node.lineno)

    def visit_Getitem(self, node: nodes.Getitem) -> nodes.Node:  # noqa: N802
        if not isinstance(node.arg, nodes.Slice):
            return self.generic_visit(node)
        bounds = [node.arg.start, node.arg.stop, node.arg.step]
        given = [nodes.Const(None) if bound is None else self.visit(bound) for bound in bounds]
        return _filter(self.visit(node.node), CUT, given, node.lineno)

    def visit_Compare(self, node: nodes.Compare) -> nodes.Node:  # noqa: N802
        self.generic_visit(node)
        node.expr = _weighed(node.expr)
        for operand in node.ops:
            operand.expr = _weighed(operand.expr)
        return node

    def visit_Tuple(self, node: nodes.Tuple) -> nodes.Node:  # noqa: N802
        """Make tuples lists: looking one up in a table would go through all that it holds, uncounted."""
        self.generic_visit(node)
        return nodes.List(node.items, lineno=node.lineno) if node.ctx == "load" else node

    def visit_Import(self, node: Any) -> nodes.Node:  # noqa: N802
        """Let parts see the facts; without them Jinja2 would keep one module, and its state, for all renderings."""
        node.with_context = True
        return self.generic_visit(node)

    visit_FromImport = visit_Import  # noqa: N815

    def visit_Include(self, node: nodes.Include) -> nodes.Node:  # noqa: N802
        if not node.with_context:
            raise TemplateSyntaxError("a part always sees the facts: leave out `without context`", node.lineno)
        return self.generic_visit(node)

    def visit_ScopedEvalContextModifier(self, node: nodes.Node) -> nodes.Node:  # noqa: N802
        raise TemplateSyntaxError("a prompt is plain text: there is no `autoescape`", node.lineno)


def _require_once(names: list[str], line: int) -> None:
    for name in names:
        if names.count(name) > 1:
            raise TemplateSyntaxError(f"the argument {name!r} is there twice", line)


def _weighed(node: nodes.Expr) -> nodes.Expr:
    return node if isinstance(node, nodes.Const) else _filter(node, WEIGH, [], node.lineno)


def _step(node: nodes.Node, body: Iterable[nodes.Node]) -> nodes.Filter:
    return _filter(nodes.Const(sum(map(_weight, body)) + 1, lineno=node.lineno), STEP, [], node.lineno)


def _filter(value: nodes.Expr, name: str, given: list[nodes.Expr], line: int) -> nodes.Filter:
    return nodes.Filter(value, name, given, [], None, None, lineno=line)


def _weight(node: nodes.Node) -> int:
    """Return how many steps a node takes, apart from the bodies in it that count themselves."""
    if isinstance(node, nodes.TemplateData):
        return 1 + len(node.data) // CHARACTERS_PER_STEP
    left_out = ("body",) if isinstance(node, _BODIES) else ()
    return 1 + sum(map(_weight, node.iter_child_nodes(exclude=left_out)))


def _not_offered(what: str, name: str, line: int, known: Iterable[str]) -> TemplateSyntaxError:
    reason = ": a prompt is made of its facts and of nothing random" if name == "random" else near(name, sorted(known))
    return TemplateSyntaxError(f"there is no {what} {name!r}{reason}", line)
