import { describe, expect, it } from "vitest";
import { agentCheck } from "../../../src/doctor/checks/agent.ts";
import { clientsCheck } from "../../../src/doctor/checks/clients.ts";
import { consentCheck } from "../../../src/doctor/checks/consent.ts";
import { editorCheck } from "../../../src/doctor/checks/editor.ts";
import { leftoversCheck } from "../../../src/doctor/checks/leftovers.ts";
import { loginCheck } from "../../../src/doctor/checks/login.ts";
import { isOlder, nodeCheck } from "../../../src/doctor/checks/node.ts";
import { npxCheck, npxFolder, npxPackages } from "../../../src/doctor/checks/npx.ts";
import { programsCheck } from "../../../src/doctor/checks/programs.ts";
import { stateCheck } from "../../../src/doctor/checks/state.ts";
import { CHECKS } from "../../../src/doctor/checks.ts";
import type { Finding } from "../../../src/model/finding.ts";

/** `severity id: command` of each finding. */
type Told = readonly string[];

const toldIn = ({ findings }: { readonly findings: readonly Finding[] }): Told =>
  findings.map(({ severity, id, mend }) => `${severity} ${id}: ${mend}`);

interface Judging<Facts> {
  readonly id: string;
  judge(facts: Facts): { readonly summary: string; readonly findings: readonly Finding[] };
}

/** What a check says of facts that are as they should be, and of each that are not in one way. */
function judges<Facts>(
  check: Judging<Facts>,
  well: NoInfer<Facts>,
  table: Readonly<Record<string, readonly [Partial<NoInfer<Facts>>, ...Told]>>,
): void {
  describe(check.id, () => {
    it("is content with what is well", () => expect(check.judge(well).findings).toEqual([]));
    it.each(Object.entries(table))("%s", (_, [wrong, ...told]) => {
      const judged = check.judge({ ...well, ...wrong });
      expect(toldIn(judged)).toEqual(told);
      for (const { id, what, why } of judged.findings) {
        expect(id.startsWith(`${check.id}.`)).toBe(true);
        expect(what).not.toMatch(/undefined|NaN|\.$/);
        expect(why).toMatch(/^.*\S.*$/s);
        expect(why).not.toMatch(/undefined|NaN/);
      }
    });
  });
}

const node = "/usr/bin/node";
judges(
  nodeCheck,
  {
    path: node,
    version: "24.1.0",
    needs: "20.19",
    manager: undefined,
    agent: { node, runs: true },
    bridge: { node },
  },
  {
    "a Node that is too old": [{ version: "20.18.3" }, "error node.old: null"],
    "one of a version manager": [
      { version: "18.0.0", manager: "nvm" },
      "error node.old: nvm install --lts",
      "note node.managed: xy agent upgrade --force",
    ],
    "an agent whose Node is gone": [
      { agent: { node, gone: node, runs: true } },
      "error node.agent-gone: xy agent upgrade --force",
    ],
    "the same while none runs": [
      { agent: { node, gone: node, runs: false } },
      "error node.agent-gone: xy agent start",
    ],
    "a bridge whose Node is gone": [
      { bridge: { node, gone: node } },
      "error node.bridge-gone: xy bridge --launcher",
    ],
  },
);

it.each([
  ["20.19.0", "20.19", false],
  ["v20.18.9", "20.19", true],
  ["22.0.0", "20.19", false],
  ["18.20.0", "20.19", true],
  ["20", "20.19", true],
])("Node %s is older than %s: %s", (version, needs, older) => expect(isOlder(version, needs)).toBe(older));

