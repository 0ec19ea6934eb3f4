import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { createJiti } from "jiti";
import { describe, expect, it } from "vitest";
import { parse as parseYaml } from "yaml";
import { load } from "../../src/config/load.ts";
import { importedFrom } from "../../src/importing/import.ts";
import { shlexWords } from "../../src/importing/shell-words.ts";
import { actionInput } from "../../src/model/action-input.ts";
import { UNSUPPORTED } from "../../src/model/expression.ts";
import { contract } from "../../src/rpc/contract.ts";
import { notifications } from "../../src/rpc/notifications.ts";
import { faultOf } from "../rig/command-line.ts";
import { anchorsOf, type Block, blocksOf, inlineOf, linksOf, PAGES, placeOf, textOf } from "../rig/pages.ts";
import { folderWith, formatted, machine, requestFor } from "../unit/config/rig.ts";
import { LAUNCHER, newHome, ROOT } from "./cli.ts";
import { checkAllowed, downloaded, replay, sessionOf, stepsOf } from "./transcript.ts";

/** Every block of code on every page is run, loaded or parsed here, or in the file that is named here. */

const ELSEWHERE: Readonly<Record<string, string>> = {
  "README.md console": "test/cli/readme-session.test.ts",
  "docs/troubleshooting.md console": "test/cli/troubleshooting.test.ts",
  "docs/ARCHITECTURE.md mermaid": "test/unit/supervisor/invariants.test.ts",
};
/** What is there beside a fragment: files that it includes, servers that it names. */
const SURROUNDINGS = {
  "servers.d/scratch.kdl": 'command "scratch"\nport "none"\ntags "work"\n',
  "home/private/xy.kdl": "",
  "work/one.kdl": "",
  "hosts/box.yaml": "{}",
};

const blocks = PAGES.flatMap(blocksOf);
const isConfiguration = ({ language, file, text }: Block) =>
  file === undefined
    ? language === "kdl" || (language === "yaml" && !isOfOthers(text))
    : /(^|\/)(servers\.d\/|xy\.config\.)/.test(file);
const isOfOthers = (text: string) => /^(repos|processes|services):/m.test(text);

/** Problems and warnings of these files as a configuration. */
async function faultsOf(files: Readonly<Record<string, string>>): Promise<string[]> {
  const folder = folderWith({ ...SURROUNDINGS, ...files });
  const result = await load(
    requestFor(folder, {
      machine: { ...machine, home: join(folder, "home") },
      env: { NOTES_API_KEY: "key" },
    }),
  );
  return formatted(result.ok ? result.warnings : result.problems, folder);
}

/** Files of a page that are one configuration: a name that comes again begins another. */
function groupsOf(page: string): Record<string, string>[] {
  const groups: Record<string, string>[] = [];
  let names = new Set<string>();
  for (const { file = "", text } of blocksOf(page).filter((one) => one.file && isConfiguration(one))) {
    const path = file.replace("~/.config/xy/", "");
    const name = path.replace(/\.\w+$/, "");
    if (groups.length === 0 || names.has(name) || path.endsWith(".ts")) {
      groups.push({});
      names = new Set();
    }
    names.add(name);
    Object.assign(groups.at(-1) ?? {}, { [path]: text });
  }
  return groups;
}

/** Words of a shell line that begin with `xy`, as calls of it. */
function callsOf(text: string): string[][] {
  const lines = text.replaceAll("\\\n", "").split("\n");
  return lines.flatMap((line) =>
    line
      .replace(/(^|\s)#.*$/, "")
      .split(/&&|\|\||[;|]/)
      .map((part) => part.trim().replace(/^(?:[A-Z_]+=\S*(?:\([^)]*\))?\s+)+/, ""))
      .flatMap((part) => {
        const called = /^(?:xy|node bin\/xy\.js)(?:\s+(.*))?$/.exec(part)?.[1];
        return called === undefined ? [] : [shlexWords(called) ?? called.split(" ")];
      }),
  );
}

function shellFaults(block: Block): string[] {
  execFileSync("bash", ["-n"], { input: block.text });
  return callFaults(block.text);
}

const callFaults = (text: string) => callsOf(text).flatMap((words) => faultOf(words, true) ?? []);

/** A document that goes over the wire. `asked`: the methods of the page's requests, by id. */
function frameFaults(text: string, asked: Map<number, keyof typeof contract>): void {
  const frame = JSON.parse(text);
  expect(frame.jsonrpc).toBe("2.0");
  if (frame.method !== undefined && frame.id !== undefined) {
    asked.set(frame.id, frame.method);
    contract[frame.method as keyof typeof contract].params.parse(frame.params);
  } else if (frame.method !== undefined) {
    notifications[frame.method as keyof typeof notifications].params.parse(frame.params);
  } else {
    const method = asked.get(frame.id);
    if (method !== undefined) contract[method].result.parse(frame.result);
    else expect(Object.keys(frame)).toContain("result");
  }
}

