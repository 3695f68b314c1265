// Set the colours before the first paint: those that the reader chose in this browser, or the system's.
// It is a classic script in the head, because a module would run only after the paint.
(() => {
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const choice = () => {
    try {
      return localStorage.getItem("pmslink-theme");
    } catch {
      return null; // a browser may forbid storage: then the system's colours apply
    }
  };
  const apply = () => {
    const chosen = choice();
    const theme = chosen === "light" || chosen === "dark" ? chosen : dark.matches ? "dark" : "light";
    document.documentElement.dataset.theme = theme;
  };
  dark.addEventListener("change", apply);
  addEventListener("storage", apply);
  addEventListener("themechange", apply);
  apply();
})();
