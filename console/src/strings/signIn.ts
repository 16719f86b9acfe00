export const signIn = {
  title: "Sign in to Berth",
  accessKeyId: "Access key id",
  secretAccessKey: "Secret access key",
  submit: "Sign in",
  ended: "Your session has ended. Sign in again to continue where you were.",
  failedTitle: "You are not signed in",
  unknown: "The server could not be asked whether you are signed in.",
};
