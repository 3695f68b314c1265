// Set the colours before the first paint: those that the reader chose in this browser, or the system's. Then load the
// modules, and ask for the texts of the reader's language and the session, which modules would ask for only when all of
// them are loaded.
// It is a classic script in the head, because a module would run only after the paint. It stands after the style sheet,
// for which the browser makes it wait: so modules do not take the line from what the first words need.
(() => {
  const here = /** @type {HTMLScriptElement} */ (document.currentScript).src;
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const stored = (name) => {
    try {
      return localStorage.getItem(`pmslink-${name}`);
    } catch {
      return null; // a browser may forbid storage: then what the system has applies
    }
  };
  const apply = () => {
    const chosen = stored("theme");
    const theme = chosen === "light" || chosen === "dark" ? chosen : dark.matches ? "dark" : "light";
    document.documentElement.dataset.theme = theme;
  };
  dark.addEventListener("change", apply);
  addEventListener("storage", apply);
  addEventListener("themechange", apply);
  apply();

  const isWanted = (tag) => /^(en|zh)/i.test(tag ?? "");
  const language = ([stored("language"), ...navigator.languages].find(isWanted) ?? "en").slice(0, 2).toLowerCase();
  const preload = (href) => {
    const link = { rel: "preload", as: "fetch", crossOrigin: "", href };
    document.head.append(Object.assign(document.createElement("link"), link));
  };
  document.head.append(/** @type {HTMLTemplateElement} */ (document.getElementById("modules")).content);
  preload(new URL(`texts/${language}.json`, here).href);
  preload("api/v1/session");
})();
