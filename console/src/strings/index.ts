/** Every text of the console. One file a screen, joined here; components hold no text of their own. */

import { frame } from "./frame";
import { home } from "./home";
import { policyEditor } from "./policyEditor";
import { signIn } from "./signIn";

export const strings = { frame, home, policyEditor, signIn };
