import type { AnyCheck } from "./check.ts";
import { agentCheck } from "./checks/agent.ts";
import { clientsCheck } from "./checks/clients.ts";
import { consentCheck } from "./checks/consent.ts";
import { editorCheck } from "./checks/editor.ts";
import { leftoversCheck } from "./checks/leftovers.ts";
import { loginCheck } from "./checks/login.ts";
import { nodeCheck } from "./checks/node.ts";
import { npxCheck } from "./checks/npx.ts";
import { programsCheck } from "./checks/programs.ts";
import { stateCheck } from "./checks/state.ts";

/** All checks, in the order in which they are shown. */
export const CHECKS: readonly AnyCheck[] = [
  nodeCheck,
  programsCheck,
  stateCheck,
  agentCheck,
  loginCheck,
  leftoversCheck,
  npxCheck,
  consentCheck,
  clientsCheck,
  editorCheck,
];
