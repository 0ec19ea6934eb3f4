import { describe, expect, it } from "vitest";
import { MANAGER_TABLE } from "../../../src/backends/managers.ts";
import { CAPABILITIES, FOR_XY } from "../../../src/backends/render/capabilities.ts";
import { lossesOf } from "../../../src/backends/render/losses.ts";
import type { UnitFacts } from "../../../src/backends/render/unit.ts";
import { MANAGERS, type Manager } from "../../../src/model/backends.ts";
import { serverSpec } from "../../rig/spec.ts";
import { factsOf } from "../../rig/units.ts";

const spec = serverSpec("web", "/bin/web", ["--name", "it's"], { env: { A: "1", B: 'say "hi"' } });
const render = (manager: Manager, over: Partial<UnitFacts> = {}) =>
  MANAGER_TABLE[manager].format.render(factsOf(spec, over));

const RESTART = { backoffInitial: 10, backoffMax: 100, maxRetriesPerMinute: 5, resetAfter: 10 };
const withPolicy = (policy: "always" | "never" | "on-failure", successExitCodes = [0]) => ({
  spec: { ...spec, restart: { ...RESTART, policy, successExitCodes } },
});

describe("a unit", () => {
  it.each(MANAGERS)("of %s is the same each time, says whose it is, and is known again", async (manager) => {
    const text = await render(manager);
    expect(await render(manager)).toBe(text);
    expect(MANAGER_TABLE[manager].format.fileName(spec)).toMatch(/^xy\.p\.web\.(service|plist|conf)$/);
    expect(MANAGER_TABLE[manager].format.isOurs(text)).toBe(true);
    for (const other of MANAGERS.filter((one) => one !== manager))
      expect(MANAGER_TABLE[other].format.isOurs(text)).toBe(false);
    const changed = await render(manager, { spec: { ...spec, args: [] } });
    const hash = /[0-9a-f]{64}/;
    expect(hash.exec(changed)?.[0]).not.toBe(hash.exec(text)?.[0]);
  });

  it.each([
    ["always", [0], ["Restart=always"], ["RestartForceExitStatus", "SuccessExitStatus"]],
    ["never", [0], ["Restart=no"], ["RestartSec", "RestartForceExitStatus"]],
    [
      "on-failure",
      [0, 3],
      ["Restart=on-failure", "SuccessExitStatus=3", "RestartForceExitStatus=SIGHUP SIGINT SIGTERM SIGPIPE\n"],
      [],
    ],
    ["on-failure", [3], ["RestartForceExitStatus=SIGHUP SIGINT SIGTERM SIGPIPE 0\n"], []],
  ] as const)("of systemd restarts %s, with %j as success", async (policy, codes, has, hasNot) => {
    const text = await render("systemd", withPolicy(policy, [...codes]));
    for (const line of has) expect(text).toContain(line);
    for (const line of hasNot) expect(text).not.toContain(line);
  });

  it("of systemd waits in milliseconds, and never for ever", async () => {
    const stopping = async (grace: number) =>
      /TimeoutStopSec=(.*)/.exec(
        await render("systemd", { spec: { ...spec, stop: { ...spec.stop, grace } } }),
      )?.[1];
    expect(await stopping(1500)).toBe("1500ms");
    expect(await stopping(0)).toBe("1ms");
  });

  it("of systemd refers to secrets, and has none", async () => {
    const env = { TOKEN: { secret: { command: "op read\n[Service]" }, hmac: "" } };
    const text = await render("systemd", { spec: { ...spec, env }, envFiles: ["/home/me/a\n.env"] });
    expect(text).toContain('#   TOKEN: the output of "op read\\n[Service]"\n');
    expect(text).toContain('#   what is in "/home/me/a\\n.env" and is not set above\n');
    expect(text).toContain("\nEnvironmentFile=%E/xy/secrets/xy.p.web.env\n");
  });

  it.each(["launchd", "supervisord"] as const)("of %s cannot refer to secrets", (manager) => {
    const env = { TOKEN: { secret: { env: "T" }, hmac: "" } };
    const faults = MANAGER_TABLE[manager].format.faults(factsOf({ ...spec, env }, { envFiles: ["/a.env"] }));
    expect(faults.map(({ path }) => path)).toEqual([
      ["env", "TOKEN"],
      ["envFile", 0],
    ]);
  });

  it("of supervisord gives values with quotes by env, and the others by itself", async () => {
    const text = await render("supervisord");
    expect(text).toContain('command="/usr/bin/env" "B=say \\"hi\\"" "/bin/web" "--name" "it\'s"\n');
    expect(text).toContain('environment=A="1"\n');
  });

  it.each([
    ["always", /<key>KeepAlive<\/key>\n {2}<true\/>/],
    ["on-failure", /<key>SuccessfulExit<\/key>\n {4}<false\/>/],
    ["never", /<key>ExitTimeOut<\/key>\n.*\n {2}<key>RunAtLoad<\/key>/],
  ] as const)("of launchd restarts %s", async (policy, has) => {
    expect(await render("launchd", withPolicy(policy))).toMatch(has);
  });

  it("of a server that is not wanted does not start by itself", async () => {
    const stopped = { spec: { ...spec, wanted: "stop" as const } };
    expect(await render("systemd", stopped)).not.toContain("[Install]");
    expect(await render("launchd", stopped)).toContain("<key>Disabled</key>\n  <true/>");
    expect(await render("supervisord", stopped)).toContain("autostart=false\n");
  });
});

