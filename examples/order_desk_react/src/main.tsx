/** Starts the page: who is signed in has a desk, everybody else is asked. */
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { Desk } from "./Desk.tsx";
import { open } from "./records.ts";
import { SignIn } from "./SignIn.tsx";
import "./style.css";

const answer = await fetch("/me");
createRoot(document.getElementById("root")!).render(
  <StrictMode>{answer.ok ? <Desk {...open(await answer.json())} /> : <SignIn />}</StrictMode>,
);
