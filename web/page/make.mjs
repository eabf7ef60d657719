// Builds the page for web/page/meson.build: packages of npm, Vite, and one C file with everything in it.
//
//   node make.mjs --root SOURCE --work FOLDER --output FILE.c --depfile FILE.d [--needed]
//
// Without the registry the program is built all the same, with a page that says what to do; with --needed that is an error.
// The source folder is only read: packages and everything made are in FOLDER.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join, relative, resolve } from "node:path";
import { parseArgs } from "node:util";
import { gzipSync } from "node:zlib";

const { values: options } = parseArgs({
  options: {
    root: { type: "string" },
    work: { type: "string" },
    output: { type: "string" },
    depfile: { type: "string" },
    needed: { type: "boolean", default: false },
  },
});
const page = join(options.root, "web/page");
const client = join(options.root, "web/client/src");
const findings = join(options.root, "src/diagnosis/findings.json");
const work = resolve(options.work);
const stamp = join(work, "installed");
// The viewer of the API's document comes as one file that needs none of the packages that npm would fetch with it.
const viewer = {
  package: "rapidoc@9.3.8",
  archive: "rapidoc-9.3.8.tgz",
  sha512: "eCYEbr1Xr8OJZvVCw8SXl9zBCRoLJbhNGuG5IZTHq/RWAOq/O4MafUCuFEyZHsrhLrlUcGZMa64pyhpib8fQKQ==",
};
const own = ["index.html", "vite.config.mjs", "tsconfig.json"];

function filesOf(folder) {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name))
    .sort();
}

/** Runs a program in the work folder; its output is shown when it fails. */
function run(program, args) {
  const done = spawnSync(program, args, { cwd: work, encoding: "utf8" });
  if (done.status === 0) return;
  const said = `${done.stdout ?? ""}${done.stderr ?? ""}${done.error ?? ""}`.trim();
  throw new Error(`${program} ${args.join(" ")} failed:\n${said}`);
}

function fetchViewer() {
  run("npm", ["pack", viewer.package, "--silent"]);
  const found = createHash("sha512").update(readFileSync(join(work, viewer.archive))).digest("base64");
  if (found !== viewer.sha512) throw new Error(`${viewer.archive} is not what it should be: sha512 ${found}`);
  mkdirSync(join(work, "viewer"), { recursive: true });
  run("tar", ["-xzf", viewer.archive, "-C", "viewer", "--strip-components=1", "package/dist/rapidoc-min.js", "package/LICENSE.txt"]);
}

function addViewer() {
  const docs = join(work, "dist/docs");
  cpSync(join(page, "docs"), docs, { recursive: true });
  cpSync(join(work, "viewer/dist/rapidoc-min.js"), join(docs, "rapidoc.js"));
  cpSync(join(work, "viewer/LICENSE.txt"), join(docs, "rapidoc-license.txt"));
}

function fetchPackages() {
  const lock = readFileSync(join(page, "package-lock.json"), "utf8") + viewer.sha512;
  if (existsSync(stamp) && readFileSync(stamp, "utf8") === lock) return;
  rmSync(work, { recursive: true, force: true });
  mkdirSync(work, { recursive: true });
  for (const name of ["package.json", "package-lock.json"]) cpSync(join(page, name), join(work, name));
  // Nobody's install script runs: the packages are only read.
  run("npm", ["ci", "--omit=dev", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]);
  fetchViewer();
  // Written last, so that a broken run starts again.
  writeFileSync(stamp, lock);
}

function build() {
  for (const name of ["src", "client", "dist"]) rmSync(join(work, name), { recursive: true, force: true });
  for (const name of [...own, "src"]) cpSync(join(page, name), join(work, name), { recursive: true });
  cpSync(client, join(work, "client/src"), { recursive: true });
  // As web/client/build.mjs makes it: the daemon's own table of findings.
  const known = JSON.stringify(JSON.parse(readFileSync(findings, "utf8")), null, 2);
  writeFileSync(
    join(work, "client/src/findings.ts"),
    `import type { Finding } from "./finding.js";\nexport const FINDINGS = ${known} as const satisfies readonly Finding[];\n`,
  );
  run(process.execPath, [join(work, "node_modules/vite/bin/vite.js"), "build"]);
}

/** A GResource of all files of a folder, each also as gzip made it where that is smaller. */
function pack(folder) {
  const entries = [];
  for (const file of filesOf(folder).filter((name) => !name.endsWith(".gz"))) {
    const whole = readFileSync(file);
    entries.push(relative(folder, file));
    const small = gzipSync(whole, { level: 9 });
    if (small.length > 0.9 * whole.length) continue;
    writeFileSync(`${file}.gz`, small);
    entries.push(`${relative(folder, file)}.gz`);
  }
  const list = entries.map((name) => `    <file>${name}</file>`).join("\n");
  const xml = join(work, "page.gresource.xml");
  writeFileSync(xml, `<gresources>\n  <gresource prefix="/offhook/page">\n${list}\n  </gresource>\n</gresources>\n`);
  run("glib-compile-resources", [
    ...["--sourcedir", folder, "--generate-source", "--c-name", "offhook_page"],
    ...["--target", resolve(options.output), xml],
  ]);
}

const inputs = [...filesOf(join(page, "src")), ...filesOf(join(page, "docs")), ...filesOf(client), findings, join(page, "no-page/index.html")];
inputs.push(...[...own, "package.json", "package-lock.json", "make.mjs"].map((name) => join(page, name)));
try {
  fetchPackages();
  build();
  addViewer();
  pack(join(work, "dist"));
} catch (error) {
  // A mistake in the page itself is always one.
  if (options.needed || existsSync(stamp)) {
    console.error(String(error.message));
    process.exit(1);
  }
  console.error(`warning: the page of the daemon is not built (${error.message}); the next build tries again`);
  mkdirSync(work, { recursive: true });
  const bare = join(work, "bare");
  rmSync(bare, { recursive: true, force: true });
  cpSync(join(page, "no-page/index.html"), join(bare, "index.html"));
  pack(bare);
  // It is not there, so ninja runs this again.
  inputs.push(stamp);
}
writeFileSync(options.depfile, `${options.output}: ${inputs.map((name) => name.replaceAll(" ", "\\ ")).join(" ")}\n`);
