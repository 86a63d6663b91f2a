import tailwindcss from "@tailwindcss/vite";
import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";

const port = (name: string, usual: number) => process.env[`FOOTFALL_${name}_PORT`] ?? String(usual);
const query = `http://127.0.0.1:${port("QUERY", 8001)}`;
const auth = `http://127.0.0.1:${port("AUTH", 8002)}`;

export default defineConfig({
  plugins: [react(), tailwindcss()],
  resolve: { alias: { "~": new URL("./src", import.meta.url).pathname } },
  build: {
    outDir: "../src/footfall_dashboard/static",
    emptyOutDir: true,
    target: "es2022",
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
  server: { proxy: { "/api": query, "/auth": auth, "/projects": auth, "/users": auth } },
  test: { include: ["src/**/*.test.ts"] },
});
