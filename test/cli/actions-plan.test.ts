import { readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, describe, expect, it, onTestFinished } from "vitest";
import type { ActionSpec } from "../../src/model/action.ts";
import { EXIT } from "../../src/model/exit-codes.ts";
import { SupervisordHome, whyNoSupervisord } from "../rig/supervisord.ts";
import { type Home, homesInTurn } from "./cli.ts";

const newHome = homesInTurn();

let home: Home;
beforeEach(() => {
  home = newHome();
});

const says = (name: string, text: string, more = "") =>
  `action "${name}" { command "sh"; args "-c" "echo ${text}"; ${more}}\n`;
/** The root's own file, with these actions that stand alone. */
const alone = (...actions: string[]) => home.write("xy.config.kdl", `project "tools"\n${actions.join("")}`);
/** The actions that the agent knows, by the names that people call them by. */
const known = async () => {
  const found = (await home.json("run")) as { spec: ActionSpec }[];
  return found.map(({ spec: { server, name } }) => (server === null ? name : `${server}:${name}`)).sort();
};
const pid = async () => (await home.servers()).web?.pid;
const SAME = "No changes. 1 server matches the configuration.\n";

describe("actions", () => {
  it("are added, changed and removed by an apply, and none of it touches their server", async () => {
    alone(says("say", "alone"));
    home.declare("web", says("say", "one"));
    expect(await home.did("plan")).toContain("Plan: 3 to add (web, action say, action web:say), 0 to change");
    const added = await home.did("apply", "--yes");
    expect(added).toContain("action web:say: added, ready to run\n");
    expect(added).toContain("Apply complete: 3 added, 0 changed, 0 removed.\n");
    expect(await home.did("plan")).toBe(SAME);
    const before = await pid();
    expect(before).toBeGreaterThan(0);

    home.declare("web", says("say", "two", 'schedule "@yearly" time-zone="UTC"; '));
    alone();
    const changed = await home.did("apply", "--yes");
    expect(changed).toContain(
      [
        "  - action say will be removed\n",
        "  ~ action web:say will be changed",
        "      ~ args:",
        '          "-c"',
        '        - "echo one"',
        '        + "echo two"',
        "      + schedule.cron: @yearly",
        "      + schedule.time-zone: UTC",
        "      + schedule.missed: once\n",
        "Plan: 0 to add, 1 to change (action web:say), 1 to remove (action say).\n",
      ].join("\n"),
    );
    expect(changed).toContain("action say: removed\naction web:say: changed, runs at @yearly (UTC)\n");
    expect(changed).toContain("Apply complete: 0 added, 1 changed, 1 removed.\n");
    expect(await home.did("run", "web:say")).toBe("two\n");
    expect(await known()).toEqual(["web:say"]);

    home.declare("web");
    expect(await home.did("apply", "--yes")).toContain("1 to remove (action web:say)");
    expect(await home.did("plan")).toBe(SAME);
    expect(await known()).toEqual([]);
    expect(await pid()).toBe(before);
    expect((await home.did("history")).replace(/\d{4}-\S+ \S+Z/g, "TIME")).toBe(
      "3  TIME  complete       -action web:say (2 files)\n" +
        "2  TIME  complete       ~action web:say -action say (2 files)\n" +
        "1  TIME  complete       +web +action say +action web:say (2 files)\n",
    );
  });

  it("alone are a difference for who asks by the exit code", async () => {
    home.declare("web", says("say", "one"));
    await home.did("apply", "--yes");
    const code = async () => (await home.xy("plan", "--detailed-exitcode")).code;
    expect(await code()).toBe(0);
    home.declare("web", says("say", "two"));
    expect(await code()).toBe(EXIT.changesPending);
    await home.did("apply", "--yes");
    expect(await code()).toBe(0);
  });

  it("can be all that a project has, from the plan to the end of it", async () => {
    alone(says("say", "hello"));
    expect(await home.did("check")).toBe("The configuration is valid: project tools, 0 servers, 1 action.\n");
    expect(await home.json("check")).toMatchObject({ servers: [], actions: ["say"] });
    expect(await home.did("plan")).toContain("Plan: 1 to add (action say), 0 to change, 0 to remove.\n");
    await home.did("apply", "--yes");
    expect(await home.did("plan")).toBe("No changes. 1 action matches the configuration.\n");
    expect(await home.did("run", "say")).toBe("hello\n");
    expect(await home.json("list")).toEqual([]);
    expect(await home.did("destroy", "--yes")).toContain(
      "Destroy complete: 0 added, 0 changed, 1 removed.\n",
    );
    expect(await known()).toEqual([]);
    expect((await home.shell("ls ~/.local/state/xy/projects")).stdout).toBe("");
    expect(await home.json("jobs")).toMatchObject({ jobs: [] });
  });

  it("are forgotten by a destroy together with their servers, and can be applied again", async () => {
    alone(says("say", "alone"));
    home.declare("web", says("say", "one"));
    await home.did("apply", "--yes");
    await home.did("run", "web:say");
    expect(await home.did("destroy", "--yes")).toContain("3 to remove (web, action say, action web:say)");
    expect(await known()).toEqual([]);
    expect(await home.did("plan")).toContain("Plan: 3 to add");
    await home.did("apply", "--yes");
    expect(await home.did("run", "web:say")).toBe("one\n");
  });

  it("of a server that is ignored are known, and run without it", async () => {
    home.declare("web", `wanted "ignore"\n${says("say", "one")}`);
    expect(await home.did("apply", "--yes")).toContain("Plan: 1 to add (action web:say)");
    expect(await home.did("run", "web:say")).toBe("one\n");
    expect(await home.servers()).toEqual({});
  });
});

