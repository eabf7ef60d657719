// Run by make.mjs in a folder of the build, where web/client lies beside as client/.
import { fileURLToPath } from "node:url";
import { defineConfig } from "vite";

export default defineConfig({
  clearScreen: false,
  logLevel: "warn",
  esbuild: { jsx: "automatic", jsxImportSource: "preact" },
  resolve: { alias: { "@offhook/client": fileURLToPath(new URL("client/src/index.ts", import.meta.url)) } },
  build: {
    target: "es2022",
    // The page's policy allows no data: in scripts and styles, and a file of its own is cached for ever.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
  },
});
