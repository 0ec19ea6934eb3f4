import * as fs from "node:fs";
import { basename, dirname, join } from "node:path";
import { SET_ASIDE } from "./files.ts";
import { projectDir } from "./paths.ts";
import { namedFolders, recordedProjects } from "./projects.ts";

/** A record that could not be trusted, and was moved out of the way. */
export interface SetAside {
  /** Where it is now. */
  readonly path: string;
  /** Where it was. */
  readonly from: string;
  /** What is lost without it, in words; null if xy makes it again. */
  readonly lost: string | null;
}

/**
 * Everything that was set aside in a state folder, or what concerns one project: its own records, and shared ones. Only
 * looks into folders that hold records; one that cannot be read is skipped.
 */
export function setAsides(state: string, project?: string): SetAside[] {
  const projects = project === undefined ? recordedProjects(state) : [project];
  const folders = [
    ...["", "clients", "trust", "locks", "projects"].map((name) => join(state, name)),
    ...namedFolders(join(state, "clients")).map((name) => join(state, "clients", name)),
    ...projects.flatMap((name) => foldersOf(projectDir(state, name))),
  ];
  return folders.flatMap(inFolder);
}

function foldersOf(dir: string): string[] {
  const below = ["servers", "units", "jobs/servers", "jobs/actions"].map((name) => join(dir, name));
  return [
    ...[dir, join(dir, "jobs"), join(dir, "jobs/inline"), ...below],
    ...below.flatMap((folder) => namedFolders(folder).map((name) => join(folder, name))),
  ];
}

function inFolder(dir: string): SetAside[] {
  return entriesIn(dir).flatMap((entry) => {
    const at = entry.indexOf(SET_ASIDE);
    if (at < 1) return [];
    const from = join(dir, entry.slice(0, at));
    return [{ path: join(dir, entry), from, lost: lostWith(from) }];
  });
}

function entriesIn(dir: string): string[] {
  try {
    return fs.readdirSync(dir);
  } catch {
    return [];
  }
}

const LOST: Readonly<Record<string, string | null>> = {
  "agent.failed": null,
  "agent.json": null,
  "agent.lock": null,
  "agent.loop": null,
  "agent.log": "the agent's earlier messages",
  "agent.next": null,
  "agent.previous": null,
  "agent.program": null,
  "agent.programs": null,
  "agent.sh": null,
  "bridge.program": null,
  "bridge.sh": null,
  "jobs.next": "the number of the next job: numbering continues after the newest known one",
  "project.json":
    "which folder the project belongs to, and the ports chosen for servers: one may get another port",
  "state.json":
    "whether a person had stopped it, how often it was restarted, and how its last run ended; stop it again if it should not run",
  "spec.json": "what was applied: apply it again, or repeat the `xy run --keep` that added it",
  "actions.json": "its actions: apply them again",
  "schedule.json": "when its schedules were last checked",
  "client-file.json": "which entries of a client's file are xy's: `xy clients` shows them as somebody else's",
  clients: "which entries of clients' files are xy's: `xy clients` shows them as somebody else's",
  "backends.json": "how supervisord was reached",
  journal: "its jobs",
  jobs: "the project's jobs",
  inline: "the jobs of commands that were typed",
  log: "its earlier output",
  run: "how its last runs ended, if that was not recorded yet",
  "journal.unread": "those of its jobs that could not be read",
  key: "the key for comparing secrets: each secret counts as changed once, and its server restarts with the next apply",
  locks: null,
  projects: "every project",
  ready: null,
  trust: "your consent to configurations: xy asks again",
};

function lostWith(from: string): string | null {
  const known = LOST[basename(from)];
  if (known !== undefined) return known;
  const folder = basename(dirname(from));
  if (folder === "trust") return "your consent to a configuration: xy asks again";
  if (folder === "locks") return null;
  if (basename(dirname(dirname(from))) === "units") return "what was applied: apply it again";
  return "what was in it";
}

/** A sentence for people. */
export function setAsideText({ path, from, lost }: SetAside): string {
  const without = lost === null ? "nothing was lost with it" : `lost with it: ${lost}`;
  return `${from} was damaged and set aside as ${basename(path)}; ${without}. Remove ${path} once you have seen this`;
}
