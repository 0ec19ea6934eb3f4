import { join } from "node:path";
import * as fc from "fast-check";
import { expect, it } from "vitest";
import { MANAGER_TABLE } from "../../../src/backends/managers.ts";
import { lossesOf } from "../../../src/backends/render/losses.ts";
import { literal } from "../../../src/config/check/templates.ts";
import { parseDotenv } from "../../../src/config/read/dotenv.ts";
import { serverText } from "../../../src/config/write/server-text.ts";
import { importedFrom } from "../../../src/importing/import.ts";
import { dotenvText } from "../../../src/importing/secrets-file.ts";
import type { Manager } from "../../../src/model/backends.ts";
import { isBridged } from "../../../src/model/launch.ts";
import type { ServerSpec } from "../../../src/model/spec.ts";
import { seedOf as seeded } from "../../rig/units.ts";
import { folderWith, resolvedFrom } from "../config/rig.ts";

/**
 * What `xy emit` writes comes back to the same desired state, but for what the table of capabilities says is lost, and
 * for what no unit has a place for.
 */

const COUNT = 300;
/** Only systemd has a place for a description. */
const NOWHERE = [
  "readiness",
  "liveness",
  "startTimeout",
  "tags",
  "actions",
  "when",
  "on",
  "backend",
  "class",
  "name",
  "project",
  "command",
];

const PIECES = [
  ..." \t\n\"'%$\\;#&<>=,:@!-+~|*?[]{}()`/a0",
  "%%",
  "%h",
  "%(here)s",
  "$HOME",
  "$" + "{X}",
  "$$",
  "\\n",
  "\\x41",
  " ;",
  "\n ",
  "é",
  "漢字",
  "🙂",
  "{port}",
  "{{name}}",
  "{home}",
  "{env.X}",
];
const text = fc.array(fc.constantFrom(...PIECES), { maxLength: 8 }).map((some) => some.join(""));
const seconds = fc.integer({ min: 1, max: 3600 }).map((count) => `${count}s`);

