// Headless Chromium for the C++ tests: opens pages of pages/ and calls their functions. README.md explains the whole.
//
//   node browser.mjs --modules FOLDER [--module NAME=FILE.js]... [--pages FOLDER]... [--says FILE.wav] [--trusts FILE.pem]...
//                    [--asks-to-play] [--net-log FILE]
//
// Descriptor 3 gets the line `ready http://127.0.0.1:PORT`. That server gives out the pages and takes the orders:
//   GET  /pages/FILE               of the --pages folders, the first that has it
//   GET  /modules/NAME.js          an npm package, or a --module, bundled for the browser
//   POST /open  {"page": "phone.html"}                                -> {"page": 0}
//               "denies": true: the page may not use the microphone; "plain": true: it is no secure page for the browser
//   POST /call  {"page": 0, "function": "dial", "arguments": [...]}   -> what the function returned
//   POST /click {"page": 0}                                           a person clicks in it
//   POST /network {"to": {"address", "port"}, "loss": 0.1 ...}         a bad way there, for pages too; bad_network.mjs
//   POST /close {"page": 0}
// An order that fails is answered with 500 and the reason as text. After SIGTERM the exit code is 3 when the net log shows
// that something left this machine.
import { createHash, X509Certificate } from "node:crypto";
import { existsSync, readFileSync, writeSync } from "node:fs";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { networkInterfaces } from "node:os";
import { basename, extname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { BadNetwork } from "./bad_network.mjs";

const { values: options } = parseArgs({
  options: {
    modules: { type: "string" },
    module: { type: "string", multiple: true, default: [] },
    pages: { type: "string", multiple: true, default: [] },
    "asks-to-play": { type: "boolean", default: false },
    says: { type: "string" },
    trusts: { type: "string", multiple: true, default: [] },
    "net-log": { type: "string" },
  },
});
const require = createRequire(join(options.modules, "package.json"));
const { chromium } = require("playwright-core");
const esbuild = require("esbuild");
const pageFolders = [...options.pages, fileURLToPath(new URL("pages", import.meta.url))];
const ownModules = new Map(options.module.map((one) => one.split(/=(.*)/s)));
/** A name of this machine that browsers do not trust as they trust 127.0.0.1. */
const plainHost = "plain.test";
const types = { ".html": "text/html", ".js": "text/javascript", ".wav": "audio/wav" };

/** What Chromium compares a certificate with when it is told to trust one key in spite of its issuer. */
function keyHash(file) {
  const key = new X509Certificate(readFileSync(file)).publicKey.export({ type: "spki", format: "der" });
  return createHash("sha256").update(key).digest("base64");
}

function flags() {
  const list = [
    // The microphone is a file, or beeps.
    "--use-fake-device-for-media-stream",
    `--autoplay-policy=${options["asks-to-play"] ? "document-user-activation-required" : "no-user-gesture-required"}`,
    // ICE as between two machines, but on loopback.
    "--allow-loopback-in-peer-connection",
    // Nothing but loopback is asked for: names are looked up nowhere, and nobody calls home.
    `--host-resolver-rules=MAP ${plainHost} 127.0.0.1, MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost`,
    "--no-proxy-server",
    "--disable-quic",
  ];
  if (options.says) list.push(`--use-file-for-fake-audio-capture=${options.says}`);
  if (options.trusts.length > 0) {
    list.push(`--ignore-certificate-errors-spki-list=${options.trusts.map(keyHash).join(",")}`);
  }
  if (options["net-log"]) list.push(`--log-net-log=${options["net-log"]}`);
  return list;
}

const executablePath = process.env.OFFHOOK_CHROMIUM || "/usr/bin/chromium";
// Signals are handled below.
const noSignals = { handleSIGHUP: false, handleSIGINT: false, handleSIGTERM: false };
const browser = await chromium.launch({ executablePath, args: flags(), chromiumSandbox: false, ...noSignals });
const context = await browser.newContext({ permissions: ["microphone"] });
let deniedContext;
const badNetwork = new BadNetwork();
const pages = [];
const bundles = new Map();

/** An npm package as one module of the browser, built when first asked for. */
function bundle(name) {
  if (!bundles.has(name)) {
    const build = esbuild.build({
      entryPoints: [ownModules.get(name) ?? require.resolve(name)],
      absWorkingDir: options.modules,
      bundle: true,
      format: "esm",
      platform: "browser",
      write: false,
      logLevel: "silent",
    });
    bundles.set(name, build.then((result) => result.outputFiles[0].contents));
  }
  return bundles.get(name);
}

function answer(response, status, type, body) {
  response.writeHead(status, { "Content-Type": type, "Content-Length": Buffer.byteLength(body) }).end(body);
}

async function give(path, response) {
  const [, kind, name = ""] = path.split("/");
  if (kind === "modules") {
    answer(response, 200, types[".js"], await bundle(name.replace(/\.js$/, "")));
    return;
  }
  const folder = kind === "pages" && pageFolders.find((one) => existsSync(join(one, basename(name))));
  if (folder) {
    const type = types[extname(name)] ?? "application/octet-stream";
    answer(response, 200, type, readFileSync(join(folder, basename(name))));
  } else {
    answer(response, kind === "favicon.ico" ? 204 : 404, "text/plain", "");
  }
}

/** Playwright's own calls count as a click of a person. */
async function callWithoutGesture(page, name, given) {
  const session = await page.context().newCDPSession(page);
  const expression = `window[${JSON.stringify(name)}](...${JSON.stringify(given)})`;
  const { result, exceptionDetails } = await session.send("Runtime.evaluate", { expression, awaitPromise: true, returnByValue: true });
  await session.detach();
  if (exceptionDetails) throw new Error(exceptionDetails.exception?.description ?? exceptionDetails.text);
  return result.value ?? {};
}

const orders = {
  async open({ page: file, denies, plain }) {
    // Nobody is asked: who has no permission is denied.
    if (denies) deniedContext ??= await browser.newContext({ permissions: [] });
    const page = await (denies ? deniedContext : context).newPage();
    const number = pages.push(page) - 1;
    page.on("console", (message) => console.log(`page ${number}: ${message.text()}`));
    page.on("pageerror", (error) => console.log(`page ${number}: ${error.stack}`));
    const from = plain ? address.replace("127.0.0.1", plainHost) : address;
    await page.goto(`${from}/pages/${file}`, { waitUntil: "load" });
    return { page: number };
  },
  async call({ page, function: name, arguments: given = [] }) {
    if (options["asks-to-play"]) return callWithoutGesture(pages[page], name, given);
    return (await pages[page].evaluate(([called, passed]) => window[called](...passed), [name, given])) ?? {};
  },
  async click({ page }) {
    await pages[page].mouse.click(5, 5);
    return {};
  },
  async network(how) {
    return { port: await badNetwork.open(how) };
  },
  async close({ page }) {
    await pages[page].close();
    return {};
  },
};

async function obey(request, response) {
  const parts = [];
  for await (const part of request) parts.push(part);
  const order = orders[request.url.slice(1)];
  answer(response, 200, "application/json", JSON.stringify(await order(JSON.parse(Buffer.concat(parts).toString()))));
}

/** Whom Chromium connected to or sent a datagram, other than this machine. */
function strangers(file) {
  const own = Object.values(networkInterfaces()).flat().map(({ address }) => address);
  const log = JSON.parse(readFileSync(file));
  const kinds = new Set(["TCP_CONNECT_ATTEMPT", "UDP_BYTES_SENT"].map((name) => log.constants.logEventTypes[name]));
  const met = log.events.filter(({ type, params }) => kinds.has(type) && params?.address).map(({ params }) => params.address);
  return [...new Set(met)].filter((address) => !own.includes(address.replace(/:\d+$/, "").replace(/[[\]]/g, "")));
}

const server = createServer((request, response) => {
  const work = request.method === "POST" ? obey(request, response) : give(new URL(request.url, address).pathname, response);
  work.catch((error) => answer(response, 500, "text/plain", String(error.message)));
});
await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
const address = `http://127.0.0.1:${server.address().port}`;
let isEnding = false;
browser.on("disconnected", () => isEnding || process.exit(1));
process.on("SIGTERM", async () => {
  isEnding = true;
  await browser.close();
  const met = options["net-log"] ? strangers(options["net-log"]) : [];
  if (met.length > 0) console.log(`left this machine: ${met.join(", ")}`);
  process.exit(met.length > 0 ? 3 : 0);
});
writeSync(3, `ready ${address}\n`);
