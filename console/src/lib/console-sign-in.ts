/** The form of sign-in to the console through a provider, and the call that it makes. */

import type { Change, Json } from "./commands/change";
import { keptMembers } from "./provider-settings";

export interface ConsoleSignInForm {
  displayName: string;
  clientId: string;
  /** Written and never shown. Empty: the one that is set stays. */
  clientSecret: string;
  /** As typed, with blanks between. */
  scopes: string;
}

interface Stored {
  providerArn: string;
  consoleSignIn?: { clientId?: string; hasClientSecret?: boolean };
}

/** Changes how people sign in, `undefined` for not at all. The other settings stay, with their secrets. */
export function consoleSignInChange(stored: Stored, form: ConsoleSignInForm | undefined): Change {
  const { providerArn } = stored;
  const kept = { ...keptMembers(stored), consoleSignIn: undefined, keepSecrets: true };
  const consoleSignIn = form === undefined ? undefined : signIn(stored, form);
  return { service: "berth", operation: "PutProviderSettings", input: { providerArn, ...kept, consoleSignIn } };
}

function signIn({ providerArn }: Stored, form: ConsoleSignInForm): Record<string, Json | undefined> {
  const displayName = form.displayName.trim();
  return {
    ...(displayName === "" ? {} : { displayName }),
    ...(providerArn.includes(":saml-provider/")
      ? {}
      : {
          clientId: form.clientId.trim(),
          ...(form.clientSecret === "" ? {} : { clientSecret: form.clientSecret }),
          scopes: form.scopes.split(/\s+/).filter((scope) => scope !== ""),
        }),
  };
}

/** The change as a command may show it: without the secret. */
export function shownChange(change: Change): Change {
  const { consoleSignIn } = change.input;
  if (typeof consoleSignIn !== "object" || consoleSignIn === null || Array.isArray(consoleSignIn)) return change;
  if (consoleSignIn["clientSecret"] === undefined) return change;
  return { ...change, input: { ...change.input, consoleSignIn: { ...consoleSignIn, clientSecret: "CLIENT_SECRET" } } };
}
