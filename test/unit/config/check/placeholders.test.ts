import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { fillPath } from "../../../../src/config/check/placeholders.ts";
import { pathPart, type Shape, shapeOf } from "../../../../src/config/read/shape.ts";
import { rootInput } from "../../../../src/model/server.ts";
import { declaredBy, machine, problemsOf, resolvedFrom, worldOf } from "../rig.ts";

/** Words in braces that stand for the machine in paths, and what looks like them elsewhere. */

const facts = { host: "Box.lan", user: "ann", os: "linux", home: "/home/ann" } as const;

it.each([
  ["{home}/x/{host}/{user}.{os}", "/home/ann/x/box/ann.linux"],
  ["a{host}b{host}", "aboxbbox"],
  ["{{host}}/{{hosst}}", "{host}/{hosst}"],
  [`{a,b}/{}/{ host }/{x}/{{name}}/\${home}`, "{a,b}/{}/{ host }/{x}/{{name}}/$/home/ann"],
  ["{{{host}}}", "{{host}}"],
  ["{host", "{host"],
])("%s: %s", (path, filled) => expect(fillPath(path, facts)).toBe(filled));

it("takes time in proportion to the text", () => {
  for (const part of ["{", "{{", "{host", "{{a}", "{home}}"]) fillPath(part.repeat(100_000), facts);
});

/** By the schema, so that none is forgotten that comes later. */
describe("every path", () => {
  const found = new Set<string>();
  const walk = (shape: Shape, at: string): void => {
    if (pathPart(shape) !== undefined) found.add(at);
    if (shape.kind === "map") walk(shape.value, `${at}.*`);
    if (shape.kind === "list") walk(shape.item, at);
    if (shape.kind === "either" && shape.list) walk(shape.list, at);
    const object = shape.kind === "either" ? shape.object : shape.kind === "object" ? shape : undefined;
    for (const [key, inner] of object?.keys ?? [])
      if (!["defaults", "on"].includes(key)) walk(inner, at === "" ? key : `${at}.${key}`);
  };
  walk(shapeOf(rootInput), "");

  it("is marked in the schema", () => {
    const server = "servers.*";
    const action = (at: string) =>
      ["command", "interpreter", "env.*.secret.file", "workingDir"].map((key) => `${at}actions.*.${key}`);
    expect([...found].sort()).toEqual(
      [
        "include",
        "path",
        "supervisord.includeDir",
        "supervisord.password.secret.file",
        ...[
          "command",
          "env.*.secret.file",
          "envFile",
          "mcp.token.secret.file",
          "workingDir",
          "readiness.command",
          "liveness.command",
        ].map((key) => `${server}.${key}`),
        ...action(""),
        ...action(`${server}.`),
      ].sort(),
    );
  });

  it("is filled in", async () => {
    const action = {
      command: "./{os}/act",
      workingDir: "{host}",
      env: { S: { secret: { file: "{user}/s" } } },
    };
    const root = {
      path: ["bin/{os}"],
      supervisord: { includeDir: "{host}.d" },
      actions: { alone: action, script: { script: "x", interpreter: "{home}/sh" } },
      servers: {
        a: {
          command: "./{os}/prog",
          port: "none",
          envFile: ["{host}.env"],
          workingDir: "{home}/{host}",
          env: { T: { secret: { file: "{user}.token" } } },
          readiness: { type: "command", command: "./{arch}-{os}/probe" },
          liveness: { type: "command", command: "{home}/live" },
          actions: { of: action },
        },
      },
    };
    const files = { "xy.config.json": JSON.stringify(root), "box.env": "A=1\n" };
    const { backends, path, root: folder } = await declaredBy(files);
    expect(path).toEqual([join(folder, "bin/linux")]);
    expect(backends.supervisord?.includeDir).toBe(join(folder, "box.d"));
    const { desired, diagnostics } = await resolvedFrom(files, worldOf({ secretUse: "leave" }));
    const text = JSON.stringify({ desired, diagnostics });
    const [a] = desired.servers;
    expect(a?.workingDir).toBe("/home/ann/box");
    expect(a?.env.T).toMatchObject({ secret: { file: expect.stringMatching(/\/ann\.token$/) } });
    expect(text).toContain("/linux/prog does not exist");
    expect(text).toContain("{arch}-linux/probe does not exist");
    expect(text).toContain("/home/ann/live does not exist");
    expect(text).toContain("/home/ann/sh does not exist");
    for (const { workingDir } of desired.actions.filter(({ name }) => name !== "script"))
      expect(workingDir).toMatch(/\/box$/);
  });
});

