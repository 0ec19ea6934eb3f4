import { describe, expect, it } from "vitest";
import type { Plan } from "../../../src/model/plan.ts";
import { actionFacts, interestingFacts } from "../../../src/views/facts.ts";
import { planView } from "../../../src/views/plan.ts";
import { action, NOW, secret, spec } from "../reconciler/fixtures.ts";

/** As an account has it. */
const given = {
  HOME: "/home/me",
  USER: "me",
  LOGNAME: "me",
  SHELL: "/bin/bash",
  LANG: "C.UTF-8",
  TMPDIR: "/tmp",
  XDG_RUNTIME_DIR: "/run/user/1000",
  PATH: "/usr/bin:/home/me/.local/bin:/bin",
};

const labels = (facts: readonly { readonly label: string }[]) => facts.map(({ label }) => label);

describe("what is given to every server", () => {
  it("is hidden where it is what xy gives", () => {
    const server = interestingFacts(spec("web", { env: { ...given } }), given);
    expect(labels(server.facts).filter((label) => label.startsWith("env"))).toEqual([]);
    const backup = actionFacts(action("backup", null, { env: { ...given } }), given);
    expect(labels(backup).filter((label) => label.startsWith("env"))).toEqual([]);
  });

  it.each([
    ...Object.keys(given).map((name) => [name, "/evil"] as const),
    ["PATH", `./bin:${given.PATH}`] as const,
    ["PATH", `${given.PATH}:./bin`] as const,
    ["HOME", "/home/me/"] as const,
    ["PATH", secret("aa")] as const,
  ])("is shown where it is another: %s %j", (name, value) => {
    const env = { ...given, [name]: value };
    expect(labels(interestingFacts(spec("web", { env }), given).facts)).toContain(`env.${name}`);
    expect(labels(actionFacts(action("backup", null, { env }), given))).toContain(`env.${name}`);
  });

  it("is shown where nobody knows what is given", () => {
    const { facts } = interestingFacts(spec("web", { env: { ...given } }));
    expect(labels(facts)).toEqual(expect.arrayContaining(Object.keys(given).map((name) => `env.${name}`)));
  });

  it("does not make the folder that another HOME names a usual one", () => {
    const env = { ...given, HOME: "/evil" };
    const { facts } = interestingFacts(spec("web", { env, workingDir: "/evil" }), given);
    expect(labels(facts)).toEqual(expect.arrayContaining(["env.HOME", "working-dir"]));
  });
});

describe("an action of a server", () => {
  const PATH = "/opt/tool/bin:/usr/bin:/bin";
  const plan = (path: string): Plan => ({
    version: 1,
    project: "dots",
    root: "/home/me/dots",
    changes: [
      {
        server: "web",
        action: "none",
        reasons: [],
        fields: [],
        held: false,
        breaksSessions: false,
        desired: spec("web", { program: "/usr/bin/node" }),
      },
    ],
    actions: [
      {
        key: "web:tool",
        change: "add",
        fields: [],
        desired: action("tool", "web", { program: "/opt/tool/bin/tool", env: { PATH: path } }),
      },
    ],
    diagnostics: [],
    skipped: [],
  });
  const screen = {
    colour: false,
    now: NOW,
    given: (programs: readonly string[]) => ({
      PATH: [...programs.map((program) => program.replace(/\/[^/]*$/, "")), "/bin"].join(":"),
    }),
  };

  it("has the folder of its own program on its PATH, then that of the server's", () => {
    expect(planView(plan(PATH), screen)).not.toContain("PATH");
    expect(planView(plan(`/evil:${PATH}`), screen)).toContain(`env.PATH: "/evil:${PATH}"`);
  });
});

describe("what will run, on a terminal that is too narrow for it", () => {
  it.each([20, 40, 80])("is shown to its end in %i columns", (width) => {
    const words = Array.from({ length: 60 }, (_, i) => `word${i}`);
    const long = "x".repeat(300);
    const server = spec("web", {
      args: [words.join(" "), `${long}END1`],
      env: { A: `${long}END2` },
      workingDir: `/${long}END3`,
      readiness: {
        type: "command",
        command: "check",
        program: "/bin/check",
        args: [`${long}END4`],
        interval: 1,
        timeout: 1,
        startPeriod: 1,
        failureThreshold: 1,
        successThreshold: 1,
      },
    });
    const script = `#!/bin/sh\n${words.join(" ")}\n${long}END5\n`;
    const text = planView(
      {
        version: 1,
        project: "dots",
        root: "/r",
        changes: [
          {
            server: "web",
            action: "add",
            reasons: [],
            fields: [],
            held: false,
            breaksSessions: false,
            desired: server,
          },
          {
            server: "web2",
            action: "update",
            reasons: [],
            fields: [
              { field: "args", from: ["a", "b"], to: ["a", `${long}END6`] },
              { field: "env.B", from: "a", to: `${long}END7` },
            ],
            held: false,
            breaksSessions: false,
          },
        ],
        actions: [
          { key: "a", change: "add", fields: [], desired: action("a", null, { script, command: null }) },
          { key: "b", change: "update", fields: [{ field: "script", from: null, to: script }] },
        ],
        diagnostics: [],
        skipped: [],
      },
      { colour: false, now: NOW, width },
    );
    const whole = text.replace(/\n */g, "");
    for (let i = 1; i <= 7; i++) expect(whole).toContain(`${long}END${i}`);
    expect(text).not.toContain("…");
    expect(text.replace(/\s+/g, " ")).toContain("word58 word59");
  });
});
