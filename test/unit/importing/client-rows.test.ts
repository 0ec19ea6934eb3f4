import { expect, it } from "vitest";
import { entryFor } from "../../../src/clients/entry.ts";
import { formatOf } from "../../../src/clients/formats/format-of.ts";
import { CLIENT_ROWS } from "../../../src/clients/rows/rows.ts";
import type { Shape } from "../../../src/clients/types.ts";
import { importedFrom } from "../../../src/importing/import.ts";

const SHAPES = Object.entries(CLIENT_ROWS).flatMap(([client, { shapes }]) =>
  shapes.map((shape, i) => [`${client} ${i + 1}`, shape as Shape] as const),
);

it.each(SHAPES)(
  "an entry as %s keeps it is found, and xy's own is known by its program",
  async (_, shape) => {
    const server = { project: "tools", server: "notes", url: "http://127.0.0.1:1/mcp" };
    const programs = { ...shape, http: undefined } as never;
    const entries = [
      { name: "mine", value: entryFor(programs, "mine", server, { command: "cat", args: ["-u"] }).value },
      {
        name: "own",
        value: entryFor(programs, "own", server, { command: "/n/node", args: ["/x/bin/xy.js", "connect"] })
          .value,
      },
    ];
    const format = await formatOf(shape.format);
    const text = format.open("").change(shape, { set: entries, remove: [] }, 0);
    const file = `/home/ann/f.${shape.format}`;
    const { drafts, others } = await importedFrom(
      text,
      { file, folder: "/home/ann", home: "/home/ann" },
      "client",
    );
    expect(drafts.map(({ name, fields }) => [name, fields.command, fields.args])).toEqual([
      ["mine", "cat", ["-u", "tools/notes"]],
    ]);
    expect(others.map(({ name, why }) => [name, why])).toEqual([
      ["own", "it is xy's own: it leads to tools/notes"],
    ]);
  },
);
