import { existsSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import type { AgentService } from "../../backends/agent/service.ts";
import { serviceOf } from "../../backends/agent/services.ts";
import type { Finding } from "../../model/finding.ts";
import { shellWord } from "../../model/text.ts";
import { isTaken, textIfFile } from "../../system/files.ts";
import { agentLoopPath } from "../../system/paths.ts";
import { counted, named, row } from "../check.ts";

interface LoginFacts {
  readonly manager: AgentService["kind"];
  /** Where the agent's unit belongs. */
  readonly file: string;
  readonly unit:
    | { readonly is: "none" }
    /** Not xy's. */
    | { readonly is: "foreign" }
    /** For the agent of another state folder. */
    | { readonly is: "other"; readonly state: string }
    /** `enabled`: it is started at login. `gone`: what it runs, if that is not there. */
    | { readonly is: "ours"; readonly enabled: boolean; readonly gone?: string };
  /** Projects with servers that the account's manager runs as units. */
  readonly projects: readonly string[];
  /** Why the manager cannot be reached; asked only where something needs it. */
  readonly unreachable?: string;
  /** Whether the account's manager runs without a login; undefined: it cannot. */
  readonly lingers: boolean | undefined;
  /** The runtime folder exists, and this environment does not name it. */
  readonly runtime?: string;
}

export const loginCheck = row<LoginFacts>({
  id: "login",
  title: "Login start",
  about:
    "whether the agent's unit is enabled and runs what exists, whether the account's service manager answers, and whether it lingers; only where something needs it",
  needsState: true,
  async look({ env, state = "", account, recorded, ask }) {
    const service = serviceOf(env, ask);
    const { kind: manager, file } = service;
    const projects = [
      ...new Set(
        recorded.servers
          .filter(({ backend, spec }) => backend === manager && spec?.class !== "system")
          .map(({ project }) => project),
      ),
    ];
    const unit = unitOf(service, state);
    const isNeeded = unit.is === "ours" || projects.length > 0;
    const unreachable = isNeeded ? await service.unreachable() : undefined;
    const usual = `/run/user/${account.uid}`;
    return {
      ...{ manager, file, unit, projects, lingers: service.startsAtBoot() },
      ...(unreachable !== undefined && { unreachable }),
      ...(env.XDG_RUNTIME_DIR !== usual && existsSync(usual) && { runtime: usual }),
    };
  },
  judge(facts) {
    return { summary: summaryOf(facts), findings: findingsOf(facts) };
  },
});

function unitOf(service: AgentService, state: string): LoginFacts["unit"] {
  const { file } = service;
  const text = textIfFile(file);
  if (text === undefined) return { is: isTaken(file) ? "foreign" : "none" };
  const owner = service.stateIn(text);
  if (owner === undefined) return { is: "foreign" };
  if (owner !== state) return { is: "other", state: owner };
  const gone = [agentLoopPath(state)].find((path) => !existsSync(path) || !text.includes(path));
  const link = join(dirname(file), "default.target.wants", basename(file));
  const enabled = service.kind === "launchd" || isTaken(link);
  return { is: "ours", enabled, ...(gone !== undefined && { gone }) };
}

function summaryOf({ manager, unit, projects }: LoginFacts): string {
  const units = projects.length === 0 ? "" : `, and runs units of ${named(projects)}`;
  switch (unit.is) {
    case "none":
      return projects.length === 0
        ? "not installed (`xy agent install` starts the agent at login)"
        : `${manager} runs units of ${named(projects)}`;
    case "ours":
      return `${manager} starts the agent${units}`;
    case "foreign":
    case "other":
      return `not for this agent${units}`;
  }
}

function findingsOf(facts: LoginFacts): Finding[] {
  return [...unitFindings(facts), ...managerFindings(facts)];
}

function unitFindings({ manager, file, unit }: LoginFacts): Finding[] {
  switch (unit.is) {
    case "none":
      return [];
    case "foreign":
      return [
        {
          id: "login.foreign",
          severity: "warning",
          what: `xy did not write what is in the place of the agent's unit: ${file}`,
          why: "`xy agent install` refuses to replace it. A masked unit is a link to /dev/null.",
          mend: `mv ${shellWord(file)} ${shellWord(`${file}.old`)}`,
        },
      ];
    case "other":
      return [
        {
          id: "login.other",
          severity: "warning",
          what: `the agent that starts at login is that of another state folder: ${unit.state}`,
          why: "The agent of this one does not start at login until the other is uninstalled.",
          mend: `XDG_STATE_HOME=${shellWord(dirname(unit.state))} xy agent uninstall`,
        },
      ];
    case "ours": {
      if (unit.gone !== undefined)
        return [
          {
            id: "login.stale",
            severity: "error",
            what: `the agent's unit runs what is not there: ${unit.gone}`,
            why: "The agent does not start at login.",
            mend: "xy agent install",
          },
        ];
      if (unit.enabled) return [];
      return [
        {
          id: "login.disabled",
          severity: "warning",
          what: `the agent's unit is installed, and not enabled: ${file}`,
          why: "The agent does not start at login.",
          mend: `${manager === "systemd" ? "systemctl --user enable" : "launchctl enable"} ${basename(file)}`,
        },
      ];
    }
  }
}

function managerFindings({ manager, unit, projects, unreachable, lingers, runtime }: LoginFacts): Finding[] {
  const who = [
    ...(unit.is === "ours" ? ["the agent"] : []),
    ...(projects.length > 0 ? [`the servers of ${counted(projects.length, "project")}`] : []),
  ];
  if (who.length === 0) return [];
  const found: Finding[] = [];
  if (unreachable !== undefined)
    found.push({
      id: "login.unreachable",
      severity: "error",
      what: unreachable,
      why: `${manager} is to run ${named(who)} (${projects.length > 0 ? named(projects) : "installed"}). Without it nothing of that can be started, stopped or looked at.`,
      mend:
        runtime !== undefined
          ? `export XDG_RUNTIME_DIR=${runtime}`
          : manager === "systemd"
            ? "loginctl enable-linger"
            : null,
    });
  if (lingers === false)
    found.push({
      id: "login.no-linger",
      severity: "note",
      what: `${named(who)} stop when you log out, and start when you log in`,
      why: "With this they start at boot, and stay.",
      mend: "loginctl enable-linger",
    });
  return found;
}
