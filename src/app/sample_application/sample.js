"use strict";

const byId = (id) => document.getElementById(id);

const lines = [];
function show(line) {
  lines.unshift(line);
  lines.length = Math.min(lines.length, 30);
  byId("socket").textContent = lines.join("\n");
}

const scheme = location.protocol === "https:" ? "wss" : "ws";
const socket = new WebSocket(`${scheme}://${location.host}/socket`);
socket.addEventListener("message", (event) => {
  const last = lines.length > 0 && lines[0].startsWith("tick ");
  if (event.data.startsWith("tick ") && last) lines.shift();
  show(event.data);
});
socket.addEventListener("close", () => show("The socket was closed."));

byId("say").addEventListener("submit", (event) => {
  event.preventDefault();
  socket.send(byId("message").value);
  byId("message").value = "";
});

byId("fetch").addEventListener("click", async () => {
  const answer = await fetch("/whoami");
  const body = await answer.json();
  byId("fetched").textContent = `${answer.status}\n${JSON.stringify(body, null, 2)}`;
});

byId("file").addEventListener("change", async (event) => {
  const file = event.target.files[0];
  if (!file) return;
  byId("uploaded").textContent = "Uploading…";
  const answer = await fetch("/upload", { method: "POST", body: file });
  const body = await answer.json();
  byId("uploaded").textContent = answer.ok ? `The application got ${body.bytes} bytes.` : `Refused: ${answer.status}`;
});
