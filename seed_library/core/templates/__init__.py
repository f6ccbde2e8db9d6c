"""Templates: texts with holes, rendered so that the same facts always make the same text, in bounded time and memory.

Open `library` first: it is what the rest of the program uses. Below it: `sandbox` (the Jinja2 environment), `steps`
(what a template is made to count), `meter` (the count), `growth` (what would make a text too long, found before it is
made), `offered` (the filters, tests, functions and methods that there are), `references` (which parts a template
shares) and `faults` (how it is said what is wrong, and where).
"""

from seed_library.core.templates.faults import TemplateFault, near
from seed_library.core.templates.library import MAX_RENDERED_CHARACTERS, TemplateLibrary
from seed_library.core.templates.offered import TAKEN
from seed_library.core.templates.references import Reference, is_part_name, loops, references

__all__ = [
    "MAX_RENDERED_CHARACTERS",
    "TAKEN",
    "Reference",
    "TemplateFault",
    "TemplateLibrary",
    "is_part_name",
    "loops",
    "near",
    "references",
]
