"""Rendering one template, with the parts that it shares."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from seed_library.core.templates import TemplateFault, TemplateLibrary

NAME = "signs.de.md"


def rendered(source: str, parts: Mapping[str, str] | None = None, /, **variables: object) -> str:
    """Compile and render a template under the name `signs.de.md`."""
    library = TemplateLibrary({**(parts or {}), NAME: source})
    library.require(NAME)
    return library.render(NAME, variables)


def fault_of(source: str, parts: Mapping[str, str] | None = None, /, **variables: object) -> str:
    """Return what is said against a template that cannot be compiled or rendered."""
    with pytest.raises(TemplateFault) as caught:
        rendered(source, parts, **variables)
    return str(caught.value)