/** A file of another tool, which import reads. */
async function importFaults({ language, text }: Block): Promise<void> {
  const module = { exports: {} };
  if (language === "js") new Function("module", text)(module);
  const source = language === "js" ? JSON.stringify(module.exports) : text;
  const plist = language === "xml" ? `<plist version="1.0">${source}</plist>` : source;
  const name =
    { js: "ecosystem.config.json", ini: "some.conf", xml: "some.plist" }[language] ?? `some.${language}`;
  const origin = { file: `/home/ann/${name}`, folder: "/home/ann", home: "/home/ann" };
  const { drafts, others } = await importedFrom(plist, origin);
  expect(drafts.length + others.length).toBeGreaterThan(0);
}

/** Tries the block as what it is; throws, or answers with what is wrong. Null: nothing takes it. */
async function faultsIn(block: Block, asked: Map<number, keyof typeof contract>): Promise<string[] | null> {
  const { page, language, kind, file, text } = block;
  if (`${page} ${language}` in ELSEWHERE)
    return existsSync(join(ROOT, ELSEWHERE[`${page} ${language}`] ?? "")) ? [] : null;
  // Drawings, such as a tree of folders.
  if (language === "text" && kind === "drawing") return [];
  // What is printed differs with the machine: only what is typed is looked at.
  if (language === "text" && kind === "output")
    return callFaults([...text.matchAll(/^ *\$ (.*)$/gm)].map(([, typed]) => typed).join("\n"));
  if (language === "sh") return kind === "usage" ? [] : shellFaults(block);
  // All of a page are one session, below.
  if (language === "console") return stepsOf(textOf(page)).length > 0 ? [] : null;
  if (isConfiguration(block)) {
    // All of a page are loaded together, below.
    if (file !== undefined) return [];
    const asRoot = await faultsOf({ [`xy.config.${language}`]: text });
    const whole = /^command\b/m.test(text)
      ? ""
      : language === "kdl"
        ? 'command "x"\nport 8421\n'
        : "command: x\nport: 8421\n";
    const asServer =
      asRoot.length === 0 ? [] : await faultsOf({ [`servers.d/some.${language}`]: `${whole}${text}` });
    return asServer.length === 0 ? [] : [...asRoot, ...asServer];
  }
  if (language === "json" && text.includes('"jsonrpc"')) return frameFaults(text, asked) ?? [];
  if (language === "yaml" && /^repos:/m.test(text)) {
    const hooks = parseYaml(text).repos.flatMap(({ hooks }: { hooks: object[] }) => hooks);
    return hooks.flatMap(({ entry, files }: { entry: string; files: string }) => {
      expect("xy/servers.d/web.kdl").toMatch(new RegExp(files));
      return callsOf(entry).flatMap((words) => faultOf(words, true) ?? []);
    });
  }
  if (["yaml", "json", "ini", "xml"].includes(language) || /^module\.exports/m.test(text)) {
    await importFaults(block);
    return [];
  }
  if (language === "ts" || language === "js") {
    createJiti(import.meta.url).transform({ source: text, ts: language === "ts", async: true });
    return [];
  }
  return null;
}

describe("the code on the pages", () => {
  it.each(PAGES.filter((page) => blocksOf(page).length > 0))("of %s is what it says", async (page) => {
    const asked = new Map<number, keyof typeof contract>();
    const faults: string[] = [];
    for (const block of blocksOf(page)) {
      try {
        const found = await faultsIn(block, asked);
        if (found === null)
          faults.push(`${placeOf(block)}: nothing reads a block of ${block.language} ${block.kind}`);
        else faults.push(...found.map((fault) => `${placeOf(block)}: ${fault}`));
      } catch (error) {
        faults.push(`${placeOf(block)}: ${(error as Error).message}`);
      }
    }
    for (const group of groupsOf(page))
      faults.push(...(await faultsOf(group)).map((fault) => `${page}: ${fault}`));
    expect(faults).toEqual([]);
  });

  const sessions = PAGES.filter(
    (page) =>
      !(`${page} console` in ELSEWHERE) && blocksOf(page).some(({ language }) => language === "console"),
  );
  it.each(sessions)("of %s goes as it shows", async (page) => {
    const steps = stepsOf(textOf(page));
    for (const step of steps) checkAllowed(step);
    const home = newHome();
    rmSync(home.project, { recursive: true });
    const printed = await replay(steps, {
      launcher: LAUNCHER,
      cwd: home.path,
      env: home.env,
      before: downloaded(ROOT),
    });
    const shown = steps.map(({ output }) => output);
    expect(sessionOf(steps, printed)).toEqual(sessionOf(steps, shown));
  });

  it.each(PAGES)("in the sentences of %s has commands and flags that there are", (page) => {
    const calls = inlineOf(page).filter((code) => /^xy(?= |$)/.test(code));
    const faults = calls.flatMap((code) => {
      const words = shlexWords(code.slice(3).replace(/[[\]]/g, "")) ?? code.slice(3).split(" ");
      const fault = faultOf(words, false);
      return fault === undefined ? [] : [`${code}: ${fault}`];
    });
    expect(faults).toEqual([]);
  });

  it("is of many kinds", () => {
    const languages = new Set(blocks.map(({ language }) => language));
    for (const language of ["console", "sh", "kdl", "yaml", "json", "ts", "js", "ini", "xml"])
      expect(languages).toContain(language);
  });
});

