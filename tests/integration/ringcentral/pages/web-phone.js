// The vendor's own client, as their examples use it.
import { ToneMeter } from "./sound.js";
import * as vendor from "/modules/ringcentral-web-phone.js";

const WebPhone = [vendor.default, vendor.default?.default].find((one) => typeof one === "function");
const sessions = [];
let phone = null;
let meter = null;

// Their client asks for a microphone that takes a steady tone for noise.
const getUserMedia = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
navigator.mediaDevices.getUserMedia = ({ audio }) => {
  const plain = { echoCancellation: false, noiseSuppression: false, autoGainControl: false };
  return getUserMedia({ audio: { ...(audio === true ? {} : audio), ...plain } });
};

window.start = async (sipInfo, instanceId) => {
  phone = new WebPhone({ sipInfo, instanceId });
  phone.on("inboundCall", (session) => sessions.push(session));
  await phone.start();
};

window.calls = () => ({ count: sessions.length, states: sessions.map((session) => session.state) });

window.answer = async (index) => sessions[index].answer();

window.listen = async (index, frequencyHz) => {
  meter?.stop();
  meter = new ToneMeter(frequencyHz);
  const tracks = sessions[index].rtcPeerConnection.getReceivers().map((receiver) => receiver.track);
  meter.listen(new MediaStream(tracks));
};

window.heard = () => ({ share: meter.looks === 0 ? 0 : meter.heard / meter.looks, looks: meter.looks });

// These wait for a CANCEL that they send themselves, and so for ever: nobody waits for them.
window.toVoicemail = async (index) => void sessions[index].toVoicemail();
window.decline = async (index) => void sessions[index].decline();
window.record = async (index) => sessions[index].startRecording();
window.stop = async () => phone.dispose();
