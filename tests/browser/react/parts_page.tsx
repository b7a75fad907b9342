/** A page of `parts.tsx` in a browser: what a server has rendered is hydrated. */
import { StrictMode } from "react";
import { hydrateRoot } from "react-dom/client";

import { parts } from "./parts.tsx";

const [, build, name] = location.pathname.split("/");
const Page = parts[name!]!;
const page = build!.startsWith("strict-") ? <StrictMode>{<Page />}</StrictMode> : <Page />;
const onRecoverableError = (error: unknown) => console.error("recovered from", error);
hydrateRoot(document.getElementById("root")!, page, { onRecoverableError });
