export const home = {
  title: "Home",
  welcome: (name: string, account: string) => `${name} in account ${account}`,
};
