/** Every text of the console. One file a screen, joined here; components hold no text of their own. */

import { accountSettings } from "./accountSettings";
import { changed } from "./changed";
import { activity } from "./activity";
import { cleanUp } from "./cleanUp";
import { companySignIn } from "./companySignIn";
import { compared } from "./compared";
import { denials } from "./denials";
import { events } from "./events";
import { frame } from "./frame";
import { groups } from "./groups";
import { home } from "./home";
import { hosts } from "./hosts";
import { iam } from "./iam";
import { iamTable } from "./iamTable";
import { keys } from "./keys";
import { lifecycle } from "./lifecycle";
import { organization } from "./organization";
import { policies } from "./policies";
import { policyEditor } from "./policyEditor";
import { providerSettings } from "./providerSettings";
import { providers } from "./providers";
import { readOnly } from "./readOnly";
import { registrySettings } from "./registrySettings";
import { pullThrough } from "./pullThrough";
import { replication } from "./replication";
import { repositories } from "./repositories";
import { repository } from "./repository";
import { roles } from "./roles";
import { signIn } from "./signIn";
import { simulator } from "./simulator";
import { switchRole } from "./switchRole";
import { templates } from "./templates";
import { trace } from "./trace";
import { usage } from "./usage";
import { users } from "./users";
import { whoCan } from "./whoCan";

// One line each, so that changes of several screens merge.
export const strings = {
  accountSettings,
  changed,
  activity,
  cleanUp,
  companySignIn,
  compared,
  denials,
  events,
  frame,
  groups,
  home,
  hosts,
  iam,
  iamTable,
  keys,
  lifecycle,
  organization,
  policies,
  policyEditor,
  providerSettings,
  providers,
  pullThrough,
  readOnly,
  registrySettings,
  replication,
  repositories,
  repository,
  roles,
  signIn,
  simulator,
  switchRole,
  templates,
  trace,
  usage,
  users,
  whoCan,
};
