"""Texts that look like something else: secrets, markup, code, formulas, marks that are not seen. Each is content."""

from __future__ import annotations

JWT = "eyJhbGciOiJIUzI1NiJ9.eyJyb2xlIjoiZmFrZSJ9.c2lnbmF0dXJl"

LIKE_SECRETS = {
    "key": "Call it sk-ant-api03-fake_test-0123456789abcdef, says the manual.",
    "token": f"{JWT} spells nothing that you know.",
    "bearer at the end": "You are the bearer of good news, and its bearer alone.",
    "header": "Authorization: Bearer fake-token-0123456789, apikey=sb_secret_fakefakefakefakefake_test1234.",
    "address": "Write to postgres://you:me@home/of/yours tonight.",
    "redacted": "The line says [redacted], and means it.",
}
LIKE_MARKUP = {
    "end of a script": "</script><script>document.title='gone'</script><!-- <script> ]]> -->",
    "tags": "<b onclick=alert(1)>bold</b> & &amp; &#60; \"quoted\" 'twice'",
    "placeholders": "/*DATA*/ {{NONCE}} {{ braces }} {% raw %} ${x} $& $1 %s \\n \\u0041",
}
LIKE_CODE = {
    "code": "def f(x):\n    return {'a': [1, 2], 'b': None}  # code\n\n\tand a tab",
    "JSON": '{"text": "JSON", "n": [1, 2.50, null, 1e400], "u": "\\u00e9\\ud83d"}',
    "hyperlink": '=HYPERLINK("http://evil.example","click") is a text',
    "sum with a quotation mark": "'=1+1, and ''twice",
    "number of a telephone": "+49 30 1234; -5; @home",
    "CSV": 'a;b,"c""d",\te',
}
UNSEEN = {
    "from right to left": "\u202e\u0645\u0631\u062d\u0628\u0627\u202c and \u200f\u200e\u2067x\u2069 \u05e9\u05dc\u05d5",
    "pictures of controls": "\u2400 \u240d\u240a \u241b[31m",
    "controls": "\x1b[31mred\x1b[0m, a \x07 and \x08\x7f\x9b0m",
    "line ends of Windows": "First.\r\nSecond.\r\n\r\nThird.",
    "line ends of old": "First.\rSecond.",
    "other line ends": "One\u2028two\u2029three\x85four\x0bfive\x0cend",
    "blanks around": "  two before\n    four in it, and one after ",
    "joined": "e\u0301 is not \u00e9; \U0001f469\u200d\U0001f469\u200d\U0001f467 \U0001f1e9\U0001f1ea \U0001d518",
    "no width": "a\u200bb\u00adc\ufeffd\u2060e\u180ef",
}
ODD_TEXTS = LIKE_SECRETS | LIKE_MARKUP | LIKE_CODE | UNSEEN
