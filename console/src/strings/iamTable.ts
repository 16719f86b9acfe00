export const iamTable = {
  find: (what: string) => `Find ${what} by name`,
  clear: "Clear",
  first: "First page",
  previous: "Previous page",
  next: "Next page",
  empty: (what: string) => `There are no ${what}.`,
  noMatch: (text: string) => `No name contains "${text}".`,
  partial: "Only a part of the list was searched. Enter more of the name.",
  refresh: "Refresh",
};
