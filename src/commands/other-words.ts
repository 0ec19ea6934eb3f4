import { NAME_PATTERN } from "../model/name.ts";

/**
 * Words that people type and xy has no command for, and the commands that do what they may want. NAME stands for what was
 * typed after the word. Nothing of it is ever done: somebody who knows the word from another tool means what it does there.
 */
const SENTENCES: readonly (readonly [words: readonly string[], sentence: string])[] = [
  [
    ["add"],
    "write the server to servers.d/NAME.kdl and run `xy apply`, or take servers over from another tool with `xy import`",
  ],
  [
    ["apply-all", "deploy", "sync", "converge", "reconcile", "switch"],
    "`xy apply` makes the running servers match the configuration",
  ],
  [["attach", "fg", "console"], "servers have no terminal; `xy logs NAME --follow` shows what they print"],
  [
    ["config", "configure", "settings", "set", "edit"],
    "change the files of the configuration in your editor, then run `xy plan`; `xy init` writes a first one",
  ],
  [["convert", "migrate"], "`xy import FILE` reads the files of other tools"],
  [
    ["create", "new"],
    "`xy init` writes a first configuration; another server is another file, servers.d/NAME.kdl",
  ],
  [["deps", "dependencies", "graph"], "`xy tree` shows who depends on whom"],
  [["dev"], "`xy up` runs the servers for as long as the command runs"],
  [["diff", "preview", "changes", "dry-run"], "`xy plan` shows what `xy apply` would change"],
  [
    ["disable", "hold"],
    "`xy stop NAME` stops a server and holds it, across reboots too; `xy agent uninstall` stops starting the agent at login",
  ],
  [
    ["down"],
    "`xy stop --all` stops the servers and holds them until you start them; `xy destroy` removes them from xy",
  ],
  [
    ["enable", "unhold", "release"],
    "`xy start NAME` starts a server and releases it; `xy agent install` starts the agent at login",
  ],
  [
    ["errors", "events", "explain", "debug"],
    "`xy why NAME` says why a server is in its state, `xy logs NAME` shows what it printed",
  ],
  [["exec", "shell", "sh"], "`xy run ACTION` runs a declared action, `xy run -- COMMAND` a command"],
  [
    ["exit", "quit", "shutdown", "halt"],
    "`xy agent stop` stops all servers and the agent, `xy stop --all` stops the servers of this project",
  ],
  [
    ["export", "render", "unit", "units", "systemd", "launchd"],
    "`xy emit systemd` writes units, `xy emit launchd` and `xy emit supervisord` the files of those",
  ],
  [
    ["flush", "clean", "prune", "gc"],
    "`xy forget NAME` removes a server that no configuration declares, `xy job delete` finished jobs",
  ],
  [
    ["health", "healthcheck", "ping", "test"],
    "`xy probe NAME` asks a server whether it is ready, `xy check` validates the configuration",
  ],
  [
    ["install"],
    "`xy agent install` starts the agent at login; `xy import` takes over servers, `xy apply` starts them",
  ],
  [["log", "tail", "output"], "`xy logs NAME` shows what a server printed, with --follow as it comes"],
  [
    ["login", "logout", "auth", "signin"],
    "xy has no accounts; `xy agent install` starts your servers when you log in to this machine",
  ],
  [["mcp"], "`xy url NAME` prints a server's address, `xy clients` shows who is told about it"],
  [["open"], "`xy url NAME` prints a server's address"],
  [["processes", "pid", "pids"], "`xy list` shows the pids, `xy children NAME` all processes of a server"],
  [["pull", "build"], "xy builds and downloads nothing; `xy apply` starts what the configuration declares"],
  [
    ["reboot", "bounce", "cycle"],
    "`xy restart NAME` restarts a server, `xy restart --all` those of this project",
  ],
  [["refresh", "reread"], "`xy reload` applies the configuration without asking"],
  [["resurrect"], "`xy agent start` starts the agent and the servers that were applied last"],
  [
    ["rm", "remove", "delete", "del", "drop", "purge"],
    "delete NAME from the configuration and run `xy apply`; `xy forget NAME` removes a server that no configuration declares, `xy destroy` all of a project",
  ],
  [["save"], "there is nothing to save: what was applied starts again with the agent"],
  [["scale"], "a server runs once; declare another one and run `xy apply`"],
  [["servers"], "`xy list` shows all servers"],
  [
    ["service", "services", "daemon", "agentd"],
    "`xy list` shows the servers, `xy agent status` the agent, which starts by itself; `xy agent install` starts it at login",
  ],
  [
    ["show", "info", "describe", "inspect", "details", "get"],
    "`xy status NAME` shows everything about a server, `xy why NAME` why it is in its state",
  ],
  [["signal"], "`xy kill NAME` kills a server, `xy stop NAME` sends it its stop signal"],
  [["startup", "autostart", "boot"], "`xy agent install` starts the agent, and so the servers, at login"],
  [
    ["top", "htop", "monit", "monitor", "dashboard", "ui"],
    "`xy list --watch` follows the state of all servers, `xy stats` shows what each uses",
  ],
  [["undo", "revert"], "`xy rollback` goes back to the generation before, `xy history` shows all"],
  [
    ["uninstall"],
    "`xy destroy` removes a project's servers, `xy agent uninstall` the start at login, `npm uninstall -g xyctl` xy itself",
  ],
  [
    ["update", "upgrade"],
    "`npm install -g xyctl` installs the newest xy, then `xy agent upgrade` hands the servers over to it",
  ],
  [["validate", "lint", "verify"], "`xy check` validates the configuration"],
  [
    ["watch", "follow"],
    "`xy list --watch` follows the state of all servers, `xy logs NAME --follow` what one prints",
  ],
  [
    ["agent restart", "agent reload"],
    "`xy agent upgrade --force` replaces the agent and keeps the servers running; `xy restart --all` restarts servers",
  ],
  [["agent log", "agent logs"], "its log is agent.log in the folder that `xy agent status` names"],
  [["agent enable"], "`xy agent install` starts the agent at login"],
  [["agent disable", "agent remove"], "`xy agent uninstall` stops starting the agent at login"],
  [
    ["agent kill", "agent down", "agent shutdown"],
    "`xy agent stop` stops the servers and the agent, with --keep-servers the agent only",
  ],
  [["agent version", "agent info"], "`xy agent status` shows its version, pid and files"],
  [["job list", "job ls", "job all"], "`xy jobs` lists jobs"],
  [["job stop", "job kill"], "`xy job cancel NUMBER` cancels a job"],
  [["job rm", "job remove"], "`xy job delete NUMBER` deletes a finished job"],
  [["job status", "job info"], "`xy job show NUMBER` shows everything about a job"],
  [["job run", "job start"], "`xy run ACTION` runs an action, `xy job retry NUMBER` a job again"],
];

export const OTHER_WORDS: ReadonlyMap<string, string> = new Map(
  SENTENCES.flatMap(([words, sentence]) => words.map((word) => [word, sentence] as const)),
);

/** What to type in place of `words`, which begin with one, or two, of {@link OTHER_WORDS}. */
export function insteadOf(words: readonly string[]): string | undefined {
  for (const length of [2, 1]) {
    const sentence = OTHER_WORDS.get(words.slice(0, length).join(" ").toLowerCase());
    if (sentence === undefined) continue;
    const after = words[length];
    const is = (pattern: RegExp) => after !== undefined && pattern.test(after);
    return sentence
      .replaceAll("NAME", is(NAME_PATTERN) ? String(after) : "NAME")
      .replaceAll("NUMBER", is(/^\d{1,15}$/) ? String(after) : "NUMBER");
  }
  return undefined;
}
