/** The editors and assistants whose files xy knows. `src/clients/` has how each of them writes its file. */

/** For whom a client's file counts: everything that the account does, or one folder. */
export const SCOPES = ["user", "project"] as const;
export type ClientScope = (typeof SCOPES)[number];

/** Each client, and which files it reads; the first is meant where nothing is said. */
export const CLIENTS = {
  "claude-code": ["user", "project"],
  "claude-desktop": ["user"],
  vscode: ["user", "project"],
  "copilot-cli": ["user", "project"],
  cursor: ["user", "project"],
  codex: ["user", "project"],
  "gemini-cli": ["user", "project"],
  windsurf: ["user"],
  zed: ["user", "project"],
  cline: ["user"],
  continue: ["user"],
  goose: ["user"],
  opencode: ["user", "project"],
  junie: ["user", "project"],
  "lm-studio": ["user"],
  kiro: ["user", "project"],
} as const satisfies Readonly<Record<string, readonly [ClientScope, ...ClientScope[]]>>;

export type ClientName = keyof typeof CLIENTS;
export const CLIENT_NAMES = Object.keys(CLIENTS) as [ClientName, ...ClientName[]];

/** What a client's file is to say about one server. */
export interface DesiredEntry {
  readonly server: string;
  /** Under which the client knows it. */
  readonly name: string;
  /** Where the server answers. */
  readonly url: string;
}

/** A client whose file is to have entries for these servers, and no others of this project. */
export interface DesiredClient {
  readonly client: ClientName;
  readonly scope: ClientScope;
  /** In name order. */
  readonly entries: readonly DesiredEntry[];
}
