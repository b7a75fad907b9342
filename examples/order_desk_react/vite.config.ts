import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

const server = "http://127.0.0.1:8000";

export default defineConfig({
  plugins: [react()],
  server: {
    proxy: {
      "/live": { target: server, ws: true },
      "/me": server,
      "/sign-in": server,
      "/sign-out": server,
    },
  },
});
