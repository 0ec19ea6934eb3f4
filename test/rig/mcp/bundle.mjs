import { mkdirSync, renameSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { pathToFileURL } from "node:url";
import { rolldown } from "rolldown";

/** `node bundle.mjs PROGRAM FILE`: writes the program, with all that it imports, to one file. */
const [input, file] = process.argv.slice(2);

/** Modules that read files beside them find those where they were. */
const inPlace = {
  name: "in-place",
  transform: (code, id) => {
    if (!code.includes("import.meta.url")) return null;
    return code.replaceAll("import.meta.url", JSON.stringify(pathToFileURL(id).href));
  },
};

const bundle = await rolldown({ input, platform: "node", plugins: [inPlace], logLevel: "silent" });
const { output } = await bundle.generate({ format: "esm", codeSplitting: false });
mkdirSync(dirname(file), { recursive: true });
// Several test files may begin with it at once.
const own = `${file}.${process.pid}`;
writeFileSync(own, output[0].code);
renameSync(own, file);