const common = { name: "uvx", service: "/usr/bin/uvx", shell: "/usr/bin/uvx", same: true, usedBy: [] };
const tool = { address: "p/tool", program: "/bin/tool", ofOneShell: false, config: "/home/me/p" };
judges(
  programsCheck,
  {
    common: [common, { ...common, name: "npx", service: "/usr/bin/npx", shell: "/opt/npx", same: false }],
    servers: [tool],
  },
  {
    "a program that is gone": [
      { servers: [tool, { ...tool, fault: "it is gone" }] },
      "error programs.gone: xy apply --config /home/me/p",
    ],
    "one that nothing declares": [
      { servers: [{ ...tool, fault: "gone", config: undefined }] },
      "error programs.gone: null",
    ],
    "a folder of one shell": [
      { servers: [{ ...tool, ofOneShell: true }] },
      "warning programs.of-one-shell: xy apply --config /home/me/p",
    ],
    "a program that only the shell has": [
      { common: [{ ...common, service: undefined, shell: "/opt/uvx", same: false }] },
      "note programs.hidden: null",
    ],
    "one that a server uses, and the shell has another": [
      { common: [{ ...common, shell: "/opt/uvx", same: false, usedBy: ["p/a"] }] },
      "note programs.differ: null",
    ],
  },
);

const GIB = 1 << 30;
const disk = { free: 50 * GIB, inodes: 1e6, on: "/state" };
judges(
  stateCheck,
  { folder: "/state", relative: [], open: [], disk, setAside: [], damaged: [] },
  {
    "no home": [
      { folder: undefined, homeless: "HOME is not set" },
      "error state.no-home: export HOME=/path/to/your/home",
    ],
    "a relative variable": [
      { relative: [{ name: "XDG_STATE_HOME", value: "x" }] },
      "warning state.relative: unset XDG_STATE_HOME",
    ],
    "a folder that is open": [
      { open: [{ text: "others can write to it", command: "chmod go-w /state" }] },
      "error state.open: chmod go-w /state",
    ],
    "another account's": [{ open: [{ text: "it belongs to another account" }] }, "error state.open: null"],
    "an open cache": [
      { openCache: { text: "open", command: "chmod go-w /c" } },
      "warning state.open-cache: chmod go-w /c",
    ],
    "no permission to write": [
      { closed: { path: "/state", isMount: false } },
      "error state.read-only: chmod u+rwx /state",
    ],
    "a read-only file system": [{ closed: { path: "/state", isMount: true } }, "error state.read-only: null"],
    "little room": [
      { disk: { ...disk, free: 100 << 20 } },
      "warning state.no-room: du -xh -d 2 ~ | sort -h | tail",
    ],
    "no room": [{ disk: { ...disk, free: 0 } }, "error state.no-room: du -xh -d 2 ~ | sort -h | tail"],
    "no inodes": [
      { disk: { ...disk, inodes: 3 } },
      "error state.no-room: du -x --inodes -d 2 ~ | sort -n | tail",
    ],
    "no table of inodes": [{ disk: { ...disk, inodes: undefined } }],
    "a damaged record": [
      { damaged: [{ path: "/state/projects/p/project.json" }] },
      "error state.damaged: xy plan",
    ],
    "one that an apply writes": [
      { damaged: [{ path: "/state/x", config: "/p" }] },
      "error state.damaged: xy apply --config /p",
    ],
    "what was set aside": [
      { setAside: [{ path: "/state/a b", from: "/state/a", lost: null }] },
      "warning state.set-aside: rm -r '/state/a b'",
    ],
    "no runtime folder": [{ noRuntime: "/run/user/7" }, "warning state.no-runtime: unset XDG_RUNTIME_DIR"],
    "a long socket": [
      { socket: { path: "/long/xy.sock", bytes: 120, most: 107 } },
      "error state.long-socket: mkdir -m 700 -p ~/.xy-run && export XDG_RUNTIME_DIR=~/.xy-run",
    ],
    "projects that cannot be read": [{ problem: "it is not a folder" }, "error state.unreadable: null"],
  },
);

