// Loaded into a command with `node --import`: ends it with SIGKILL just before its n-th step that the world can see,
// n from DIE_AT_STEP. A step is a rename, a link, a removal, or a write to a socket or to standard output; with
// DIE_AT_PATHS, an expression, only what is done to a file whose path it matches.
import fs from "node:fs";
import { syncBuiltinESMExports } from "node:module";
import { Socket } from "node:net";

let left = Number(process.env.DIE_AT_STEP);
const paths = process.env.DIE_AT_PATHS;
const counts = (args) =>
  paths === undefined || args.slice(0, 2).some((arg) => new RegExp(paths).test(String(arg)));

function before(owner, name) {
  const real = owner[name];
  owner[name] = function step(...args) {
    if (counts(args) && --left === 0) process.kill(process.pid, "SIGKILL");
    return real.apply(this, args);
  };
}

for (const name of ["renameSync", "linkSync", "rmSync", "writeFileSync"]) before(fs, name);
before(Socket.prototype, "write");
before(process.stdout, "write");
syncBuiltinESMExports();
