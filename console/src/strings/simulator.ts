export const simulator = {
  title: "Simulator",
  description: "Decides a request with the policies that a user or role has now, without making it.",
};
