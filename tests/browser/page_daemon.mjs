// What the tests of the page (page_test.mjs) start: the program as daemon and as callers, and Chromium. Everything ends with `end()`.
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";

const program = process.env.OFFHOOK_PROGRAM;
const modules = process.env.OFFHOOK_BROWSER_MODULES;
export const require = createRequire(join(modules, "package.json"));

const folder = mkdtempSync(join(tmpdir(), "offhook-page-"));
const children = new Set();

function start(args, { fd } = {}) {
  const child = spawn(program, args, {
    stdio: ["ignore", "pipe", "pipe", ...(fd ? ["pipe"] : [])],
  });
  children.add(child);
  child.said = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (bytes) => (child.said += bytes));
  child.over = new Promise((resolve) => child.on("exit", resolve));
  child.over.then(() => children.delete(child));
  return child;
}

/** SIGTERM, and SIGKILL when that does not do within 8 s. */
export async function stop(child) {
  child.kill("SIGTERM");
  const timer = setTimeout(() => child.kill("SIGKILL"), 8_000);
  await child.over;
  clearTimeout(timer);
}

/** `offhook serve`; with `listen` at an address of before. */
export async function startDaemon({ more = "", listen = "127.0.0.1:0" } = {}) {
  const file = join(folder, `offhook-${children.size}.toml`);
  writeFileSync(
    file,
    `[http]\nlisten = "${listen}"\n[sip]\nlisten = ["udp:127.0.0.1:0"]\n[media]\nrealtime = false\npipelines = "${process.env.OFFHOOK_PIPELINES}"\n[drain]\ntimeout_s = 1\n[admission]\ntick_p99_ms = 1000\n${more}`,
  );
  const daemon = start(["serve", "--config", file, "--ready-fd", "3"], { fd: true });
  const line = await new Promise((resolve, reject) => {
    let said = "";
    daemon.stdio[3].on("data", (bytes) => {
      said += bytes;
      if (said.includes("\n")) resolve(said);
    });
    daemon.over.then((code) => reject(new Error(`the daemon ended with ${code}:\n${daemon.said}`)));
  });
  daemon.http = /http:\/\/(\S+)/.exec(line)[1];
  daemon.sip = /udp:(\S+)/.exec(line)[1];
  daemon.get = async (path) => (await fetch(`http://${daemon.http}${path}`)).json();
  return daemon;
}

/** `offhook call`, many at once. */
export function startCaller(daemon, { to = "echo", from = "anna", calls = 1, seconds = 600, rate = 20, args = [] } = {}) {
  const counts = ["--calls", String(calls), "--seconds", String(seconds), "--rate", String(rate)];
  return start(["call", `sip:${to}@${daemon.sip}`, "--from", from, ...counts, "--quiet", ...args]);
}

/** Waits until `is()` holds. */
export async function eventually(is, what, limitMs = 20_000) {
  const until = Date.now() + limitMs;
  for (;;) {
    let problem = "";
    try {
      if (await is()) return;
    } catch (error) {
      problem = `: ${error.message}`;
    }
    if (Date.now() > until) throw new Error(`${what} did not come within ${limitMs / 1000} s${problem}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

export const callsOf = async (daemon) => (await daemon.get("/api/v1/calls?limit=500")).items;

export async function startBrowser() {
  const { chromium } = require("playwright-core");
  return chromium.launch({
    executablePath: process.env.OFFHOOK_CHROMIUM || "/usr/bin/chromium",
    chromiumSandbox: false,
    args: [
      "--use-fake-device-for-media-stream",
      "--autoplay-policy=no-user-gesture-required",
      "--allow-loopback-in-peer-connection",
      "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
      "--no-proxy-server",
      "--disable-quic",
    ],
  });
}

export async function end() {
  await Promise.all([...children].map(stop));
  rmSync(folder, { recursive: true, force: true });
}
