// A client not written by us, the npm package ws, against our listener.
//   node ws_client.mjs MODULES URL SUBPROTOCOL   echoes of all lengths; prints what differs, exits with 1
//   node ws_client.mjs MODULES URL --status      prints the status and the body of a refusal
import { createRequire } from 'node:module';

const [modules, url, mode] = process.argv.slice(2);
const { WebSocket } = createRequire(modules + '/')('ws');
const fail = (why) => {
  console.log(why);
  process.exit(1);
};

if (mode === '--status') {
  const socket = new WebSocket(url);
  socket.on('unexpected-response', async (_, response) => {
    let body = '';
    for await (const part of response) body += part;
    console.log(`${response.statusCode} ${body}`);
    process.exit(0);
  });
  socket.on('open', () => fail('it opened'));
} else {
  const socket = new WebSocket(url, mode, { perMessageDeflate: true });
  const sent = [];
  socket.on('open', () => {
    if (socket.protocol !== mode) fail(`subprotocol ${socket.protocol}`);
    for (const size of [0, 1, 125, 126, 65535, 65536, 1 << 20]) {
      const bytes = Buffer.alloc(size, 'abcdefghij0123456789');
      for (const binary of [false, true]) {
        sent.push({ bytes, binary });
        socket.send(bytes, { binary });
      }
    }
    // In pieces, with a ping between them.
    sent.push({ bytes: Buffer.from('one-two-three'), binary: false });
    socket.send('one-', { fin: false });
    socket.ping('are you there');
    socket.send('two-', { fin: false });
    socket.send('three', { fin: true });
  });
  let pongs = 0;
  socket.on('pong', (data) => (pongs += data.toString() === 'are you there'));
  let received = 0;
  socket.on('message', (data, isBinary) => {
    const { bytes, binary } = sent[received++];
    if (binary !== isBinary || !bytes.equals(data)) fail(`message ${received} of ${bytes.length} bytes differs`);
    if (received === sent.length) socket.close(4001, 'thanks');
  });
  socket.on('error', (error) => fail(`error ${error.message}`));
  socket.on('close', (code, reason) => {
    if (received !== sent.length || pongs !== 1) fail(`closed ${code} ${reason} after ${received} messages, ${pongs} pongs`);
    console.log(`closed ${code}`);
    process.exit(0);
  });
}
