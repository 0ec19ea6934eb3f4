/** Where a client looks for servers: in a file of the account's, or in one in a project's folder. */
export const SCOPES = ["user", "project"] as const;
export type Scope = (typeof SCOPES)[number];

/** The MCP clients whose files xy knows, in the order in which they are shown, with the scopes that each has; the first is the default. */
export const CLIENT_SCOPES = {
  "claude-code": ["user", "project"],
  "claude-desktop": ["user"],
  vscode: ["user", "project"],
  "copilot-cli": ["user", "project"],
  cursor: ["user", "project"],
  codex: ["user", "project"],
  "gemini-cli": ["user", "project"],
  antigravity: ["user"],
  windsurf: ["user"],
  zed: ["user", "project"],
  cline: ["user"],
  continue: ["user"],
  goose: ["user"],
  opencode: ["user", "project"],
  junie: ["user", "project"],
  "lm-studio": ["user"],
  kiro: ["user", "project"],
  amp: ["user"],
  crush: ["user"],
} as const satisfies Readonly<Record<string, readonly [Scope, ...Scope[]]>>;

export type ClientName = keyof typeof CLIENT_SCOPES;
export type ScopeOf<C extends ClientName> = (typeof CLIENT_SCOPES)[C][number];
export const CLIENT_NAMES = Object.keys(CLIENT_SCOPES) as readonly ClientName[];
