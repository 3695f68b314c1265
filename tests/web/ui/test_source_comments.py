"""Tests of the removal of comments from scripts and style sheets."""

from __future__ import annotations

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
    style = b'/* Colours */\n.a {\n  background: url(//a);\n\n  /* of\n   b */\n  content: "/* c */";\n}\n'
    assert remove_style_comments(style) == b'.a {\nbackground: url(//a);\ncontent: "/* c */";\n}\n'
