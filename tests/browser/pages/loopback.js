// Two peer connections of one page talk to each other: proves browser, fake microphone, loopback ICE and the meters.
import { measure, microphone, ToneMeter } from "./sound.js";

window.talk = async (frequencyHz, lengthMs) => {
  const near = new RTCPeerConnection();
  const far = new RTCPeerConnection();
  const meter = new ToneMeter(frequencyHz);
  const candidates = [];
  near.onicecandidate = ({ candidate }) => {
    if (candidate) candidates.push(candidate.candidate);
    far.addIceCandidate(candidate ?? undefined);
  };
  far.onicecandidate = ({ candidate }) => near.addIceCandidate(candidate ?? undefined);
  const heard = new Promise((resolve) => {
    far.ontrack = ({ streams }) => resolve(streams[0]);
  });
  const voice = await microphone();
  near.addTrack(voice.getTracks()[0], voice);
  await near.setLocalDescription();
  await far.setRemoteDescription(near.localDescription);
  await far.setLocalDescription();
  await near.setRemoteDescription(far.localDescription);
  meter.listen(await heard);
  while (far.connectionState !== "connected") {
    await new Promise((resolve) => far.addEventListener("connectionstatechange", resolve, { once: true }));
  }
  // The first second fills the jitter buffer.
  await new Promise((resolve) => setTimeout(resolve, 1000));
  const result = { candidates, ...(await measure(far, meter, lengthMs)) };
  meter.stop();
  near.close();
  far.close();
  return result;
};
