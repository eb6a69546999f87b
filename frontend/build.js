// Bundles the third-party packages of package-lock.json into static/vendor/.
// Our own modules in static/js/ are served as they are written.
import { build } from "esbuild";

await build({
  entryPoints: ["frontend/htmx.js", "frontend/codemirror.js"],
  outdir: "static/vendor",
  bundle: true,
  minify: true,
  format: "esm",
  target: ["es2022"],
  legalComments: "linked",
  logLevel: "info",
});
