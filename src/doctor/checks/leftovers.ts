import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { MANAGER_TABLE } from "../../backends/managers.ts";
import { UnitStore } from "../../backends/units/record.ts";
import type { Manager } from "../../model/backends.ts";
import { restingSpec } from "../../model/bare-spec.ts";
import type { Finding } from "../../model/finding.ts";
import { shellWord } from "../../model/text.ts";
import { keptFolder } from "../../system/family.ts";
import { peekRecord } from "../../system/files.ts";
import { processTable } from "../../system/processes.ts";
import { isConfigFile, type LostRoot, lostRoots } from "../../system/projects.ts";
import { survivorsIn } from "../../system/survivors.ts";
import { type Around, named, row } from "../check.ts";
import { addressOf } from "../recorded.ts";

interface LeftoversFacts {
  /** Units that xy wrote, and has no record of. */
  readonly units: readonly { readonly manager: Manager; readonly file: string; readonly unit: string }[];
  /** Servers that run from this state folder, and are not on record there. */
  readonly unrecorded: readonly string[];
  /** Keepers whose state folder is gone, by their process groups. */
  readonly keepers: readonly { readonly pid: number; readonly folder: string }[];
  readonly lost: readonly LostRoot[];
}

export const leftoversCheck = row<LeftoversFacts>({
  id: "leftovers",
  title: "Leftovers",
  about: "units and processes of servers that are on no record, and projects whose folder is gone",
  needsState: true,
  async look(around) {
    const { state = "", recorded } = around;
    const known = new Set(recorded.servers.map(addressOf));
    const survivors = await survivorsIn(state).catch(() => []);
    const unrecorded = survivors.flatMap(({ server }) => {
      const address = server && `${server.project}/${server.name}`;
      return address === undefined || known.has(address) ? [] : [address];
    });
    const names = recorded.projects.map(({ name }) => name);
    return {
      units: await unownedUnits(around),
      unrecorded: [...new Set(unrecorded)],
      keepers: await strayKeepers(),
      lost: lostRoots(state, names, peekRecord),
    };
  },
  judge(facts) {
    const findings = findingsOf(facts);
    return { summary: findings.length === 0 ? "none" : `${findings.length} found`, findings };
  },
});

/** Of the account's own manager. Others have their units where only a configuration says. */
async function unownedUnits({
  env,
  account,
  os,
  state = "",
  recorded,
}: Around): Promise<LeftoversFacts["units"]> {
  if (os === "other") return [];
  const manager = os === "macos" ? "launchd" : "systemd";
  const { format, open } = MANAGER_TABLE[manager];
  const store = new UnitStore(state, "project", manager);
  const opened = await open({
    env,
    account: { ...account, shell: null },
    store,
    site: async () => undefined,
  });
  const fileOf = (project: string, name: string) => opened.fileOf(restingSpec(manager, project, name));
  const known = new Set(
    recorded.servers.flatMap(({ project, name, backend }) =>
      backend === manager ? [fileOf(project, name)] : [],
    ),
  );
  const folder = dirname(fileOf("project", "name"));
  const isOurs = (file: string) => {
    const text = textOf(file);
    return text !== undefined && format.isOurs(text);
  };
  return entriesOf(folder).flatMap((entry) => {
    const unit = /^(xy\.[\w-]+\.[\w-]+)\.(?:service|plist)$/.exec(entry)?.[1];
    const file = join(folder, entry);
    return unit === undefined || known.has(file) || !isOurs(file) ? [] : [{ manager, file, unit }];
  });
}

function entriesOf(folder: string): string[] {
  try {
    return readdirSync(folder).sort();
  } catch {
    return [];
  }
}

function textOf(file: string): string | undefined {
  try {
    return statSync(file).isFile() ? readFileSync(file, "utf8") : undefined;
  } catch {
    return undefined;
  }
}

/** A keeper was started with its run folder: `STATE/projects/…`. */
async function strayKeepers(): Promise<LeftoversFacts["keepers"]> {
  const { rows } = await processTable();
  return rows.flatMap(({ pid, group }) => {
    const dir = pid === group ? keptFolder(pid) : undefined;
    const folder =
      dir === undefined ? undefined : /^(\/.*)\/projects\/[^/]+\/(?:servers|jobs)\//.exec(dir)?.[1];
    return folder === undefined || existsSync(folder) || !isOwn(pid) ? [] : [{ pid, folder }];
  });
}

/** Of this account, and with the same view of the file system: a container has other folders of the same names. */
function isOwn(pid: number): boolean {
  try {
    const [own, its] = ["self", String(pid)].map((one) => statSync(`/proc/${one}/ns/mnt`).ino);
    return own === its && statSync(`/proc/${pid}`).uid === process.getuid?.();
  } catch {
    return false;
  }
}

function findingsOf({ units, unrecorded, keepers, lost }: LeftoversFacts): Finding[] {
  return [
    ...units.map(
      ({ manager, file, unit }): Finding => ({
        id: "leftovers.unit",
        severity: "warning",
        what: `no record here says whose this unit is: ${file}`,
        why: "Its record was lost, another state folder has it, or `xy emit` wrote it. If nobody needs it, this stops and removes it.",
        mend:
          manager === "systemd"
            ? `systemctl --user disable --now ${unit}.service; rm ${shellWord(file)}`
            : `launchctl bootout gui/$UID/${unit}; rm ${shellWord(file)}`,
      }),
    ),
    ...(unrecorded.length === 0
      ? []
      : [
          {
            id: "leftovers.unrecorded",
            severity: "warning",
            what: `${named(unrecorded)} ${unrecorded.length === 1 ? "runs" : "run"} without a record`,
            why: "The records were lost. An agent takes such servers over when it starts, and then they can be listed and stopped.",
            mend: "xy agent stop --keep-servers && xy agent start",
          } as const,
        ]),
    ...keepers.map(
      ({ pid, folder }): Finding => ({
        id: "leftovers.keeper",
        severity: "warning",
        what: `pid ${pid} keeps a server of a state folder that is gone: ${folder}`,
        why: "No agent can take it over any more. This ends it and its server.",
        mend: `kill -KILL -- -${pid}`,
      }),
    ),
    ...lost.map(
      ({ project, root }): Finding => ({
        id: "leftovers.root",
        severity: "warning",
        what: `the ${isConfigFile(root) ? "file" : "folder"} of project ${project} is gone: ${root}`,
        why: "If it was moved, `xy plan` in its new place shows how to go on. Otherwise this removes its servers.",
        mend: `xy destroy --project ${project}`,
      }),
    ),
  ];
}