const info = { pid: 7, version: "1.0.0", upMs: 5000, servers: 2, troubles: [] };
const silent = { info: undefined, pid: undefined, loop: false } as never;
judges(
  agentCheck,
  {
    own: "1.0.0",
    info,
    pid: 7,
    isStopped: false,
    loop: true,
    expected: true,
    recorded: 2,
    log: "/state/agent.log",
  },
  {
    "an older agent": [{ own: "1.1.0" }, "warning agent.old: xy agent upgrade"],
    "no loop": [{ loop: false }, "error agent.no-loop: xy agent stop --keep-servers && xy agent start"],
    "what troubles it": [
      { info: { ...info, troubles: [{ server: "p/a", trouble: "its log cannot be written" }] } },
      "warning agent.trouble: xy why p/a",
    ],
    suspended: [{ info: undefined as never, isStopped: true }, "error agent.stopped: kill -CONT 7"],
    hanging: [{ info: undefined as never, problem: "no answer" }, "error agent.hangs: kill -KILL 7"],
    "a socket of somebody else's": [
      { ...(silent as object), problem: "others can write there" },
      "error agent.unreachable: null",
    ],
    failing: [{ ...(silent as object), loop: true }, "error agent.failing: xy agent start"],
    "gone after a reboot": [silent, "warning agent.away: xy agent start"],
    "stopped on purpose": [{ ...(silent as object), expected: false }, "note agent.away: xy agent start"],
    "none, and nothing for it to do": [{ ...(silent as object), recorded: 0 }],
  },
);

const ours = { is: "ours", enabled: true } as const;
judges(
  loginCheck,
  { manager: "systemd", file: "/u/xy-agent.service", unit: ours, projects: [], lingers: true },
  {
    "not installed, and not needed": [{ unit: { is: "none" }, lingers: false }],
    "a unit of somebody else's": [
      { unit: { is: "foreign" } },
      "warning login.foreign: mv /u/xy-agent.service /u/xy-agent.service.old",
    ],
    "another state folder's": [
      { unit: { is: "other", state: "/o/xy" } },
      "warning login.other: XDG_STATE_HOME=/o xy agent uninstall",
    ],
    "one that runs what is gone": [
      { unit: { ...ours, gone: "/state/agent.sh" } },
      "error login.stale: xy agent install",
    ],
    "one that is not enabled": [
      { unit: { ...ours, enabled: false } },
      "warning login.disabled: systemctl --user enable xy-agent.service",
    ],
    "no linger": [{ lingers: false }, "note login.no-linger: loginctl enable-linger"],
    "units without linger": [
      { unit: { is: "none" }, projects: ["p"], lingers: false },
      "note login.no-linger: loginctl enable-linger",
    ],
    "no manager": [{ unreachable: "it does not answer" }, "error login.unreachable: loginctl enable-linger"],
    "a variable that is not set": [
      { unreachable: "it does not answer", runtime: "/run/user/7" },
      "error login.unreachable: export XDG_RUNTIME_DIR=/run/user/7",
    ],
    "no such thing, as with launchd": [{ manager: "launchd", lingers: undefined }],
  },
);

judges(
  leftoversCheck,
  { units: [], unrecorded: [], keepers: [], lost: [] },
  {
    "a unit of nobody": [
      { units: [{ manager: "systemd", file: "/u/xy.p.a.service", unit: "xy.p.a" }] },
      "warning leftovers.unit: systemctl --user disable --now xy.p.a.service; rm /u/xy.p.a.service",
    ],
    "a run without a record": [
      { unrecorded: ["p/a"] },
      "warning leftovers.unrecorded: xy agent stop --keep-servers && xy agent start",
    ],
    "a keeper of a folder that is gone": [
      { keepers: [{ pid: 9, folder: "/gone" }] },
      "warning leftovers.keeper: kill -KILL -- -9",
    ],
    "a lost root": [
      { lost: [{ project: "p", root: "/gone" }] },
      "warning leftovers.root: xy destroy --project p",
    ],
  },
);

judges(
  npxCheck,
  { looked: 3, broken: [] },
  {
    "an install that a server needs": [
      { broken: [{ folder: "/c/_npx/1", lacks: "package.json", servers: ["p/a"] }] },
      "error npx.broken: rm -rf /c/_npx/1",
    ],
    "one that nobody needs": [
      { broken: [{ folder: "/c/_npx/1", lacks: "node_modules/.bin", servers: [] }] },
      "note npx.broken: rm -rf /c/_npx/1",
    ],
  },
);

