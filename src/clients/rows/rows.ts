import type { ClientName, ScopeOf } from "../../model/clients.ts";
import type { ClientRow } from "../types.ts";
import * as assistants from "./assistants.ts";
import * as editors from "./editors.ts";

/** All that is known of each client. A client is added here, and its name in model/clients.ts. */
export const CLIENT_ROWS: { readonly [C in ClientName]: ClientRow<ScopeOf<C>> } = {
  "claude-code": assistants.claudeCode,
  "claude-desktop": assistants.claudeDesktop,
  vscode: editors.vscode,
  "copilot-cli": assistants.copilotCli,
  cursor: editors.cursor,
  codex: assistants.codex,
  "gemini-cli": assistants.geminiCli,
  antigravity: editors.antigravity,
  windsurf: editors.windsurf,
  zed: editors.zed,
  cline: editors.cline,
  continue: editors.continueDev,
  goose: assistants.goose,
  opencode: assistants.opencode,
  junie: editors.junie,
  "lm-studio": assistants.lmStudio,
  kiro: editors.kiro,
  amp: assistants.amp,
  crush: assistants.crush,
};
