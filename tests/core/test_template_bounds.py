"""No template hangs a run or fills the memory, however it goes about it; the fault says what was too much."""

from __future__ import annotations

import tracemalloc

import pytest
from core.rendering import fault_of, rendered

from seed_library.core.templates import MAX_RENDERED_CHARACTERS, TemplateFault, TemplateLibrary

BIG = "x" * 199_999
STEPS = "takes more than 100,000 steps"
LONG = "would make more than 200,000 characters or elements"
TURNS = "{% for i in range(900) %}"
END = "{% endfor %}"
SQUARE = "{% for a in range(999) %}{% for b in range(999) %}{% endfor %}{% endfor %}"


def _again(start: str, next_: str) -> str:
    """Return a template that works something out of itself, again and again."""
    return f"{{% set n = namespace(a={start}) %}}{{% for i in range(99) %}}{{% set n.a = {next_} %}}{{% endfor %}}"


_NESTED = "{% set n = namespace(a=[1]) %}{% for i in range(40) %}{% set n.a = [n.a, n.a] %}{% endfor %}"

TOO_MUCH = {
    "loops in loops": (SQUARE, STEPS),
    "loops with a condition": (TURNS + "{% for b in range(999) if b > 999 %}x{% endfor %}" + END, STEPS),
    "loops that print": ("{% for a in range(9999) %}{% for b in range(9999) %}line\n{% endfor %}{% endfor %}", STEPS),
    "loop over a text": ("{% for a in big %}{% for b in big %}{% endfor %}{% endfor %}", STEPS),
    "a loop in a set": ("{% set x %}" + TURNS + "{{ big }}" + END + "{% endset %}", STEPS),
    "a loop in a filter": ("{% filter upper %}" + TURNS + "{{ big }}" + END + "{% endfilter %}", STEPS),
    "a loop of macros": ("{% macro m() %}{{ big }}{% endmacro %}" + TURNS + "{% set x = m() %}" + END, STEPS),
    "long lines of a loop": (TURNS + "{% if big == other %}{% endif %}" * 20 + END, STEPS),
    "range": ("{{ range(10**9)|list }}", STEPS),
    "range printed by parts": ("{{ range(0, 10**12, 7)|join }}", STEPS),
    "a macro that calls itself": ("{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}", "nested too deeply"),
    "a macro that calls itself twice": (
        "{% macro m(n) %}{% if n %}{{ m(n - 1) }}{{ m(n - 1) }}{% endif %}{% endmacro %}{{ m(60) }}",
        STEPS,
    ),
    "a loop that goes down for ever": ("{% for x in [1] recursive %}{{ loop([x]) }}{% endfor %}", "nested too deeply"),
    "a block that shows itself": ("{% block b %}{{ self.b() }}{% endblock %}", "nested too deeply"),
    "a text times a number": ("{{ 'x' * 2000000000 }}", LONG),
    "a number times a text": ("{{ 2000000000 * 'x' }}", LONG),
    "a list times a number": ("{{ [1] * 10**9 }}", LONG),
    "doubling by ~": (_again("'x'", "n.a ~ n.a"), "makes a text of more than"),
    "doubling by +": (_again("'x'", "n.a + n.a"), LONG),
    "doubling lists": (_again("[1]", "n.a + n.a"), STEPS),
    "lists in lists, printed": (_NESTED + "{{ n.a }}", STEPS),
    "lists in lists, compared": (_NESTED + "{{ n.a == n.a }}", STEPS),
    "lists in lists, joined": (_NESTED + "{{ n.a|join }}", STEPS),
    "lists in lists, as JSON": (_NESTED + "{{ n.a|tojson }}", STEPS),
    "lists in lists, changed": (_NESTED + "{% for i in [1, 2] %}{{ loop.changed(n.a) }}{% endfor %}", STEPS),
    "lists in lists, as a key": (_NESTED + "{{ {}[n.a] }}", "what stands in [ ] is no text"),
    "lists very deep": (_again("[]", "[n.a]") + "{{ n.a }}", "nested more than 50 levels"),
    "copies kept in a list": ("{% set n = namespace(l=[]) %}" + TURNS + "{% set n.l = n.l + [big[1:]] %}" + END, STEPS),
    "a width": ("{{ '%1000000000s' % 'x' }}", "formats with a width of more than three digits"),
    "a width by the filter": ("{{ '%1000000000s'|format('x') }}", "formats with a width of more than three digits"),
    "a width as an argument": ("{{ '%*d' % (10**9, 1) }}", "formats with a width of more than three digits"),
    "a precision": ("{{ '%.1000000000f' % 1 }}", "formats with a width of more than three digits"),
    "a width after a name": ("{{ '%(a)1000000000s'|format(a=1) }}", "formats with a width of more than three digits"),
    "center": ("{{ 'x'|center(10**9) }}", LONG),
    "center by method": ("{{ 'x'.center(10**9) }}", LONG),
    "ljust": ("{{ 'x'.ljust(10**9) }}", LONG),
    "zfill": ("{{ 'x'.zfill(10**9) }}", LONG),
    "expandtabs": ("{{ '\t'.expandtabs(10**9) }}", LONG),
    "indent": ("{{ 'x'|indent(10**9) }}", LONG),
    "indent by a text": ("{{ lines|indent('x' * 1000, first=true) }}", LONG),
    "join": ("{{ range(9)|join(big) }}", LONG),
    "join by method": ("{{ big.join(['a', 'b', 'c']) }}", LONG),
    "replace": ("{{ lines|replace('\n', 'x' * 1000) }}", LONG),
    "replace by method": ("{{ lines.replace('\n', 'x' * 1000) }}", LONG),
    "replace of nothing": ("{{ lines|replace('', 'x' * 1000) }}", LONG),
    "batch": ("{{ [1]|batch(10**9, 'x')|list }}", LONG),
    "slice": ("{{ [1]|slice(10**9)|list }}", LONG),
    "wordwrap": ("{{ lines|wordwrap(1, wrapstring='x' * 1000) }}", LONG),
    "wordwrap of a long word": (TURNS + "{% set x = big|wordwrap(1) %}" + END, STEPS),
    "striptags": (TURNS + "{% set x = ('<>' * 90000)|striptags %}" + END, STEPS),
    "JSON with a wide indent": ("{{ [1]|tojson(indent=10**9) }}", LONG),
    "round": ("{{ 5|round(-1000000000) }}", LONG),
    "round up": ("{{ 5|round(10**9, 'ceil') }}", LONG),
    "powers": ("{{ 9 ** (9 ** 9) }}", "a power of more than 300"),
    "squares": (_again("7", "n.a * n.a"), "more than a thousand digits"),
    "sum of lists": ("{{ [[1], [2]]|sum(start=[]) }}", "`sum` adds numbers"),
    "map": ("{{ ['x']|map('center', 10**9)|list }}", LONG),
    "a filter's own name": ("{{ [-10**9]|map(' step')|list }}" + SQUARE, STEPS),
    "lipsum": ("{{ lipsum(n=1000000) }}", "'lipsum' is undefined"),
}


