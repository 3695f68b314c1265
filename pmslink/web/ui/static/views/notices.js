import { el } from "../core/dom.js";
import { t } from "../core/texts.js";
export const view = () => ({ element: el("h1", { text: t("note.title") }), title: () => t("note.title") });
