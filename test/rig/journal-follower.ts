import { journalLines } from "../../src/backends/units/systemd/journal.ts";

/** Prints what an identifier writes into the journal from now on, until it is ended. */
const [, , identifier = ""] = process.argv;
const origin = { identifier, uid: process.getuid?.() ?? 0 };
const request = { tail: 10, follow: true };
for await (const { line } of journalLines(origin, request, new AbortController().signal))
  process.stdout.write(`${line}\n`);
