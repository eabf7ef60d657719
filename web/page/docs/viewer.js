// The document of the API, readable, and tried out with a token that is kept for this tab alone.
import "/docs/rapidoc.js";

const dark = window.matchMedia("(prefers-color-scheme: dark)");
const viewer = document.createElement("rapi-doc");
for (const [name, value] of Object.entries({
  "spec-url": "/openapi.json",
  "render-style": "read",
  "schema-style": "table",
  "show-header": "false",
  "show-method-in-nav-bar": "as-colored-text",
  "load-fonts": "false",
  "allow-spec-url-load": "false",
  "allow-spec-file-load": "false",
  "persist-auth": "false",
  "regular-font": "system-ui, sans-serif",
  "mono-font": "ui-monospace, monospace",
  theme: dark.matches ? "dark" : "light",
})) {
  viewer.setAttribute(name, value);
}
dark.addEventListener("change", () => viewer.setAttribute("theme", dark.matches ? "dark" : "light"));
document.body.append(viewer);