describe("a selection", () => {
  beforeEach(() => {
    alone(says("say", "alone"), 'action "broken" { command "no-such-program"; }\n');
    home.declare("web", says("say", "one"));
    home.declare("api", says("say", "two"));
  });

  it("has the actions of its servers, and leaves out those that stand alone, with what is wrong with them", async () => {
    const refused = await home.xy("apply", "--yes");
    expect(refused).toMatchObject({ code: EXIT.failed });
    expect(refused.stdout).toContain(
      'xy.config.kdl:3:27: action broken: cannot find the program "no-such-program"',
    );
    const applied = await home.did("apply", "--yes", "--only", "web");
    expect(applied).toContain("left out: api, broken, say\n");
    expect(applied).toContain("Plan: 2 to add (web, action web:say), 0 to change, 0 to remove.\n");
    expect(await known()).toEqual(["web:say"]);
  });

  it("can be an action that stands alone, or all but one", async () => {
    await home.did("apply", "--yes", "--only", "say");
    expect(await known()).toEqual(["say"]);
    await home.did("apply", "--yes", "--except", "broken", "--except", "api");
    expect(await known()).toEqual(["say", "web:say"]);
    alone();
    expect(await home.did("plan", "--except", "say")).not.toContain("action say");
    expect(await home.did("apply", "--yes", "--only", "say")).toContain("1 to remove (action say)");
    expect(await known()).toEqual(["web:say"]);
  });

  it("of an unknown name says what there is", async () => {
    expect(await home.xy("plan", "--only", "sya")).toMatchObject({
      code: EXIT.usage,
      stderr: 'xy: cannot select "sya" with --only: no such server or action; did you mean "say"?\n',
    });
  });
});

