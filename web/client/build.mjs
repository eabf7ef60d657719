// Compiles the package into dist. The table of findings is the daemon's own, copied in, so that both know the same codes.
import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const findings = JSON.parse(readFileSync(here("../../src/diagnosis/findings.json"), "utf8"));

writeFileSync(
  here("src/findings.ts"),
  `// Made by build.mjs from src/diagnosis/findings.json.
import type { Finding } from "./finding.js";

/** Everything that is known to go wrong, by its stable code. */
export const FINDINGS = ${JSON.stringify(findings, null, 2)} as const satisfies readonly Finding[];
`,
);
rmSync(here("dist"), { recursive: true, force: true });
const compiler = createRequire(import.meta.url).resolve("typescript/bin/tsc");
const compiled = spawnSync(process.execPath, [compiler, "--project", here("tsconfig.json")], { stdio: "inherit" });
if (compiled.status !== 0) process.exit(1);
mkdirSync(here("dist"), { recursive: true });
writeFileSync(here("dist/findings.json"), `${JSON.stringify(findings, null, 2)}\n`);
