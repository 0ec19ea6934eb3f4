import { describe, expect, it } from "vitest";
import { contract, type Method } from "../../../src/rpc/contract.ts";
import { readParams } from "../../../src/rpc/params.ts";

const accepted = (params: unknown, ...warnings: string[]) => ({ ok: true, params, warnings });
const refused = (message: string) => ({ ok: false, message });
const START = { replace_existing_jobs: true, no_deps: false };

describe("params", () => {
  it("may be left out, or be null, as each of them may", () => {
    for (const given of [undefined, null, {}, { project: null }])
      expect(readParams("list", given)).toEqual(accepted({}));
    expect(
      readParams("start", { name: "web", project: null, no_deps: null, names: null, all: null }),
    ).toEqual(accepted({ name: "web", ...START }));
    expect(readParams("action_run", { action: "tidy", server: null, args: null })).toEqual(
      accepted({ action: "tidy", server: null, args: [] }),
    );
    expect(readParams("status", { name: null })).toEqual(refused("name is missing"));
  });

  it("keep a null that is inside of one", () => {
    const { shape } = contract.apply.params;
    expect(shape.secrets.safeParse({ A: null }).success).toBe(false);
    const wrong = { project: "p", server: "s", action: "add", wait_ms: 0, secrets: { A: null } };
    expect(readParams("apply", wrong)).toEqual(
      refused("secrets.A: Invalid input: expected string, received null"),
    );
  });

  it("take false for the absence of what can only be true", () => {
    expect(readParams("stop", { name: "web", all: false })).toEqual(
      accepted({ name: "web", remove_jobs: false, wait: true }),
    );
    expect(readParams("job_list", { standalone: false })).toEqual(accepted({ limit: 100 }));
    expect(readParams("stop", { name: "web", remove_jobs: false })).toMatchObject({ ok: true });
  });

  const TARGETED: readonly Method[] = ["start", "stop", "restart", "kill", "pause", "resume"];
  it.each(TARGETED)("%s says in a sentence what it needs", (method) => {
    for (const given of [undefined, null, {}, { all: false }, { name: null, all: false }, { project: "p" }])
      expect(readParams(method, given)).toEqual(refused("say name, names or all: true"));
    expect(readParams(method, { name: "a", all: true })).toEqual(
      refused("say only one of name and all: true"),
    );
    expect(readParams(method, { name: "a", names: ["b"], all: true })).toEqual(
      refused("say only one of name, names and all: true"),
    );
    expect(readParams(method, { name: 3 })).toEqual(
      refused("name: Invalid input: expected string, received number"),
    );
  });

  it("of another form of the call do not go with it", () => {
    expect(readParams("job_delete", {})).toEqual(refused("say id or server"));
    expect(readParams("job_delete", { id: 3, cancel: true })).toEqual(
      refused("cancel cannot be said together with the rest"),
    );
  });

  it.each([[[1]], [[]], ["web"], [3], [true]])("are given by name, and not as %j", (given) => {
    expect(readParams("list", given)).toEqual(refused(expect.stringContaining("give them by name")));
  });

  it("that nobody knows are passed over with a warning where nothing is changed", () => {
    expect(readParams("list", { projct: "a", x: 1 })).toEqual(
      accepted(
        {},
        'ignored "projct", which is not one of its params; did you mean project?',
        'ignored "x", which is not one of its params',
      ),
    );
    expect(readParams("status", JSON.parse('{"name":"web","__proto__":{"name":"db"}}'))).toEqual(
      accepted({ name: "web" }, 'ignored "__proto__", which is not one of its params'),
    );
    const read = readParams("list", { ["x".repeat(1e6)]: 1 });
    const [warning = ""] = read.ok ? read.warnings : [];
    expect(warning).toMatch(/^ignored "x{60}…"/);
  });

  it("that are a slip of the pen are refused where something is changed, and others passed over", () => {
    expect(readParams("stop", { name: "web", remove_job: true })).toEqual(
      refused('it was given "remove_job", which is not one of its params; did you mean remove_jobs?'),
    );
    expect(readParams("start", { all: true, projct: "a" })).toMatchObject({ ok: false });
    expect(readParams("agent_shutdown", { keepServers: true })).toMatchObject({ ok: false });
    expect(readParams("stop", { name: "web", because: "of the weather" })).toEqual(
      accepted(
        { name: "web", remove_jobs: false, wait: true },
        'ignored "because", which is not one of its params',
      ),
    );
  });

  it("in any number are no way to hold up the agent", () => {
    const many = Object.fromEntries(Array.from({ length: 100_000 }, (_, i) => [`k${i}`, i]));
    expect(readParams("list", many)).toEqual(refused("100000 keys that it does not know"));
  });

  it.each(Object.keys(contract) as Method[])("of %s, slips in each of its own names are found", (method) => {
    const { params, reads } = contract[method] as (typeof contract)[Method];
    const branches = ("options" in params ? params.options : [params]) as { shape: object }[];
    for (const key of new Set(branches.flatMap(({ shape }) => Object.keys(shape)))) {
      const slip = `${key}x`;
      const read = readParams(method, { [slip]: 1 });
      if (reads && read.ok) expect(read.warnings).toEqual([expect.stringContaining(`did you mean`)]);
      else expect(read).toMatchObject({ ok: false });
      if (!reads) expect(read).toMatchObject({ message: expect.stringContaining("did you mean") });
    }
  });
});
