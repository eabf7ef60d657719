// Keeps account of everything a page opens that has to be closed again. Imported before what is watched.

const made = { sockets: [], peers: [], contexts: [], tracks: [], channels: [], timers: new Set(), listeners: new Map() };

/** What `target[name]` makes is kept in `list`. */
function keep(name, list, target = window) {
  const Original = target[name];
  target[name] = class extends Original {
    constructor(...given) {
      super(...given);
      list.push(this);
    }
  };
}
keep("WebSocket", made.sockets);
keep("RTCPeerConnection", made.peers);
keep("AudioContext", made.contexts);
keep("BroadcastChannel", made.channels);

export const realGetUserMedia = navigator.mediaDevices?.getUserMedia.bind(navigator.mediaDevices);
/** Who gives the stream instead of the microphone; undefined: the microphone. */
let source;
export function takeSoundFrom(given) {
  source = given;
}
if (navigator.mediaDevices) {
  navigator.mediaDevices.getUserMedia = async (asked) => {
    const stream = source ? await source(asked) : await realGetUserMedia(asked);
    made.tracks.push(...stream.getTracks());
    return stream;
  };
}

for (const [start, stop, isOnce] of [
  ["setTimeout", "clearTimeout", true],
  ["setInterval", "clearInterval", false],
]) {
  const realStart = window[start].bind(window);
  const realStop = window[stop].bind(window);
  window[start] = (work, ms, ...rest) => {
    const timer = realStart(
      (...given) => {
        if (isOnce) made.timers.delete(timer);
        work(...given);
      },
      ms,
      ...rest,
    );
    made.timers.add(timer);
    return timer;
  };
  window[stop] = (timer) => {
    made.timers.delete(timer);
    realStop(timer);
  };
}

for (const target of [window, document, navigator.mediaDevices].filter(Boolean)) {
  const add = target.addEventListener.bind(target);
  const remove = target.removeEventListener.bind(target);
  target.addEventListener = (name, listener, ...rest) => {
    made.listeners.set(listener, name);
    add(name, listener, ...rest);
  };
  target.removeEventListener = (name, listener, ...rest) => {
    made.listeners.delete(listener);
    remove(name, listener, ...rest);
  };
}

export const { sockets, peers, contexts, tracks } = made;

/** How much was opened, and how much of it is open now. */
export function account() {
  const open = {
    sockets: made.sockets.filter(({ readyState }) => readyState !== 3).length,
    peers: made.peers.filter(({ connectionState }) => connectionState !== "closed").length,
    contexts: made.contexts.filter(({ state }) => state !== "closed").length,
    tracks: made.tracks.filter(({ readyState }) => readyState === "live").length,
    // A closed one does not take a message.
    channels: made.channels.filter((channel) => {
      try {
        channel.postMessage(null);
        return true;
      } catch {
        return false;
      }
    }).length,
    timers: made.timers.size,
    listeners: made.listeners.size,
  };
  const ever = { sockets: made.sockets.length, peers: made.peers.length, contexts: made.contexts.length, tracks: made.tracks.length };
  return { open, left: Object.values(open).reduce((sum, count) => sum + count, 0), ever };
}
