// Tells the site what goes wrong on a page. It is the first script of each, in every engine.
{
  // The stack of an error has its message in one engine only.
  const text = (each) => (each instanceof Error ? `${each} ${each.stack}` : each);
  const tell = (...words) =>
    navigator.sendBeacon("/problem", `${location.pathname}: ${words.map(text).join(" ")}`);
  for (const level of ["error", "warn"]) {
    const before = console[level];
    console[level] = (...words) => {
      before.apply(console, words);
      tell(`console.${level}:`, ...words);
    };
  }
  addEventListener("error", ({ message, error }) => tell("uncaught:", message, error));
  addEventListener("unhandledrejection", ({ reason }) => tell("unhandled:", reason));
  addEventListener("securitypolicyviolation", ({ violatedDirective, blockedURI }) =>
    tell("against the policy:", violatedDirective, blockedURI),
  );
}
