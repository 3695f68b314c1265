// Rules for the page's scripts: errors that a browser would show only to a reader, and the length of functions.

import js from "@eslint/js";
import globals from "globals";

const MAX_FUNCTION_LINES = 50;
const MAX_FILE_LINES = 400;

export default [
  { ...js.configs.recommended, files: ["**/*.js"] },
  {
    files: ["**/*.js"],
    languageOptions: { ecmaVersion: 2024, sourceType: "module", globals: globals.browser },
    linterOptions: { reportUnusedDisableDirectives: "error" },
    rules: {
      "array-callback-return": "error",
      "default-case-last": "error",
      eqeqeq: ["error", "always"],
      "max-lines": ["error", { max: MAX_FILE_LINES, skipBlankLines: true }],
      "max-lines-per-function": ["error", { max: MAX_FUNCTION_LINES, skipBlankLines: true, skipComments: true }],
      "no-alert": "error",
      "no-eval": "error",
      "no-implicit-globals": "error",
      "no-implied-eval": "error",
      "no-restricted-globals": ["error", "event", "name", "status", "length", "open", "close"],
      "no-restricted-syntax": [
        "error",
        {
          selector: "TemplateElement[value.raw=/\\n/]",
          message: "A template has one line: source_comments.py removes lines that look like comments.",
        },
      ],
      "no-restricted-properties": [
        "error",
        { property: "innerHTML", message: "Texts of guests and of the PMS must not become markup: use el() and setText()." },
        { property: "outerHTML", message: "Texts of guests and of the PMS must not become markup: use el() and setText()." },
      ],
      "no-self-compare": "error",
      "no-throw-literal": "error",
      "no-unused-expressions": "error",
      "no-unused-vars": ["error", { argsIgnorePattern: "^_", ignoreRestSiblings: true }],
      "no-use-before-define": ["error", { classes: false, functions: false, variables: false }],
      "no-var": "error",
      "object-shorthand": "error",
      "prefer-const": "error",
      "require-await": "error",
    },
  },
  { files: ["**/theme.js"], languageOptions: { sourceType: "script" } },
];
