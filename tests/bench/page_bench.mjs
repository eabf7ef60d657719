// What the page costs the daemon: processor time of its control thread with 200 live calls, without a page and with some.
//
//   OFFHOOK_PROGRAM=build/offhook OFFHOOK_PIPELINES=pipelines OFFHOOK_BROWSER_MODULES=build/browser node tests/bench/page_bench.mjs [--calls 200] [--pages 1,5] [--seconds 10]
//
// One JSON object on standard output; shares are of one core. The control thread is what a page can slow down; media has its own.
import { readdirSync, readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { callsOf, end, eventually, require, startCaller, startDaemon } from "../browser/page_daemon.mjs";

const { values: options } = parseArgs({
  options: {
    calls: { type: "string", default: "200" },
    pages: { type: "string", default: "1,5" },
    seconds: { type: "string", default: "10" },
  },
});
const WebSocket = require("ws");
const TICKS_PER_S = 100;
const many = Number(options.calls);

/** Of the main thread and of all, in seconds. */
function spentBy(pid) {
  const of = (path) => {
    const fields = readFileSync(path, "utf8").replace(/^.*\) /, "").split(" ");
    return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_S;
  };
  return { control: of(`/proc/${pid}/task/${pid}/stat`), all: readdirSync(`/proc/${pid}/task`).reduce((sum, task) => sum + of(`/proc/${pid}/task/${task}/stat`), 0) };
}

async function measure(daemon, pages) {
  const sockets = [];
  let bytes = 0;
  let ticks = 0;
  for (let each = 0; each < pages; ++each) {
    const socket = new WebSocket(`ws://${daemon.http}/api/v1/live`);
    await new Promise((resolve, reject) => socket.on("open", resolve).on("error", reject));
    socket.on("message", (text) => {
      bytes += text.length;
      ++ticks;
    });
    socket.send('{"type":"watch"}');
    sockets.push(socket);
  }
  if (pages > 0) await eventually(() => ticks >= 5 * pages, "the feed");
  const [before, at, bytesBefore, ticksBefore] = [spentBy(daemon.pid), performance.now(), bytes, ticks];
  await new Promise((resolve) => setTimeout(resolve, Number(options.seconds) * 1000));
  const [after, took] = [spentBy(daemon.pid), (performance.now() - at) / 1000];
  for (const socket of sockets) socket.close();
  return {
    pages,
    control_share: Number(((after.control - before.control) / took).toFixed(4)),
    process_share: Number(((after.all - before.all) / took).toFixed(4)),
    bytes_per_page_and_s: pages > 0 ? Math.round((bytes - bytesBefore) / pages / took) : 0,
    texts_per_page_and_s: pages > 0 ? Number(((ticks - ticksBefore) / pages / took).toFixed(2)) : 0,
  };
}

try {
  const daemon = await startDaemon();
  startCaller(daemon, { from: "many", calls: many, rate: 40 });
  await eventually(async () => (await callsOf(daemon)).filter(({ state }) => state === "answered").length === many, `${many} calls`, 120_000);
  const runs = [];
  for (const pages of [0, ...options.pages.split(",").map(Number)]) runs.push(await measure(daemon, pages));
  const [without, ...others] = runs;
  for (const run of others) run.page_share = Number((run.control_share - without.control_share).toFixed(4));
  console.log(JSON.stringify({ bench: "page", calls: many, runs }));
} finally {
  await end();
}
