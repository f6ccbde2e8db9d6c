"""A text is a function of its template and its facts: nothing random, nothing but data, and every fault has a place."""

from __future__ import annotations

import pytest
from core.rendering import fault_of, rendered

from seed_library.core.catalog import RequestSpec, WordRule
from seed_library.core.templates import TAKEN, TemplateLibrary
from seed_library.core.templates.offered import FILTER_NAMES, FUNCTION_NAMES

SPEC = RequestSpec("claude-sonnet-5-5")
WORDS = WordRule(80, 105, 70, 120)
FACTS: dict[str, object] = {
    "title": "Dawn",
    "names": ["a", "b"],
    "traits": {"color": "red", "size": 3},
    "empty": None,
    "words": WORDS,
    "zero": 0,
}


@pytest.mark.parametrize("value", ["{{ 7 * 7 }}", "{% if x %}", "{# note #}", "Müller & Söhne <b>„x“</b>", "{x} %s"])
def test_values_are_data_whatever_they_look_like(value: str) -> None:
    """Braces inside a value are not evaluated and nothing is escaped."""
    assert rendered("<{{ value }}>", value=value) == f"<{value}>"


def test_surrounding_blanks_are_stripped_and_blocks_leave_no_lines() -> None:
    """What the model reads is what was meant."""
    assert rendered("\n  {% for one in (1, 2) %}\n  {{ one }}\n  {% endfor %}\n\n") == "1\n  2"


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("{{ names }} {{ traits }} {{ 1.5 }} {{ true }}", "['a', 'b'] {'color': 'red', 'size': 3} 1.5 True"),
        ("{{ names|map('upper')|join(', ') }}", "A, B"),
        ("{% for key, value in traits|dictsort %}{{ key }}={{ value }};{% endfor %}", "color=red;size=3;"),
        ("{% for name in names %}{{ loop.index }}{{ loop.cycle('x', 'y') }}{% endfor %}", "1x2y"),
        ("{% for key, value in traits.items() %}{{ key }}{% endfor %}", "colorsize"),
        ("{{ title[1:] }} {{ title[::-1] }} {{ title ~ 1 }} {{ title[0] }}", "awn nwaD Dawn1 D"),
        ("{{ 'yes' if title in ('Dawn', 'Dusk') else 'no' }} {{ 2 < 3 <= 3 }}", "yes True"),
        ("{{ '%s is %03d' % (title, 7) }} {{ '%s'|format(title) }}", "Dawn is 007 Dawn"),
        ("{{ title.upper() }} {{ title.startswith(('D', 'E')) }} {{ traits.get('none', '-') }}", "DAWN True -"),
        ("{% set n = namespace(s=0) %}{% for i in range(4) %}{% set n.s = n.s + i %}{% endfor %}{{ n.s }}", "6"),
        ("{% macro two(x, y='!') %}{{ x }}{{ y }}{% endmacro %}{{ two(title) }}{{ two(y='?', x=1) }}", "Dawn!1?"),
        ("{% macro box() %}<{{ caller(1) }}>{% endmacro %}{% call(n) box() %}{{ n }}{% endcall %}", "<1>"),
        ("{% for n in [[1, [2]], [3]] recursive %}{{ loop(n) if n is iterable else n }}{% endfor %}", "123"),
        ("{% filter upper %}{{ title }}{% endfilter %}{% set x %}{{ title }}{% endset %}{{ x }}", "DAWNDawn"),
        ("{{ names|tojson }} {{ names|length }} {{ [3, 1]|sort }} {{ [1, 2]|sum }}", '["a", "b"] 2 [1, 3] 3'),
        ("{{ missing|default('-') }} {{ empty|default('-', true) }} {{ missing is defined }}", "- - False"),
        ("{{ [{'n': 1}, {'m': 2}]|map(attribute='n')|select('defined')|list }}", "[1]"),
        ("{% for g in [{'k': 1}]|groupby('k') %}{{ g.grouper }}{{ g.list }}{% endfor %}", "1[{'k': 1}]"),
        ("{{ (names|list + ['c'])|batch(2)|map('join')|join('/') }} {{ 'abc'|reverse }}", "ab/c cba"),
        ("{{ words.low }}-{{ words.at_most }} {{ 'a b'|wordcount }} {{ 'ab'|center(4) }}|", "80-120 2  ab |"),
    ],
)
def test_what_honest_templates_do_is_offered(source: str, text: str) -> None:
    """Loops, macros, filters, tests, methods of data: as Jinja2 has them."""
    assert rendered(source, **FACTS) == text


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("{{ title.upper }}", "the method 'upper' is no text: call it with parentheses"),
        ("{{ traits.items }}", "the method 'items' is no text"),
        ("{{ traits.items() }}", "a series is no text: write |join(', ') or |list"),
        ("{{ names|map('upper') }}", "a series is no text"),
        ("{{ names|unique }}", "a series is no text"),
        ("{{ range(3) }}", "a series is no text"),
        ("{{ range }}", "the function 'range' is no text"),
        ("{{ dict }}", "the class 'dict' is no text"),
        ("{{ namespace }}", "the class 'Namespace' is no text"),
        ("{{ namespace(a=1) }}", "a namespace is no text"),
        ("{{ cycler(1, 2) }}", "a cycler is no text"),
        ("{% macro m() %}x{% endmacro %}{{ m }}", "the macro 'm' is no text"),
        ("{% for name in names %}{{ loop }}{% endfor %}", "a loop is no text"),
        ("{{ self }}", "a block is no text"),
        ("{{ words }}", "the length rule is no text: write words.low or words.high"),
        ("{{ empty }}", "the value is null, and no text"),
        ("{{ title ~ empty }}", "the value is null, and no text"),
        ("{{ missing }}", "'missing' is undefined"),
        ("{{ [missing] }}", "'missing' is undefined"),
        ("{{ names|map(attribute='x')|list }}", "'str object' has no attribute 'x'"),
        ("{{ [title.upper] }}", "the method 'upper' is no value to work on"),
        ("{{ {'a': range} }}", "the function 'range' is no value to work on"),
        ("{{ title.upper|string }}", "the method 'upper' is no value to work on"),
        ("{{ title.upper ~ '' }}", "the method 'upper' is no text"),
        ("{{ '%s' % title.upper }}", "the method 'upper' is no value to work on"),
        ("{{ '%s'|format(words) }}", "the length rule is no value to work on"),
        ("{{ [words]|join }}", "the length rule is no value to work on"),
        ("{{ {words: 1}|tojson }}", "the length rule is no value to work on"),
        ("{% filter length %}abc{% endfilter %}{{ title[words] }}", "what stands in [ ] is no text or number"),
        ("{{ (-1) ** 0.5 }}", "an object (complex) is no text"),
    ],
)
def test_only_data_reaches_the_text(source: str, reason: str) -> None:
    """The text of anything else names a place in memory, which is another one in each process, or says nothing."""
    assert fault_of(f"one\n{source}", **FACTS).startswith(f"signs.de.md, line 2: {reason}")


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("{{ names|random }}", "there is no filter 'random': a prompt is made of its facts and of nothing random"),
        ("{{ names|map('random')|list }}", "No filter named 'random'."),
        ("{{ lipsum() }}", "'lipsum' is undefined: a prompt is made of its facts and of nothing random"),
        ("{{ now() }}", "'now' is undefined: a prompt is made of its facts, not of the time"),
        ("{{ title is sameas(title) }}", "there is no test 'sameas'"),
        ("{{ names|urlize }}", "there is no filter 'urlize'"),
        ("{{ title.format(1) }}", "'format' of a text is not offered"),
        ("{{ title.encode() }}", "'encode' of a text is not offered"),
        ("{% autoescape true %}{{ title }}{% endautoescape %}", "a prompt is plain text: there is no `autoescape`"),
    ],
)
def test_nothing_random_and_nothing_of_the_machine_is_offered(source: str, reason: str) -> None:
    """Asked for by whatever way, it is refused in the line that asks for it."""
    assert fault_of(f"\n{source}", **FACTS) == f"signs.de.md, line 2: {reason}"