describe("what a format cannot carry is named with its place", () => {
  it.each([
    ["systemd", { program: "/it's" }, ["command"]],
    ["systemd", { args: ["", "\ufffe"] }, ["args", 1]],
    ["systemd", { workingDir: "/a\nb" }, ["workingDir"]],
    ["systemd", { workingDir: "/a " }, ["workingDir"]],
    ["systemd", { args: Array(11).fill("x".repeat(100_000)) }, ["args"]],
    ["launchd", { env: { A: "\u001b[1m" } }, ["env", "A"]],
    ["launchd", { args: ["\ud800"] }, ["args", 0]],
    ["supervisord", { args: ["a\rb"] }, ["args", 0]],
    ["supervisord", { program: "/a=b", env: { Q: '"' } }, ["command"]],
  ] as const)("%s: %j", (manager, over, path) => {
    const faults = MANAGER_TABLE[manager].format.faults(factsOf({ ...spec, ...over } as typeof spec));
    expect(faults).toEqual([{ path, message: expect.stringMatching(/^cannot write .*; .* the agent$/) }]);
  });
});

describe("what a manager can express", () => {
  it("is said of every field of a server", () => {
    const kebab = (key: string) => key.replace(/[A-Z]/g, (char) => `-${char.toLowerCase()}`);
    const fields = Object.entries(spec).flatMap(([key, value]) =>
      ["restart", "stop", "logs", "limits"].includes(key)
        ? Object.keys(value as object).map((inner) => `${key}.${kebab(inner)}`)
        : [kebab(key)],
    );
    const said = [...CAPABILITIES.map(({ field }) => field), ...FOR_XY.map(kebab)];
    expect(fields.filter((field) => !said.includes(field))).toEqual([]);
  });

  it.each([
    ["systemd", ["restart.backoff-max", "restart.reset-after", "restart.max-retries-per-minute"]],
    [
      "launchd",
      [
        "restart.backoff-initial",
        "restart.backoff-max",
        "restart.reset-after",
        "restart.max-retries-per-minute",
        "logs.max-size",
        "logs.keep",
      ],
    ],
  ] as const)("%s: what is lost of a plain server", (manager, fields) => {
    const plain = { ...spec, logs: { maxSize: 10 * 2 ** 20, keep: 5 } };
    const lost = lossesOf(plain, manager, false);
    expect(lost.map(({ field }) => field)).toEqual(fields);
    for (const { message } of lost)
      expect(message).toMatch(new RegExp(`^${manager} (cannot express|expresses) `));
  });

  it("loses nothing of a server that asks for nothing more", () => {
    const modest = {
      ...spec,
      restart: { ...spec.restart, policy: "never" as const },
      logs: { maxSize: 10 * 2 ** 20, keep: 5 },
    };
    expect(lossesOf(modest, "systemd", false)).toEqual([]);
    expect(lossesOf(modest, "supervisord", false)).toEqual([]);
  });
});
