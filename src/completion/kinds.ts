/**
 * What a value on the command line names. The shell completes files, folders and programs; `text` is not completed.
 * Values that a flag or argument lists as its `options` need no kind.
 */
export type Kind =
  | "server"
  /** A server of the configuration, also one that was never applied. */
  | "selection"
  | "action"
  /** Without its server. */
  | "action name"
  | "project"
  | "job"
  | "open job"
  | "generation"
  /** Of a server, or several with commas between them. */
  | "states"
  | "tag"
  | "agreed root"
  | "file"
  | "folder"
  | "program"
  | "text";

/**
 * The kind of each argument (`name`) and flag (`--only`). A row with a command before it is for that command alone;
 * `…` stands for what follows its last argument, `--` for the words after that. A test fails for one without a kind.
 */
const KIND_OF: Readonly<Record<string, Kind>> = {
  action: "action",
  file: "file",
  files: "file",
  folder: "folder",
  generation: "generation",
  id: "job",
  name: "server",
  plan: "file",
  "--action": "action name",
  "--allow-host": "text",
  "--allow-origin": "text",
  "--backoff-initial": "text",
  "--backoff-max": "text",
  "--capability": "text",
  "--config": "file",
  "--cursor": "job",
  "--env": "text",
  "--except": "selection",
  "--for": "text",
  "--grep": "text",
  "--host": "text",
  "--idle-stop": "text",
  "--keep": "text",
  "--limit": "text",
  "--max-children": "text",
  "--max-sessions": "text",
  "--max-starts": "text",
  "--only": "selection",
  "--out": "file",
  "--path": "text",
  "--port": "text",
  "--project": "project",
  "--reset": "server",
  "--reset-after": "text",
  "--revoke": "agreed root",
  "--server": "server",
  "--sessions": "folder",
  "--since": "text",
  "--state": "states",
  "--tag": "tag",
  "--tail": "text",
  "--token-env": "text",
  "--wait-timeout": "text",
  "bridge …": "text",
  "bridge --": "program",
  "emit --out": "folder",
  "history other": "generation",
  "job cancel id": "open job",
  "run …": "text",
  "run --": "program",
};

/** Of an argument, flag, `…` or `--` of a command; undefined: nobody has said. */
export function kindOf(command: string, what: string): Kind | undefined {
  const own = `${command} ${what}`;
  if (Object.hasOwn(KIND_OF, own)) return KIND_OF[own];
  return Object.hasOwn(KIND_OF, what) ? KIND_OF[what] : undefined;
}

/** Every row, for the test that each is of something. */
export const rows = (): readonly string[] => Object.keys(KIND_OF);
