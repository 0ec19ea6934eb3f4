import { z } from "zod";
import { BACKENDS } from "./backends.ts";
import { clientsInput } from "./clients-input.ts";
import { writtenShape } from "./field.ts";
import { oneOf, pathText, secretInput, serverName, text } from "./input-parts.ts";
import { onWhen, whenInput } from "./machine-input.ts";
import { actionsInput, SERVER_FIELDS } from "./server-fields.ts";
import { CLASSES } from "./spec-parts.ts";

/** What a person may write, in camelCase; a server's settings are in `server-fields.ts`. */

const URL_CHOICES = 'write a URL such as "http://localhost:9001/RPC2" or "unix:///run/supervisor.sock"';

/** One server. Defaults are filled in by parsing; what depends on the machine is filled in later. */
export const serverInput = z.strictObject(writtenShape(SERVER_FIELDS), {
  error: "write a block that describes a server",
});

const supervisordInput = z.strictObject(
  {
    url: z
      .string({ error: URL_CHOICES })
      .regex(/^(https?:\/\/[^/@\s]+|unix:\/\/\/[^\s])/, { error: URL_CHOICES })
      .default("http://localhost:9001/RPC2")
      .describe("Address of its API: `http://host:port/RPC2`, or `unix:///path` of its socket."),
    user: text().optional().describe("User name for its HTTP server."),
    password: z
      .union([text(), secretInput], { error: "write a text, or a reference to a secret" })
      .optional()
      .describe("Password for its HTTP server: text, or a reference to a secret."),
    allowRemote: z
      .boolean({ error: "write true or false" })
      .default(false)
      .describe(
        "Whether `url` may lead to another machine: everything sent there leaves this one, passwords too.",
      ),
    includeDir: pathText("file")
      .optional()
      .describe(
        "Folder named in its `[include]` section, as in `files = DIR/*.conf`: a file for each server is written there. Without it, its programs can be listed and operated, but no server runs there.",
      ),
  },
  { error: "write a block with url and include-dir" },
);

/** A root's settings for all its servers; an `on` block has them for some machines. */
export const defaultsInput = serverInput.omit({ on: true }).partial();

const ofMachines = {
  backend: oneOf(BACKENDS).default("agent").describe("What runs the servers."),
  defaults: defaultsInput
    .prefault({})
    .describe("Settings for every server. Blocks and `env` are merged key by key, lists are replaced."),
  path: z
    .array(pathText("file"), { error: "write a list of folders" })
    .default([])
    .describe("Folders to look for programs in, before those that every server gets."),
  systemd: z
    .strictObject(
      {
        scope: oneOf(CLASSES).default("user").describe("The default `class` of servers under systemd."),
      },
      { error: "write a block with scope" },
    )
    .optional()
    .describe("How systemd is used."),
  supervisord: supervisordInput.optional().describe("The supervisord that runs servers."),
  clients: clientsInput
    .optional()
    .describe(
      "Editors and assistants whose files are to have the project's MCP servers, by name: see [clients](../clients.md).",
    ),
};

/** Settings of a root for some machines. */
export const rootOnInput = z.strictObject(ofMachines).partial().extend({ when: onWhen });

/** A configuration root, apart from its `servers.d` folder. */
export const rootInput = z.strictObject(
  {
    project: serverName
      .optional()
      .describe("Name of the project; defaults to one made from the root folder's name."),
    include: z
      .union([pathText("file"), z.array(pathText("file"))], { error: "write a path or a list of paths" })
      .optional()
      .describe(
        "Other files with parts of the project: paths or patterns (`work/*.kdl`), relative to this file. This file's `defaults` apply to them too.",
      ),
    ...ofMachines,
    on: z
      .array(rootOnInput, {
        error: "write a list of blocks, each with when and settings",
      })
      .optional()
      .describe(
        "Settings for some machines: blocks that are merged into the root, in order, on machines that their `when` matches.",
      ),
    servers: z
      .record(serverName, serverInput, { error: "write a map of servers" })
      .default({})
      .describe("Servers by name."),
    actions: actionsInput.default({}).describe("Actions that belong to no server, by name: `xy run action`."),
    when: whenInput.optional().describe("Machines on which this root declares anything."),
  },
  { error: "write a block that describes the project" },
);

export type RootInput = z.input<typeof rootInput>;
export type FilledRoot = z.output<typeof rootInput>;
export type WhenInput = z.input<typeof whenInput>;
/** A server with every default that does not depend on the machine. */
export type FilledServer = z.output<typeof serverInput>;
