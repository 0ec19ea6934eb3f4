// A bridge without the rest of xy, which is copied as it is to where the agent runs. It is no ES module: see `build.ts`.
const { runBridge } = require("../dist/bridge.cjs");

runBridge(process.argv.slice(2)).then((code) => process.exit(code));
