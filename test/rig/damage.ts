import { execFileSync } from "node:child_process";
import * as fs from "node:fs";

/** What a power cut, a full disk, a careless hand or a file manager makes of a file or folder of the state tree. */
export const DAMAGES: readonly (readonly [how: string, damage: (path: string) => void])[] = [
  ["gone", (path) => fs.rmSync(path, { recursive: true, force: true })],
  ["cut in half", (path) => overwrite(path, (old) => old.subarray(0, old.length >> 1))],
  ["empty", (path) => overwrite(path, () => Buffer.of())],
  ["full of zeros", (path) => overwrite(path, (old) => Buffer.alloc(old.length || 8))],
  ["a folder", (path) => replace(path, () => fs.mkdirSync(`${path}/full`, { recursive: true }))],
  ["a link to nowhere", (path) => replace(path, () => fs.symlinkSync("/nowhere/at/all", path))],
  ["a link to itself", (path) => replace(path, () => fs.symlinkSync(path, path))],
  ["a pipe", (path) => replace(path, () => execFileSync("mkfifo", [path]))],
];

/** A folder is replaced by a file. */
function overwrite(path: string, change: (old: Buffer) => Buffer): void {
  const isFile = fs.statSync(path, { throwIfNoEntry: false })?.isFile() ?? false;
  const fresh = change(isFile ? fs.readFileSync(path) : Buffer.from("a file\n"));
  replace(path, () => fs.writeFileSync(path, fresh, { mode: 0o600 }));
}

function replace(path: string, make: () => void): void {
  fs.rmSync(path, { recursive: true, force: true });
  make();
}