describe("a rollback", () => {
  it("brings actions back as they were", async () => {
    home.write("../token", "s3cr3t-old-then");
    alone(says("say", "one", 'env { TOKEN (file)"~/token"; }; '), says("more", "one"));
    home.declare("web", says("say", "first"));
    await home.did("apply", "--yes");
    const before = await pid();
    alone(says("say", "two"), says("new", "two"));
    home.declare("web", says("say", "second"));
    await home.did("apply", "--yes");
    expect(await known()).toEqual(["new", "say", "web:say"]);

    home.write("../token", "s3cr3t-now");
    const back = await home.did("rollback", "--yes");
    expect(back).toContain("1 to add (action more), 2 to change (action say, action web:say), 1 to remove");
    expect(back).toContain("+ env.TOKEN: (secret from file ");
    expect(await known()).toEqual(["more", "say", "web:say"]);
    expect(await home.did("run", "say")).toBe("one\n");
    expect(await home.did("run", "web:say")).toBe("first\n");
    expect(await pid()).toBe(before);
    expect(await home.did("plan")).toContain("Generation 3, a rollback to 1, is active.");
  });

  it("to a generation from before there were actions removes them all", async () => {
    alone(says("say", "one"));
    home.declare("web", says("say", "first"));
    await home.did("apply", "--yes");
    const file = join(home.state, "projects/tools/generations/1.json");
    const { actions, ...older } = JSON.parse(readFileSync(file, "utf8"));
    expect(actions).toHaveLength(2);
    home.write(file, JSON.stringify(older));
    home.declare("web", `${says("say", "first")}description "another"`);
    await home.did("apply", "--yes");
    expect(await home.did("rollback", "1", "--yes")).toContain("2 to remove (action say, action web:say)");
    expect(await known()).toEqual([]);
    await home.did("apply", "--yes");
    expect(await known()).toEqual(["say", "web:say"]);
  });

  it("is refused when what an action needs is gone, by the name of the action", async () => {
    home.write("tool", "#!/bin/sh\necho tool\n");
    await home.shell("chmod +x tool");
    alone('action "old" { command "./tool"; }\n');
    await home.did("apply", "--yes");
    alone(says("new", "x"));
    await home.did("apply", "--yes");
    await home.shell("rm tool");
    const { code, stdout } = await home.xy("rollback", "--yes");
    expect(code).toBe(EXIT.failed);
    expect(stdout).toContain('error: action old: cannot run "./tool": ');
    expect(await known()).toEqual(["new"]);
  });
});

describe("a saved plan", () => {
  it("is stale once an action is another, and names it", async () => {
    alone(says("say", "one"));
    home.declare("web", says("say", "one"));
    await home.did("plan", "-o", "p");
    home.declare("web", says("say", "two"));
    expect(await home.xy("apply", "p")).toMatchObject({
      code: EXIT.failed,
      stderr: expect.stringContaining("saved plan is stale: action web:say changed since it was made"),
    });
    await home.did("plan", "-o", "p");
    expect(await home.did("apply", "p")).toContain("Apply complete: 3 added");
    expect(await home.did("run", "web:say")).toBe("two\n");
    alone(says("say", "one"), says("new", "one"));
    await home.did("plan", "-o", "p");
    await home.did("apply", "--yes");
    expect((await home.xy("apply", "p")).stderr).toContain("action new changed since it was made");
  });

  it("is stale once a secret of an action is another, and holds none", async () => {
    home.write("../token", "s3cr3t-old-then");
    alone(says("say", "one", 'env { TOKEN (file)"~/token"; }; '));
    await home.did("plan", "-o", "p");
    home.write("../token", "s3cr3t-now");
    expect((await home.xy("apply", "p")).stderr).toContain("action say changed since it was made");
    await home.did("plan", "-o", "p");
    await home.did("apply", "p");
  });
});

