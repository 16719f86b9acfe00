/** Every text of the console. One file a screen, joined here; components hold no text of their own. */

import { frame } from "./frame";
import { home } from "./home";
import { policyEditor } from "./policyEditor";
import { repositories } from "./repositories";
import { repository } from "./repository";
import { signIn } from "./signIn";

// One line each, so that changes of several screens merge.
export const strings = {
  frame,
  home,
  policyEditor,
  repositories,
  repository,
  signIn,
};