@pytest.mark.parametrize(("source", "reason"), TOO_MUCH.values(), ids=TOO_MUCH)
def test_too_much_is_refused_before_it_takes_time_or_memory(source: str, reason: str) -> None:
    """In the line that asks for it, with some megabytes at most."""
    lines = "x\n" * 500
    tracemalloc.start()
    fault = fault_of(source, big=BIG, other="x" * 199_998 + "y", lines=lines)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert fault.startswith("signs.de.md, line ")
    assert reason in fault
    assert peak < 40_000_000


def test_a_part_that_is_shared_twice_by_each_of_many_ends_as_well() -> None:
    """Thirty files without a loop among them, and a thousand million renderings of the last one."""
    parts = {f"p{n}.md": f"{{% include 'p{n + 1}.md' %}}" * 2 for n in range(30)} | {"p30.md": "{# nothing #}"}
    assert STEPS in fault_of("{% include 'p0.md' %}", parts)


def test_long_honest_templates_stay_within_the_steps() -> None:
    """A thousand facts in a loop, a hundred macros, and a text at the limit."""
    facts = [{"name": f"n{number}", "value": number} for number in range(1000)]
    rows = "{% for one in facts if one.value %}- {{ one.name|upper }}: {{ one.value + 1 }}\n{% endfor %}"
    assert rendered(rows, facts=facts).count("\n") == 998
    macro = "{% macro m(x) %}<{{ x }}>{% endmacro %}" + "{{ m(facts[0].name) }}" * 100
    assert rendered(macro, facts=facts) == "<n0>" * 100
    assert len(rendered("{{ text }}", text="x" * MAX_RENDERED_CHARACTERS)) == MAX_RENDERED_CHARACTERS


def test_a_text_beyond_the_limit_is_given_up() -> None:
    """One character more than a prompt may have."""
    assert fault_of("{{ text }}x", text="x" * MAX_RENDERED_CHARACTERS) == (
        "signs.de.md: renders to more than 200,000 characters"
    )


def test_a_template_that_gave_too_much_begins_again_with_the_next_item() -> None:
    """The count is that of one rendering."""
    library = TemplateLibrary({"a.md": "{% for i in range(n) %}{{ i }}{% endfor %}"})
    for _ in range(3):
        with pytest.raises(TemplateFault, match=STEPS) as caught:
            library.render("a.md", {"n": 10**6})
        assert caught.value.endless
        assert library.render("a.md", {"n": 3}) == "012"
