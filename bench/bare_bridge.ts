/** The least a relay can do, and so the limit for every other: hands each message on. @module */
const consumers = new Map<string, WebSocket>();
const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, (request) => {
  if (request.headers.get("upgrade") !== "websocket") return new Response("", { status: 426 });
  const [, face, id] = new URL(request.url).pathname.split("/");
  const { socket, response } = Deno.upgradeWebSocket(request);
  if (face === "consume") {
    consumers.set(id, socket);
    socket.onclose = () => consumers.delete(id);
  } else {
    socket.onopen = () => {
      const consumer = consumers.get(id);
      socket.onmessage = ({ data }) => consumer?.send(data);
    };
  }
  return response;
});
console.log(`ws://127.0.0.1:${server.addr.port}`);
