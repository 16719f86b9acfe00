export const simulator = {
  title: "Simulator",
  description: "Decides a request with the policies that a user or role has now, without making it.",
  principal: "Principal",
  principalHint: "The ARN of a user or role of this account.",
  extra: "A further policy",
  extraHint: "Decides as if the principal had this policy, too. Leave the statement out to ask about the policies that it has.",
};
