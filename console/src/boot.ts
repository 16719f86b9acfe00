/** Runs before the console's other scripts have loaded: asks who is signed in meanwhile. */

import { startEarly } from "./api/early";

// Who chooses a role after a sign-in elsewhere has no session yet.
if (window.location.pathname !== "/console/federation/roles") startEarly();