describe.skipIf(whyNoSupervisord() !== undefined)("actions of a server under supervisord", () => {
  it("are known to the agent, and left alone with it while supervisord does not answer", async () => {
    const supervisord = new SupervisordHome();
    onTestFinished(() => supervisord.close());
    await supervisord.open();
    const { url, includeDir } = supervisord.site;
    home.trusts();
    const root = `supervisord { url "${url}"; include-dir "${includeDir}"; }\n`;
    alone(root, says("say", "alone"));
    home.declare("api");
    home.declare("web", `backend "supervisord"\nenv { MODE "fast"; }\n${says("mode", "$MODE")}`);
    expect(await home.did("apply", "--yes")).toContain("Apply complete: 4 added");
    expect(await home.did("run", "web:mode")).toBe("fast\n");
    expect(await home.did("plan")).toBe("No changes. 2 servers match the configuration.\n");

    await supervisord.stop();
    alone(root, says("say", "changed"));
    home.declare("web", 'backend "supervisord"\naction "mode" { command "no-such-program"; }');
    const { code, stdout } = await home.xy("apply", "--yes");
    expect(stdout).toContain("(left as they are: web)\n");
    expect(stdout).not.toContain("no-such-program");
    expect(stdout).toContain("Plan: 0 to add, 1 to change (action say), 0 to remove.\n");
    expect(code).toBe(EXIT.unreachable);
    expect(await home.did("run", "say")).toBe("changed\n");
    expect(await home.did("run", "web:mode")).toBe("fast\n");

    await supervisord.open();
    await home.did("destroy", "--yes");
    expect(await known()).toEqual([]);
  });
});

it("a secret reaches the action, and is seen nowhere else", async () => {
  home.write("two.txt", "s3cr3t-two\n");
  home.write("three.txt", "s3cr3t-three\n");
  const env = `env {
    ONE (env)"XY_ONE"
    TWO (file)"two.txt"
    THREE (command)"cat ${home.path}/tools/three.txt"
  }`;
  // The lengths: what a job prints is its own affair, and in its log.
  const action = `action "use" {
  script """
    #!/bin/sh
    for s in $ONE $TWO $THREE $FOUR; do printf %s $s | wc -c; done
    """
  ENV
}
`;
  home.trusts();
  alone(action.replace("ENV", env));
  home.declare("web", `env { FOUR (file)"../two.txt"; }\n${action.replace("ENV", "")}`);
  const now = { XY_ONE: "s3cr3t-one" };
  let said = "";
  const xy = async (...words: string[]) => {
    const { code, stdout, stderr } = await home.xyIn({ env: now }, ...words);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    said += stdout;
    return stdout;
  };
  await xy("check", "--json");
  expect(await xy("plan")).toContain("+ env.ONE: (secret from env XY_ONE)\n");
  await xy("plan", "--json");
  await xy("apply", "--yes", "--json");
  expect(await xy("run", "use")).toBe("10\n10\n12\n");
  expect(await xy("run", "web:use")).toBe("10\n");
  await xy("run", "--json");
  const { jobs } = JSON.parse(await xy("jobs", "--action", "use", "--json")) as { jobs: { id: number }[] };
  expect(jobs).toHaveLength(2);
  for (const id of jobs.map((job) => `${job.id}`)) {
    await xy("job", "show", id);
    expect(JSON.parse(await xy("job", "show", id, "--json"))).toMatchObject({ action_id: "use" });
    await xy("job", "logs", id);
  }
  await xy("jobs", "--json");
  expect(await xy("plan")).toBe(SAME);

  now.XY_ONE = "s3cr3t-newer";
  home.write("three.txt", "s3cr3t-3\n");
  expect(await xy("plan", "--no-secrets")).not.toContain("env.THREE");
  const changed = await xy("plan");
  expect(changed).toContain("  ~ action use will be changed\n");
  expect(changed).toContain("~ env.ONE: (secret from env XY_ONE) (changed)\n");
  expect(changed).toMatch(/~ env\.THREE: \(secret from command .*\) \(changed\)\n/);
  expect(changed).not.toContain("env.TWO");
  await xy("plan", "--json");
  await xy("apply", "--yes");
  expect(await xy("run", "use")).toBe("12\n10\n8\n");
  expect(said).not.toContain("s3cr3t");
});
