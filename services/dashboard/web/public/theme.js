// Before the first paint, so that a page that is to be dark never flashes white.
(function () {
  try {
    var theme = localStorage.getItem("footfall.theme");
    if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
  } catch {
    // Without storage the system's choice stands.
  }
})();
