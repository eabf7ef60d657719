// A client of WHIP (RFC 9725) and WHEP: a POST joins, PATCH brings candidates and restarts ICE, DELETE leaves.
import { Peer } from "./peer.js";

let peer;
let session;
let etag;
let token;

function headers(more) {
  return token ? { Authorization: `Bearer ${token}`, ...more } : more;
}

function credentials(sdp) {
  return sdp.match(/a=ice-(ufrag|pwd):.*\r\n/g).slice(0, 2).join("");
}

async function patch(ifMatch, candidates) {
  const lines = candidates.map((candidate) => (candidate ? `a=${candidate.candidate}\r\n` : "a=end-of-candidates\r\n"));
  const body = `${credentials(peer.connection.localDescription.sdp)}m=audio 9 UDP/TLS/RTP/SAVPF 0\r\na=mid:0\r\n${lines.join("")}`;
  return fetch(session, {
    method: "PATCH",
    headers: headers({ "Content-Type": "application/trickle-ice-sdpfrag", "If-Match": ifMatch }),
    body,
  });
}

async function good(response, status) {
  if (response.status !== status) throw new Error(`${response.status}: ${await response.text()}`);
  return response;
}

/** @param how  {server: "http://127.0.0.1:5000", door: "whip", endpoint, direction, token}; resolves when media can flow */
window.join = async (how) => {
  token = how.token;
  peer = new Peer(how.direction);
  const url = `${how.server}/${how.door}/${how.endpoint}`;
  const body = await peer.offer();
  const made = await good(
    await fetch(url, { method: "POST", headers: headers({ "Content-Type": "application/sdp" }), body }),
    201,
  );
  session = new URL(made.headers.get("Location"), url).href;
  etag = made.headers.get("ETag");
  await peer.take(await made.text());
  await peer.gathered();
  await good(await patch(etag, [...peer.candidates, null]), 204);
  await peer.connected();
  return peer.stats();
};

/** `sdp` with the ICE and DTLS lines of a fragment. */
function renewed(sdp, fragment) {
  const fresh = fragment.match(/a=(ice-ufrag|ice-pwd|ice-options|fingerprint|setup|candidate|end-of-candidates).*\r\n/g);
  const kept = sdp.replace(/a=(ice-ufrag|ice-pwd|ice-options|fingerprint|setup|candidate|end-of-candidates).*\r\n/g, "");
  return kept + fresh.join("");
}

/** New ICE credentials for the running call; resolves when it goes on with them. */
window.restartIce = async () => {
  const before = peer.connection.remoteDescription.sdp;
  await peer.restartOffer();
  await peer.gathered();
  const response = await good(await patch("*", [...peer.candidates, null]), 200);
  etag = response.headers.get("ETag");
  await peer.take(renewed(before, await response.text()));
  await peer.connected();
  return { etag, ufrag: /a=ice-ufrag:(\S+)/.exec(peer.connection.remoteDescription.sdp)[1] };
};

window.listen = (frequencyHz, lengthMs) => peer.listen(frequencyHz, lengthMs);
window.stats = () => peer.stats();

/** Deletes the session twice; resolves with the two statuses. */
window.leave = async () => {
  const first = await fetch(session, { method: "DELETE", headers: headers({}) });
  const second = await fetch(session, { method: "DELETE", headers: headers({}) });
  peer.close();
  return { first: first.status, second: second.status };
};