const server = fc.record(
  {
    args: fc.array(text, { maxLength: 5 }),
    env: fc.dictionary(fc.stringMatching(/^(?:V_[A-Z0-9_]{0,6}|S_TOKEN|W_DIR)$/), text, { maxKeys: 5 }),
    description: fc.stringMatching(/^[a-z %$"'()\\-]{0,20}$/).map((one) => one.trim()),
    umask: fc.integer({ min: 0, max: 0o777 }).map((mask) => mask.toString(8).padStart(3, "0")),
    limits: fc.record({ openFiles: fc.integer({ min: 64, max: 4096 }) }),
    restart: fc.record({
      policy: fc.constantFrom("on-failure", "always", "never"),
      backoffInitial: seconds,
      maxRetriesPerMinute: fc.integer({ min: 1, max: 900 }),
      successExitCodes: fc.uniqueArray(fc.integer({ min: 0, max: 255 }), { minLength: 1, maxLength: 4 }),
    }),
    stop: fc.record({ signal: fc.constantFrom("SIGTERM", "SIGINT", "SIGHUP"), grace: seconds }),
    wanted: fc.constantFrom("start", "stop"),
    workingDir: fc.constantFrom("/", "/tmp", "~", "~/a b", "/tmp/{{host}}"),
    mcp: fc.record(
      {
        transport: fc.constant("stdio"),
        path: fc.constantFrom("/mcp", "/a%20b", "/{name}"),
        share: fc.constantFrom("session", "all"),
        idleStop: seconds,
        maxSessions: fc.integer({ min: 1, max: 99 }),
        allowHosts: fc.constantFrom(["a.example"], ["a.example", "b.example"]),
        allowOrigins: fc.constant(["https://app.example"]),
      },
      { requiredKeys: ["transport"] },
    ),
    logs: fc.record({
      maxSize: fc.constantFrom("64KiB", "10MiB", "1GiB"),
      keep: fc.integer({ min: 0, max: 50 }),
    }),
  },
  { requiredKeys: ["args", "env"] },
);

it.each<Manager>(["systemd", "launchd", "supervisord"])(
  "what is emitted for %s comes back",
  async (manager) => {
    const seed = seeded(`import of ${manager}`);
    const generated = fc.sample(server, { numRuns: COUNT, seed });
    const files = await Promise.all(
      generated.map(async (one, i) => {
        const isLast = i === 0;
        const settings = {
          ...one,
          command: "/bin/sh",
          port: one.mcp ? 20_000 + i : "none",
          args: one.args.map(literal),
          env: Object.fromEntries(Object.entries(one.env).map(([name, value]) => [name, literal(value)])),
          ...(isLast ? {} : { dependsOn: [`s${i - 1}`] }),
          restart: { ...one.restart, ...(one.restart && { backoffMax: one.restart.backoffInitial }) },
        };
        return [`servers.d/s${i}.json`, await serverText(settings, "json")] as const;
      }),
    );
    const first = (await resolvedFrom({ "xy.config.kdl": 'project "p"\n', ...Object.fromEntries(files) }))
      .desired.servers;
    expect(first.length).toBe(COUNT);
    const { format } = MANAGER_TABLE[manager];
    const sound = first.filter((spec) => format.faults(factsOf(spec)).length === 0);
    expect(sound.length).toBeGreaterThan(COUNT / 2);
    expect(sound.filter(isBridged).length).toBeGreaterThan(COUNT / 5);
    const secretsOf = new Map<string, ReadonlyMap<string, string>>();
    const again: Record<string, string> = { "xy.config.kdl": 'project "p"\n' };
    const folder = folderWith();
    for (const spec of sound) {
      const file = join(folder, format.fileName(spec));
      const { drafts, others } = await importedFrom(await format.render(factsOf(spec)), {
        file,
        folder,
        home: "/home/ann",
      });
      expect(others).toEqual([]);
      const [draft] = drafts;
      expect(draft?.name).toBe(spec.name);
      secretsOf.set(spec.name, parseDotenv(dotenvText(draft?.secrets ?? new Map())).values);
      const known = draft?.fields.dependsOn?.filter((other) => sound.some(({ name }) => name === other));
      again[`servers.d/${spec.name}.kdl`] = await serverText(
        { ...draft?.fields, dependsOn: known },
        "kdl",
        draft?.remarks,
      );
    }
    const second = new Map((await resolvedFrom(again)).desired.servers.map((spec) => [spec.name, spec]));
    for (const spec of sound) {
      const back = second.get(spec.name);
      const lost = lossesOf(spec, manager, false).map(({ field }) => field);
      const more = manager === "systemd" ? [] : ["description"];
      const env = { ...back?.env, ...Object.fromEntries(secretsOf.get(spec.name) ?? []) };
      expect([spec.name, kept({ ...(back as ServerSpec), env }, [...lost, ...more])]).toEqual([
        spec.name,
        kept(spec, [...lost, ...more], sound),
      ]);
    }
  },
);

const factsOf = (spec: ServerSpec) => ({
  spec,
  envFiles: [],
  home: "/home/ann",
  user: "ann",
  launcher: "/home/ann/.local/state/xy/bridge.sh",
});

const toCamel = (key: string) => key.replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase());

/** A spec without what is lost. */
function kept(spec: ServerSpec, lost: readonly string[], sound?: readonly ServerSpec[]): object {
  const copy: Record<string, unknown> = structuredClone(spec);
  // What nobody waits for, or asks about.
  const restart = copy.restart as Record<string, unknown>;
  if (restart.policy === "never") copy.restart = { policy: "never" };
  else if (restart.policy === "always") delete restart.successExitCodes;
  else (restart.successExitCodes as number[]).sort((a, b) => a - b);
  for (const key of NOWHERE) delete copy[key];
  // Where the first wait is lost, there is no longest one to come back either.
  const all = lost.includes("restart.backoff-initial") ? [...lost, "restart.backoff-max"] : lost;
  for (const field of all) {
    const [block = "", key] = field.split(".").map(toCamel);
    if (key === undefined) delete copy[block];
    else delete (copy[block] as Record<string, unknown> | undefined)?.[key];
  }
  if (sound && Array.isArray(copy.dependsOn))
    copy.dependsOn = copy.dependsOn.filter(({ server }) => sound.some(({ name }) => name === server));
  return copy;
}
