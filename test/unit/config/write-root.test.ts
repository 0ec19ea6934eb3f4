import { describe, expect, it } from "vitest";
import { withServers } from "../../../src/config/write/root-text.ts";
import { resolvedFrom } from "./rig.ts";

const WEB = {
  name: "web",
  settings: {
    command: "sh",
    port: "none",
    args: ["-c", "a\nb"],
    env: { A_B: "1" },
    dependsOn: [{ server: "db", condition: "started" }],
  },
  remarks: ["It is a line for a shell."],
};
const MORE = { name: "more", settings: { command: "sh", port: "none" }, remarks: [] };

/** A root before, and the file that it is. */
const ROOTS: readonly (readonly [what: string, file: string, text: string])[] = [
  ["KDL", "xy.config.kdl", '// mine\nproject "p"\nserver "db" { command "sh"; port "none"; }'],
  ["KDL without servers", "xy.config.kdl", 'project "p"\n'],
  [
    "YAML",
    "xy.config.yaml",
    "project: p # mine\nservers:\n    db:\n        command: sh\n        port: none # no\n\n# after\ndefaults:\n    umask: '077'\n",
  ],
  ["YAML without servers", "xy.config.yaml", "project: p"],
  [
    "JSON",
    "xy.config.json",
    '{\n\t"project": "p",\n\t"servers": {\n\t\t"db": { "command": "sh", "port": "none" }\n\t}\n}\n',
  ],
  ["JSON without servers", "xy.config.json", '{ "project": "p" }\n'],
];

describe("servers written into a root's own file", () => {
  it.each(ROOTS)("of %s are there, and nothing else has changed", async (_what, file, text) => {
    const format = file.split(".").at(-1) as "kdl" | "yaml" | "json";
    const has = text.includes("db");
    const web = { ...WEB, settings: has ? WEB.settings : { ...WEB.settings, dependsOn: undefined } };
    const after = await withServers(text, format, [web, MORE]);
    // Every line of before is there, in its order; the blanks of JSON may be others.
    const lines = (one: string) =>
      format === "json" ? JSON.stringify(JSON.parse(one)).split(/(?<=[,{])/) : one.split("\n");
    const all = lines(after).map((line) => line.replace(/[,}]+$/, ""));
    let at = 0;
    for (const line of lines(text)) {
      const found = all.indexOf(line.replace(/[,}]+$/, ""), at);
      expect(found, `${line} in\n${after}`).toBeGreaterThanOrEqual(0);
      at = found + 1;
    }
    const before = new Map(
      (await resolvedFrom({ [file]: text })).desired.servers.map((one) => [one.name, one]),
    );
    const { servers } = (await resolvedFrom({ [file]: after })).desired;
    expect(servers.map(({ name }) => name).sort()).toEqual([...before.keys(), "more", "web"].sort());
    for (const one of servers) if (before.has(one.name)) expect(one).toEqual(before.get(one.name));
    expect(servers.find(({ name }) => name === "web")).toMatchObject({
      args: ["-c", "a\nb"],
      env: { A_B: "1" },
    });
    if (format !== "json") expect(after).toContain("It is a line for a shell.");
  });

  it("are refused where there is no place for them", async () => {
    await expect(withServers("servers: {a: {command: sh, port: none}}\n", "yaml", [MORE])).rejects.toThrow(
      "its servers are on one line",
    );
  });
});
