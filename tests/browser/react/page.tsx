/** The page of `docs/clients.md`, in a browser: rendered, or hydrated where a server has rendered it. */
import { StrictMode } from "react";
import { createRoot, hydrateRoot } from "react-dom/client";

import { App } from "./App.tsx";

const place = document.getElementById("root")!;
const app = location.pathname.includes("strict") ? <StrictMode>{<App />}</StrictMode> : <App />;
const onRecoverableError = (error: unknown) => console.error("recovered from", error);
if (place.hasChildNodes()) hydrateRoot(place, app, { onRecoverableError });
else createRoot(place).render(app);
