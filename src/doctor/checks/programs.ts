import { realpath } from "node:fs/promises";
import { dirname } from "node:path";
import {
  declaredFolders,
  isOfOneShell,
  pathFolders,
  programAt,
  programOn,
} from "../../config/resolve/program.ts";
import type { Finding } from "../../model/finding.ts";
import { shellWord } from "../../model/text.ts";
import type { Around } from "../check.ts";
import { counted, named, row } from "../check.ts";
import { addressOf } from "../recorded.ts";

/** Programs that others start by name: what is found in a shell may be missing for servers. */
const COMMON = ["node", "npx", "uvx", "python3"] as const;

interface ProgramsFacts {
  readonly common: readonly {
    readonly name: string;
    /** On the PATH of every server. */
    readonly service: string | undefined;
    /** On the PATH of this shell. */
    readonly shell: string | undefined;
    /** Both lead to the same file. */
    readonly same: boolean;
    /** Servers whose command it is. */
    readonly usedBy: readonly string[];
  }[];
  /** Of all servers on record. */
  readonly servers: readonly {
    readonly address: string;
    readonly program: string;
    /** Why it cannot be run. */
    readonly fault?: string;
    readonly ofOneShell: boolean;
    /** What `--config` finds its configuration; undefined: none declares it. */
    readonly config: string | undefined;
  }[];
}

export const programsCheck = row<ProgramsFacts>({
  id: "programs",
  title: "Programs",
  about:
    "whether the program of each server still exists, and what `node`, `npx`, `uvx` and `python3` are for servers and in this shell",
  async look(around) {
    return {
      common: await Promise.all(COMMON.map((name) => lookFor(name, around))),
      servers: await ofServers(around),
    };
  },
  judge(facts) {
    const { servers } = facts;
    const there = servers.filter(({ fault }) => fault === undefined).length;
    const summary =
      servers.length === 0
        ? "no servers on record"
        : there === servers.length
          ? `${counted(there, "server")}, each has its program`
          : `${there} of ${counted(servers.length, "server")} have their program`;
    return { summary, findings: [...serverFindings(facts), ...commonFindings(facts)] };
  },
});

async function lookFor(
  name: string,
  { env, home, os, recorded }: Around,
): Promise<ProgramsFacts["common"][number]> {
  const folders = declaredFolders({ own: undefined, path: [], machine: { os, home: home ?? "/" } });
  const [service, shell] = await Promise.all([found(folders, name), found(pathFolders(env.PATH), name)]);
  const [a, b] = await Promise.all([service, shell].map((path) => path && realpath(path).catch(() => path)));
  const users = recorded.servers.filter(({ spec }) => spec?.command === name);
  return { name, service, shell, same: a === b, usedBy: users.map(addressOf) };
}

async function found(folders: readonly string[], name: string): Promise<string | undefined> {
  const search = await programOn(folders, name);
  return search.kind === "found" ? search.program : undefined;
}

function ofServers({ recorded: { servers, projects } }: Around): Promise<ProgramsFacts["servers"]> {
  const known = servers.flatMap((server) =>
    server.spec === undefined ? [] : [{ server, spec: server.spec }],
  );
  return Promise.all(
    known.map(async ({ server, spec: { program, command } }) => {
      const search = await programAt(program, command);
      return {
        address: addressOf(server),
        program,
        ...(search.kind === "missing" && { fault: search.message }),
        ofOneShell: isOfOneShell(program),
        config: projects.find(({ name }) => name === server.project)?.record?.config,
      };
    }),
  );
}

function serverFindings({ servers }: ProgramsFacts): Finding[] {
  const gone = servers.filter(({ fault }) => fault !== undefined);
  const fleeting = servers.filter(({ fault, ofOneShell }) => ofOneShell && fault === undefined);
  return [
    ...byConfig(gone).map(
      ({ config, addresses, programs }): Finding => ({
        id: "programs.gone",
        severity: "error",
        what: `${named(addresses)} cannot be started again: ${named(programs)} cannot be run`,
        why: "The program was removed, moved, or is not executable any more. An apply looks for it again, and says where it looks.",
        mend: config === undefined ? null : `xy apply --config ${shellWord(config)}`,
      }),
    ),
    ...byConfig(fleeting).map(
      ({ config, addresses, programs }): Finding => ({
        id: "programs.of-one-shell",
        severity: "warning",
        what: `${named(addresses)} use a program that goes away with one shell: ${named(programs)}`,
        why: "Once that shell exits, the server cannot be started again. An apply uses the folder behind it.",
        mend: config === undefined ? null : `xy apply --config ${shellWord(config)}`,
      }),
    ),
  ];
}

function byConfig(servers: ProgramsFacts["servers"]) {
  return [...new Set(servers.map(({ config }) => config))].map((config) => {
    const those = servers.filter((one) => one.config === config);
    return {
      config,
      addresses: those.map(({ address }) => address),
      programs: [...new Set(those.map(({ program }) => program))],
    };
  });
}

function commonFindings({ common }: ProgramsFacts): Finding[] {
  return common.flatMap(({ name, service, shell, same, usedBy }): Finding[] => {
    if (shell === undefined || same) return [];
    const folder = dirname(shell);
    if (service === undefined)
      return [
        {
          id: "programs.hidden",
          severity: "note",
          what: `${name} is on the PATH of your shell only: ${shell}`,
          why: `A server whose command is ${name} gets it all the same; one that starts ${name} by itself does not, unless its configuration says: path ${JSON.stringify(folder)}`,
          mend: null,
        },
      ];
    if (usedBy.length === 0) return [];
    return [
      {
        id: "programs.differ",
        severity: "note",
        what: `${named(usedBy)}: ${name} is ${service} for servers, and ${shell} in your shell`,
        why: `To use that of your shell, the configuration has to say: path ${JSON.stringify(folder)}`,
        mend: null,
      },
    ];
  });
}