def test_a_rendering_leaves_nothing_behind_for_the_next_one() -> None:
    """A counter or a cycler in a shared part would go on where the last item left it."""
    parts = {
        "count.md": "{% set n = namespace(at=0) %}{% macro next() %}{% set n.at = n.at + 1 %}{{ n.at }}{% endmacro %}",
        "turn.md": "{% set turn = cycler('a', 'b', 'c') %}",
    }
    source = (
        "{% import 'count.md' as count %}{% from 'turn.md' import turn %}"
        "{{ count.next() }}{{ count.next() }}{{ turn.next() }}{{ turn.next() }}"
    )
    library = TemplateLibrary({**parts, "signs.de.md": source})
    assert [library.render("signs.de.md", {}) for _ in range(3)] == ["12ab"] * 3


@pytest.mark.parametrize(
    "source",
    [
        "{{ ''.__class__.__mro__[1].__subclasses__() }}",
        "{{ title.__init__.__globals__ }}",
        "{{ cycler.__init__.__globals__.os }}",
        "{{ self.__init__.__globals__ }}",
        "{{ self._TemplateReference__context }}",
        "{{ namespace(a=1)._Namespace__attrs }}",
        "{{ spec.model.__class__ }}",
        "{{ spec.model }}",
        "{{ '{0.__class__.__mro__}'.format(title) }}",
        "{{ title|attr('__class__') }}",
        "{{ names.append('b') }}",
        "{{ facts.update({'a': 1}) }}",
        "{{ facts.clear() }}",
        "{{ (names|map(attribute='__class__')|list)[0].__mro__ }}",
        "{{ words.__dataclass_fields__ }}",
        "{% set words.low = 3 %}{{ words.low }}",
    ],
)
def test_a_template_reaches_neither_python_nor_the_facts_of_others(source: str) -> None:
    """The walk from a value to its class, to globals, and every mutation are refused; the values stay whole."""
    names, facts = ["a"], {"a": 0}
    given = {"title": "Dawn", "spec": SPEC, "names": names, "facts": facts, "words": WORDS}
    assert fault_of(source, **given).startswith("signs.de.md, line 1: ")
    assert (names, facts) == (["a"], {"a": 0})


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("{{ titel }}", "'titel' is undefined; did you mean 'title'?"),
        ("{{ Title }}", "'Title' is undefined; did you mean 'title'?"),
        ("{% if planet %}x{% endif %}", "'planet' is undefined"),
        ("{{ traits.colour }}", "'dict object' has no attribute 'colour'; did you mean 'color'?"),
        ("{{ words.lo }}", "has no attribute 'lo'; did you mean 'low'?"),
        ("{{ title.uper() }}", "'str object' has no attribute 'uper'; did you mean 'upper'?"),
        ("{{ title|uper }}", "there is no filter 'uper'; did you mean 'upper'?"),
        ("{{ title is strng }}", "there is no test 'strng'; did you mean 'string'?"),
        ("{% inclde 'a.md' %}", "Encountered unknown tag 'inclde'; did you mean 'include'?"),
        ("{% esle %}", "Encountered unknown tag 'esle'; did you mean 'else'?"),
        ("{{ 1 // zero }}", "ZeroDivisionError"),
        ("{{ names[9] }}", "no element 9"),
        ("{{ title + 1 }}", "TypeError"),
        ("{{ title|truncate(1) }}", "AssertionError"),
        ("{{ title(1) }}", "an object (str) cannot be called"),
        ("{% block b %}{{ titel }}{% endblock %}", "'titel' is undefined"),
        ("{% macro m() %}{{ titel }}{% endmacro %}{{ m() }}", "'titel' is undefined"),
        ("{% for n in names %}{{ titel }}{% endfor %}", "'titel' is undefined"),
    ],
)
def test_what_cannot_be_rendered_is_told_with_file_line_and_the_name_that_was_meant(source: str, reason: str) -> None:
    """Also in a block, a macro or a loop; a name that is close to one that exists is asked about."""
    fault = fault_of(f"fine\n\n{source}\nfine", **FACTS)
    assert fault.startswith("signs.de.md, line 3: ")
    assert reason in fault


