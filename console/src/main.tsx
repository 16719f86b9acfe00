import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import "@cloudscape-design/global-styles/index.css";
import "./app/base.css";
import { App } from "./app/App";
import { applyPreferences } from "./app/preferences";
import { preload } from "./app/screens";

// Before the first paint, so that a dark page never flashes white.
applyPreferences();
preload(window.location.pathname.slice("/console".length));

const root = document.getElementById("root");
if (root !== null) {
  createRoot(root).render(
    <StrictMode>
      <App />
    </StrictMode>,
  );
}
