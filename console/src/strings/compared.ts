/** A statement's elements beside the values of a request. */
export const compared = {
  element: "Element",
  matches: "Matches",
  yes: "Yes",
  no: "No",
  wanted: "In the policy",
  saw: "In the request",
  notSent: "Not in the request",
};