@pytest.mark.parametrize(
    ("source", "line"),
    [
        ("ok\n{{ title }\n", 2),
        ("a\nb\n{% if %}\n", 3),
        ("{% for x in y %}\n", 1),
        ("{{ title|shout }}", 1),
        ("x\n{{ title|join(d=1, d=2) }}", 2),
        ("x\n{% macro m(a, a) %}{% endmacro %}", 2),
        ("x\n\n{{ 1e999 }}", 3),
        (f"x\n{{{{ {'1' * 5000} }}}}", 2),
        ("x\n{% include title %}", 2),
    ],
    ids=["brace", "condition", "open block", "filter", "argument", "parameter", "infinity", "digits", "part"],
)
def test_a_syntax_error_is_told_with_file_and_line(source: str, line: int) -> None:
    """Found when the template is compiled, before any item is rendered."""
    assert fault_of(source, title="x").startswith(f"signs.de.md, line {line}: ")


@pytest.mark.parametrize(
    "source",
    [
        "{{ " + "(" * 500 + "1" + ")" * 500 + " }}",
        "{{ " + "not " * 900 + "1 }}",
        "{{ 1" + "+1" * 3000 + " }}",
        "{{ title" + "|upper" * 1000 + " }}",
        "{% for a in title %}" * 30 + "x" + "{% endfor %}" * 30,
        "{% if title %}" * 120 + "x" + "{% endif %}" * 120,
    ],
    ids=["brackets", "negations", "sum", "filters", "loops", "conditions"],
)
def test_what_is_nested_beyond_what_python_compiles_is_a_fault_of_that_file(source: str) -> None:
    """No traceback out of a compiler."""
    assert fault_of(source, title="x") == "signs.de.md: blocks, brackets or conditions are nested too deeply"


@pytest.mark.parametrize("source", ["{{ '\\ud83d' }}", "{{ '\\0' }}", "{{ half }}", "a{{ nul }}b"])
def test_what_no_request_can_hold_is_not_rendered(source: str) -> None:
    """Half of a surrogate pair has no UTF-8."""
    assert fault_of(source, half="\udc00", nul="\0") == "signs.de.md: renders a NUL or half of a surrogate pair"


def test_a_fault_that_quotes_a_fact_stays_readable() -> None:
    """A fact may be a whole page."""
    fault = fault_of("{{ names[page] }}", names={}, page="long\n" * 1000)
    assert fault.startswith("signs.de.md, line 1: 'dict object' has no attribute 'long")
    assert len(fault) < 400
    assert "\n" not in fault


def test_the_names_that_are_taken_are_those_that_a_template_would_misread() -> None:
    """Every function of the template language is among them, and none of the item's own names."""
    assert set(FUNCTION_NAMES) < set(TAKEN)
    assert {"words", "loop", "self", "range", "lipsum", "none", "caller"} < set(TAKEN)
    assert not {"title", "name", "text", *FILTER_NAMES} & set(TAKEN)
