import react from "@vitejs/plugin-react";
import type { Plugin } from "vite";
import { defineConfig } from "vitest/config";

/**
 * Puts the small script of `src/boot.ts` before the others: it runs while they load. Vite would join it with them, if
 * the page named it.
 */
const bootFirst: Plugin = {
  name: "boot-first",
  transformIndexHtml: {
    order: "post",
    handler: (_, { bundle = {} }) =>
      Object.values(bundle)
        .filter((file) => file.type === "chunk" && file.isEntry && file.name === "boot")
        .map(({ fileName }) => ({
          tag: "script",
          attrs: { type: "module", crossorigin: true, src: `/console/${fileName}` },
          injectTo: "head-prepend" as const,
        })),
  },
};

export default defineConfig({
  base: "/console/",
  plugins: [react(), bootFirst],
  build: {
    target: "es2022",
    // Files, so that the content security policy needs no exception and each has a name of its own.
    assetsInlineLimit: 0,
    manifest: "manifest.json",
    license: { fileName: "licenses.md" },
    // A `modulepreload` polyfill would be an inline script in old browsers.
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
    rolldownOptions: { input: { index: "index.html", boot: "src/boot.ts" } },
  },
  test: { environment: "node", include: ["src/**/*.test.ts"] },
});