const server = (settings: object) => ({
  "servers.d/a.json": JSON.stringify({ command: "x", port: 1, ...settings }),
});
/** Messages alone: where they stand is said by the format. */
const saidOf = async (settings: object) =>
  (await problemsOf(server(settings))).map((problem) => problem.replace(/^servers\.d\/a\.json:1:\d+: /, ""));

describe("what nothing fills in", () => {
  it.each<[object, string]>([
    [
      { workingDir: "/x/{hosst}" },
      "cannot fill in {hosst} in workingDir: did you mean {host}? Write {{hosst}} if it is part of the name",
    ],
    [{ workingDir: "{HOME}/x" }, "cannot fill in {HOME} in workingDir: did you mean {home}? *"],
    [{ envFile: ["a", "{hostname}.env"] }, "cannot fill in {hostname} in envFile[1]: did you mean {host}? *"],
    [
      { env: { T: { secret: { file: "/{usr}" } } } },
      "cannot fill in {usr} in env.T.secret.file: did you mean {user}? *",
    ],
    [
      { on: [{ when: { host: "other" }, workingDir: "/{hsot}" }] },
      "cannot fill in {hsot} in on[0].workingDir: did you mean {host}? *",
    ],
    [
      { workingDir: "/x/{name}" },
      "nothing fills in {name} in workingDir: paths may use {host}, {user}, {os} and {home}; write the value out",
    ],
    [
      { command: "prog-{host}" },
      "nothing fills in {host} in command: a bare program name is looked up as written; write its path",
    ],
    [
      { args: ["--dir", "~/x"] },
      "nothing fills in ~ in args[1], the program gets it as it is written: write {home}",
    ],
    [{ args: ["--dir=~/x"] }, "nothing fills in ~ in args[0], *"],
    [{ args: ["~"] }, "nothing fills in ~ in args[0], *"],
    [
      { args: ["{user}"] },
      "nothing fills in {user} in args[0], the program gets it as it is written: write {env.USER}",
    ],
    [{ env: { A: "x-{host}" } }, "nothing fills in {host} in env.A, *"],
    [{ env: { A: "~/x" } }, "nothing fills in ~ in env.A, *"],
    [{ env: { A: `http://\${HOST}:80` } }, `nothing fills in \${HOST} in env.A, *`],
    [{ env: { A: "$HOME/x" } }, "nothing fills in $HOME in env.A, *"],
    [
      { readiness: { type: "command", command: "x", args: ["~/x"] } },
      "nothing fills in ~ in readiness.args[0], *",
    ],
    [
      { actions: { b: { command: "x", args: ["~/x"], env: { A: `\${B}` } } } },
      `nothing fills in \${B} in env.A, *`,
    ],
  ])("%j", async (settings, said) => {
    const like = said.replace(/[.*+?^${}()|[\]\\]/g, "\\$&").replaceAll("\\*", ".*");
    expect(await saidOf(settings)).toContainEqual(expect.stringMatching(new RegExp(`^${like}$`)));
  });

  it.each<[object]>([
    [{ workingDir: "/x/{a,b}/{x}/{{hosst}}/{2}/{time}" }],
    [{ args: ["-c", "cat ~/x"] }],
    [{ args: ["-lc", "~/x"] }],
    [{ args: ["box:~/x", "a~/b", "{home}/x", '{"a":1}', "{{host}}", "{time}"] }],
    [{ env: { A: "a$b", B: "pa$$word", C: "{home}", D: "$(x)" } }],
  ])("%j is as it should be", async (settings) => expect(await saidOf(settings)).toEqual([]));

  it("is no error where it is only told", async () => {
    const { servers } = await declaredBy(server({ args: ["~/x", "{host}"], env: { A: `\${B}` } }));
    expect(servers[0]?.input.args).toEqual(["~/x", "{host}"]);
  });

  it("is of the other machine where it is evaluated for that", async () => {
    const mac = { ...machine, os: "macos" as const, host: "mbp", user: "ada", home: "/Users/ada" };
    const { path } = await declaredBy({ "xy.config.kdl": 'path "{home}/{host}/{os}"' }, { target: mac });
    expect(path).toEqual(["/Users/ada/mbp/macos"]);
  });
});
