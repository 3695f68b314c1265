"""Tests of the removal of comments from scripts and style sheets."""

from __future__ import annotations

import re
from importlib.resources import files

from pmslink.web.ui.source_comments import remove_script_comments, remove_style_comments

SCRIPT = b"""// What it is for.

/**
 * Return the address.
 *
 * @param {string} name
 */
export function address(name) { // of a link
  /* of the service */
  const url = "http://127.0.0.1/*not a comment*/"; // https
  // another
  /** @type {any} */ (url).port = 1;
  /** @type {string} */
    return `${url}//${name}`;
}
"""


def test_comments_with_lines_of_their_own_are_removed() -> None:
    assert remove_script_comments(SCRIPT).decode().splitlines() == [
        "export function address(name) { // of a link",
        'const url = "http://127.0.0.1/*not a comment*/"; // https',
        "/** @type {any} */ (url).port = 1;",
        "return `${url}//${name}`;",
        "}",
    ]


def test_styles_keep_what_looks_like_a_comment_of_a_script() -> None:
    style = (
        b"/* Colours */\n.a, .b :hover {\n  background: url(//a);\n\n  /* of\n   b */\n"
        b'  content: "/* c */";\n}\n'
    )
    assert remove_style_comments(style) == b'.a,.b :hover{background:url(//a);content:"/* c */";}\n'


def test_no_text_in_the_style_sheet_has_punctuation_of_the_syntax() -> None:
    style = files("pmslink.web.ui").joinpath("static/page.css").read_text("utf-8")
    texts = re.findall(r'"[^"\n]*"', style)
    assert texts
    assert [text for text in texts if set(text) & set("{};:,")] == []
