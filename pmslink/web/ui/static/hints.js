// Hints of a link as text: the same functions as in `link/reason_texts.py`.

import { duration, has, t } from "./core/texts.js";

const SUGGESTIONS = {
  framing: "suggestion.read",
  charset: "suggestion.read",
  clock: "suggestion.check",
  records: "suggestion.omit",
  records_budget: "suggestion.check",
};

/** What a hint says, without the setting that would help. */
export function hintText({ code, params }) {
  const time = duration(Math.abs(params.seconds ?? 0));
  const key = `hint.${hintKey({ code, params })}`;
  return has(key) ? t(key, { ...params, time }) : code; // a page that stays open over an upgrade may meet others
}

const kindOf = ({ code, params }) => (params.variant ? `${code}_${params.variant}` : code);

function hintKey({ code, params }) {
  const { seconds, value } = params;
  if (code === "framing") return value === "crlf" ? "framing_crlf" : "framing_stx_etx";
  if (code === "tls") return value ? "tls_on" : "tls_off";
  if (code === "clock") return seconds > 0 ? "clock_ahead" : "clock_behind";
  return kindOf({ code, params });
}

/** The setting that would help, as a text; null if none would. */
export function suggestionText({ code, params }) {
  return params.setting ? t(SUGGESTIONS[kindOf({ code, params })] ?? "suggestion.help", params) : null;
}

/** Where the document about PMSs explains a hint; `tests/test_documents.py` checks that it has each of them. */
export const documentPlaceOf = (code) => `page/pms-differences.html#hint-${encodeURIComponent(code)}`;