it.each([
  [["-y", "@scope/server@1", "--port", "7"], ["@scope/server@1"]],
  [
    ["-y", "-p", "a", "--package=b", "run", "it"],
    ["a", "b"],
  ],
  [["--yes", "--package", "a", "--", "run"], ["a"]],
  [["-c", "echo"], []],
  [[], []],
])("npx %j installs %j", (args, packages) => {
  expect(npxPackages({ command: "npx", program: "/usr/bin/npx", args })).toEqual(packages);
  expect(npxPackages({ command: "node", program: "/usr/bin/node", args })).toEqual([]);
});

it("npx's folder is named as npm names it", () => {
  // As npm 10 and 11 made it.
  expect(npxFolder(["node@24"])).toBe("387698761821791d");
  expect(npxFolder(["b", "a"])).toBe(npxFolder(["a", "b"]));
});

const here = { is: "found", folder: "/p", config: "/p", agreed: true, own: false } as const;
judges(
  consentCheck,
  { agreed: 1, gone: [], here },
  {
    "what is not there any more": [{ gone: ["/old one"] }, "note consent.gone: xy trust --revoke '/old one'"],
    "what nobody has agreed to": [
      { here: { ...here, agreed: false } },
      "note consent.open: xy check --config /p",
    ],
    "the account's own": [{ here: { ...here, agreed: false, own: true } }],
    "no configuration": [{ here: { is: "none" } }],
    "one that others can write to": [
      { here: { is: "unsafe", text: "others can write to /p; run: chmod go-w /p" } },
      "error consent.unsafe: chmod go-w /p",
    ],
    "one of another account": [
      { here: { is: "unsafe", text: "it belongs to another account" } },
      "error consent.unsafe: null",
    ],
  },
);

const cursor = { title: "Cursor", file: "/h/mcp.json", ours: true, entries: [] };
const entry = (is: object, more: object = { owner: "p/a", config: "/p" }) => ({
  clients: [{ ...cursor, entries: [{ name: "a", ...more, is: is as never }] }],
});
judges(
  clientsCheck,
  { files: 1, clients: [cursor] },
  {
    "a file that cannot be read": [
      { clients: [{ ...cursor, problem: "line 1: no" }] },
      "error clients.unreadable: xy clients",
    ],
    "one that xy has nothing in": [
      { clients: [{ ...cursor, ours: false, problem: "no" }] },
      "warning clients.unreadable: null",
    ],
    "one that cannot be written": [
      { clients: [{ ...cursor, closed: true }] },
      "error clients.closed: chmod u+w /h/mcp.json",
    ],
    "a path that is gone": [
      entry({ wrong: "program", path: "/x" }),
      "error clients.program: xy apply --config /p",
    ],
    "the same of a person": [entry({ wrong: "program", path: "/x" }, {}), "error clients.program: null"],
    "another address": [
      entry({ wrong: "address", says: "u", should: "v" }),
      "error clients.address: xy apply --config /p",
    ],
    "a server that is gone": [
      entry({ wrong: "no-server" }),
      "warning clients.no-server: xy apply --config /p",
    ],
    "a project that is gone": [
      entry({ wrong: "no-server" }, { owner: "p/a" }),
      "warning clients.no-server: xy destroy --project p",
    ],
    "an entry that is gone": [entry({ wrong: "missing" }), "warning clients.missing: xy apply --config /p"],
    "one that was changed": [entry({ wrong: "changed" }), "note clients.changed: xy apply --config /p"],
  },
);

judges(
  editorCheck,
  { looked: 1, older: [] },
  {
    "types of an earlier xy": [
      { older: [{ root: "/my p", files: ["xyctl.d.ts"] }] },
      "warning editor.old: xy init --refresh '/my p'",
    ],
  },
);

it("each check has a name of its own, and says what it looks at", () => {
  expect(new Set(CHECKS.map(({ id }) => id)).size).toBe(CHECKS.length);
  for (const { about } of CHECKS) expect(about).not.toBe("");
});
