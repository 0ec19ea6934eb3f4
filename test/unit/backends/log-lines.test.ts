import { appendFileSync, mkdtempSync, renameSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { fileLines, type LogLine, type LogRequest } from "../../../src/backends/log-lines.ts";

const { signal: never } = new AbortController();

describe("lines in plain files", () => {
  let folder: string;
  let files: { out: string; err: string };
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "xy-lines-"));
    files = { out: join(folder, "out.log"), err: join(folder, "err.log") };
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  async function last(request: Partial<LogRequest> = {}): Promise<string[]> {
    const lines: string[] = [];
    const asked = { tail: 100, follow: false, ...request };
    for await (const { stream, line } of fileLines(files, asked, never)) lines.push(`${stream} ${line}`);
    return lines;
  }

  it("are none where nothing was printed", async () => {
    expect(await last()).toEqual([]);
    writeFileSync(files.out, "");
    expect(await last()).toEqual([]);
  });

  it("are the last of each stream, also one that is not over", async () => {
    writeFileSync(files.out, "1\n2\n\n3");
    writeFileSync(files.err, "oops\n");
    expect(await last()).toEqual(["stdout 1", "stdout 2", "stdout ", "stdout 3", "stderr oops"]);
    expect(await last({ tail: 2 })).toEqual(["stdout ", "stdout 3", "stderr oops"]);
    expect(await last({ tail: 2, stream: "stderr" })).toEqual(["stderr oops"]);
    expect(await last({ tail: 0 })).toEqual([]);
  });

  it("are searched through what was rotated, also one that began in the file before", async () => {
    writeFileSync(`${files.out}.2`, "a 1\nb\na 2\nbeg");
    writeFileSync(`${files.out}.1`, `un a 3\n${`${"x".repeat(999)}\n`.repeat(200)}a 4\nc`);
    writeFileSync(files.out, "\nb\na 5");
    const matches = (line: string) => line.includes("a ");
    const all = ["stdout a 1", "stdout a 2", "stdout begun a 3", "stdout a 4", "stdout a 5"];
    expect(await last({ matches })).toEqual(all);
    for (const tail of [0, 1, 2, 3, 4])
      expect(await last({ tail, matches })).toEqual(all.slice(all.length - tail));
    expect(await last({ matches: () => false })).toEqual([]);
  });

  it("are followed where they match, from where the search ended", async () => {
    writeFileSync(files.out, "a 1\nb\na");
    const stop = new AbortController();
    const lines: string[] = [];
    const matches = (line: string) => line.startsWith("a");
    for await (const { line } of fileLines(files, { tail: 9, follow: true, matches }, stop.signal)) {
      lines.push(line);
      if (line === "a 1") appendFileSync(files.out, " 2\nb\na 3\n");
      if (line === "a 3") stop.abort();
    }
    expect(lines).toEqual(["a 1", "a 2", "a 3"]);
  });

  it("are found through what was rotated, however much there is", async () => {
    writeFileSync(`${files.out}.2`, "a\nb\n");
    writeFileSync(`${files.out}.1`, `c\n${"x".repeat(100_000)}\n`);
    writeFileSync(files.out, "d\n");
    expect(await last({ tail: 2 })).toEqual([`stdout ${"x".repeat(100_000)}`, "stdout d"]);
    expect(await last({ tail: 4 })).toEqual([
      "stdout b",
      "stdout c",
      `stdout ${"x".repeat(100_000)}`,
      "stdout d",
    ]);
    const many = Array.from({ length: 50_000 }, (_, i) => `line ${i}`);
    writeFileSync(files.out, `${many.join("\n")}\n`);
    expect(await last({ tail: 3 })).toEqual(["stdout line 49997", "stdout line 49998", "stdout line 49999"]);
    expect(await last({ tail: 49_999 })).toHaveLength(49_999);
  });

  it("are followed over a rotation, and over a file that is emptied: none twice, none lost", async () => {
    writeFileSync(files.out, "old\nhal");
    const stop = new AbortController();
    const lines: LogLine[] = [];
    const wanted = fileLines(files, { tail: 1, follow: true }, stop.signal);
    const steps: Record<string, () => void> = {
      old: () => appendFileSync(files.out, "f\n"),
      half: () => {
        appendFileSync(files.out, "before\n");
        renameSync(files.out, `${files.out}.1`);
        writeFileSync(files.out, "after\n");
      },
      after: () => appendFileSync(files.err, "oops\n"),
      oops: () => {
        truncateSync(files.out);
        // Shorter than what was there: that is how an emptied file is known.
        appendFileSync(files.out, "new\n");
      },
      new: () => stop.abort(),
    };
    for await (const line of wanted) {
      lines.push(line);
      steps[line.line]?.();
    }
    expect(lines.map(({ line }) => line)).toEqual(["old", "half", "before", "after", "oops", "new"]);
  });

  it("are followed to a last one without its newline: at the end, or once it stands", async () => {
    writeFileSync(files.out, "first\nhalf");
    const told = async (asItStands: boolean, end: string) => {
      const stop = new AbortController();
      const lines: string[] = [];
      const request = { tail: 1, follow: true, asItStands };
      for await (const { line } of fileLines(files, request, stop.signal)) {
        lines.push(line);
        if (line === end) stop.abort();
      }
      return lines;
    };
    expect(await told(false, "first")).toEqual(["first", "half"]);
    expect(await told(true, "half")).toEqual(["first", "half"]);
  });
});
