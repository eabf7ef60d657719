// A peer not written by us: the npm package ws. Its port is the first line on descriptor 3.
//   node ws_server.mjs MODULES [PEM]
// What a connection gets is in its path, see `paths`.
import { readFileSync, writeSync } from 'node:fs';
import { createServer } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import { createRequire } from 'node:module';

const [modules, pem] = process.argv.slice(2);
const { WebSocketServer } = createRequire(modules + '/')('ws');

const paths = {
  echo(socket) {
    socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary }));
    socket.on('close', (code, reason) => console.log(`closed ${code} ${reason}`));
  },
  // Each message in pieces of three bytes, a ping between two of them.
  fragments(socket) {
    socket.on('message', (data, isBinary) => {
      for (let at = 0; at < data.length; at += 3) {
        const fin = at + 3 >= data.length;
        socket.send(data.subarray(at, at + 3), { binary: isBinary, fin });
        if (!fin) socket.ping('between');
      }
    });
    socket.on('pong', (data) => console.log(`pong ${data}`));
  },
  close(socket, request) {
    const code = request.url.split('/')[2];
    if (code) socket.close(Number(code), 'that is all');
    else socket.close();
  },
  cut(socket) {
    socket.terminate();
  },
  headers(socket, request) {
    socket.send(JSON.stringify(request.headers));
  },
  flood(socket) {
    socket.send('x'.repeat(1000));
  },
};

const server = pem ? createSecureServer({ key: readFileSync(pem), cert: readFileSync(pem) }) : createServer();
const sockets = new WebSocketServer({
  noServer: true,
  handleProtocols: (offered) => (offered.has('media') ? 'media' : false),
});
server.on('upgrade', (request, stream, head) => {
  const [, path, argument] = request.url.split('?')[0].split('/');
  stream.on('error', () => {});
  const answer = (line, headers = '') => stream.end(`HTTP/1.1 ${line}\r\n${headers}Content-Length: 0\r\nConnection: close\r\n\r\n`);
  if (path === 'status') return answer(`${argument} Because`);
  if (path === 'to') return answer('302 Found', `Location: ${decodeURIComponent(argument)}\r\n`);
  sockets.handleUpgrade(request, stream, head, (socket) => {
    socket.on('error', (error) => console.log(`error ${error.code}`));
    paths[path](socket, request);
  });
});
server.listen(0, '127.0.0.1', () => writeSync(3, `${server.address().port}\n`));
