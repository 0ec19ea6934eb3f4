import { readFile } from "node:fs/promises";
import { CLIENT_ROWS } from "../src/clients/rows/rows.ts";
import type { ClientRow, Places, Shape } from "../src/clients/types.ts";
import { CLIENT_NAMES, type Scope } from "../src/model/clients.ts";
import { between, head, row } from "./page-table.ts";

const PAGE = new URL("../docs/clients.md", import.meta.url);

/** The page about clients, with a new table. The rest of it is written by hand. */
export async function clientsText(): Promise<string> {
  return between(await readFile(PAGE, "utf8"), "clients", table(), "docs/clients.md");
}

function table(): string {
  const rows = CLIENT_NAMES.map((name) => {
    const client = CLIENT_ROWS[name] as ClientRow<Scope>;
    const { files, shapes } = client;
    const user = [
      `${client.title}: \`${name}\``,
      fileText(files.user),
      files.project ? fileText(files.project) : "",
    ];
    return row([...user, keyText(shapes), httpText(shapes[0]), tokenText(shapes[0]), client.reload]);
  });
  const heading = [
    "client",
    "file",
    "file of a project",
    "entries below",
    "HTTP",
    "with a token",
    "reads its file again",
  ];
  return [...head(heading), ...rows].join("\n");
}

function fileText(places: Places): string {
  if ("linux" in places) return `Linux: ${paths(places.linux)}; macOS: ${paths(places.macos)}`;
  return paths(places);
}

const paths = (all: readonly string[]) => all.map((path) => `\`${path}\``).join(", ");

const keyText = (shapes: readonly Shape[]) =>
  shapes
    .map(
      ({ path, format, holds }) =>
        `\`${path.join("` > `")}\` in ${format.toUpperCase()}${holds === "list" ? ", a list" : ""}`,
    )
    .join(", or ");

const httpText = ({ http }: Shape) => (http === undefined ? "no: `xy connect`" : `\`${http.url}\``);

function tokenText({ http, variable }: Shape): string {
  if (http?.tokenVariable !== undefined) return `\`${http.tokenVariable}\``;
  if (http?.headers === undefined || variable === undefined) return "`xy connect`";
  return `\`${variable.join("NAME")}\``;
}
