// Hands the answer of an identity provider to the server, and goes on to where the server says.
"use strict";

const answer = document.getElementById("answer").dataset;
const query = new URLSearchParams(window.location.search);
// A code is used once, and is nobody else's to see.
window.history.replaceState(null, "", "/console/federation/return");

function given() {
  if (answer.kind === "saml") {
    return { kind: "saml", response: answer.response, relayState: answer.relayState };
  }
  const fields = { kind: "oidc", provider: answer.provider, state: query.get("state") ?? "" };
  for (const name of ["code", "error", "iss"]) {
    if (query.has(name)) fields[name] = query.get(name);
  }
  return fields;
}

function failed(code, requestId) {
  const fragment = new URLSearchParams({ "sign-in-failed": code, request: requestId });
  window.location.replace(`/console/#${fragment}`);
}

async function handOn() {
  if (answer.kind === "none") return failed("InvalidAnswer", "");
  const response = await fetch("/console/federation/finish", {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(given()),
    credentials: "same-origin",
    cache: "no-store",
    redirect: "error",
  });
  const body = await response.json();
  if (response.ok) return window.location.replace(body.location);
  return failed(String(body.code), body.requestId ?? response.headers.get("x-amzn-requestid") ?? "");
}

handOn().catch(() => failed("Unreachable", ""));
