/** The account that was signed in to through an identity provider last: no secret, and long to type. */

const KEY = "berth-company-account";

export const lastAccount = (): string => (window.localStorage.getItem(KEY) ?? "").slice(0, 256);

export function rememberAccount(account: string): void {
  window.localStorage.setItem(KEY, account);
}