const { url } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")).repository;
const REPOSITORY = String(url).replace(/^git\+|\.git$/g, "");
/** A file of the project as the web has it; pictures as GitHub serves them by themselves. */
const WEB = [
  `${REPOSITORY}/blob/main/`,
  `${REPOSITORY.replace("//github.com", "//raw.githubusercontent.com")}/main/`,
];

/** The file that a link leads to, from the project's folder, and its anchor; undefined: it is no file of ours. */
function targetOf(page: string, link: string): { file: string; anchor: string | undefined } | undefined {
  const [path = "", anchor] = link.split("#");
  const web = WEB.find((prefix) => path.startsWith(prefix));
  if (web !== undefined) return { file: path.slice(web.length), anchor };
  if (/^[a-z]+:/.test(path)) return undefined;
  return { file: path === "" ? page : join(dirname(page), path), anchor };
}

describe("the pages", () => {
  it.each(PAGES)("%s links to what is there", (page) => {
    const broken = linksOf(page).filter((link) => {
      const target = targetOf(page, link);
      if (target === undefined) return link.startsWith(REPOSITORY) && link !== REPOSITORY;
      const { file, anchor } = target;
      if (!existsSync(join(ROOT, file))) return true;
      return anchor !== undefined && PAGES.includes(file) && !anchorsOf(file).has(anchor);
    });
    expect(broken).toEqual([]);
  });

  it("are all reached from the index", () => {
    const reached = new Set(["docs/README.md"]);
    for (const page of reached) {
      for (const link of linksOf(page)) {
        const file = targetOf(page, link)?.file ?? "";
        if (PAGES.includes(file)) reached.add(file);
      }
    }
    expect(PAGES.filter((page) => !reached.has(page))).toEqual([]);
  });

  it("are in the index, but for those that have an index of their own", () => {
    const linked = new Set(linksOf("docs/README.md").map((link) => targetOf("docs/README.md", link)?.file));
    const own = PAGES.filter((page) => !/^docs\/(decisions|coming-from)\/[^R]/.test(page));
    expect(own.filter((page) => page !== "docs/README.md" && !linked.has(page))).toEqual([]);
  });

  it("have every construct that a pattern cannot have, with a way", () => {
    const text = textOf("docs/readiness.md");
    for (const { syntax, name, way } of UNSUPPORTED)
      expect(text).toContain(`| \`${syntax}\`, ${name} | ${way} |`);
  });

  it("have every setting of an action in the reference", () => {
    const text = textOf("docs/reference/configuration.md");
    const part = text.slice(text.indexOf("## An action"), text.indexOf("## A project"));
    const kebab = (key: string) => key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
    for (const key of Object.keys(actionInput.shape)) expect(part).toContain(`| \`${kebab(key)}\` |`);
  });

  it("name every room of src in the architecture", () => {
    const text = textOf("docs/ARCHITECTURE.md");
    const rooms = readdirSync(join(ROOT, "src"), { withFileTypes: true }).filter((entry) =>
      entry.isDirectory(),
    );
    for (const { name } of rooms) expect(text).toContain(`| \`src/${name}/\` |`);
  });

  it("write the same server in four formats", async () => {
    const files = blocksOf("docs/configuration.md").flatMap(({ file, text }) =>
      file ? [{ file, text }] : [],
    );
    expect(files.map(({ file }) => file)).toEqual([
      "servers.d/notes.kdl",
      "servers.d/notes.yaml",
      "servers.d/notes.json",
      "xy.config.ts",
    ]);
    const home = newHome();
    home.trusts();
    home.write(join(home.path, ".notes-token"), "token\n");
    const specs: unknown[] = [];
    for (const { file, text } of files) {
      await home.shell("rm -rf servers.d xy.config.*");
      home.write(file, text.replace('os === "macos" ? 8422 : 8421', "8421"));
      const { stdout } = await home.xy("plan", "--json");
      specs.push(JSON.parse(stdout).changes[0].desired);
    }
    expect(specs[0]).toMatchObject({
      name: "notes",
      port: 8421,
      restart: { policy: "always", backoffMax: 10_000 },
    });
    for (const spec of specs) expect(spec).toEqual(specs[0]);
  });
});

it("the example servers can be started from a clone", async () => {
  const home = newHome();
  const { code, stdout, stderr } = await home.xyIn({ cwd: home.path }, "plan", "--config", ROOT, "--json");
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  expect(JSON.parse(stdout)).toMatchObject({ summary: { add: ["everything", "memory"] }, diagnostics: [] });
});
