// The one connection to the server: it tries again until there is a server, and says how it stands.
const FIRST_WAIT_MS = 300, LONGEST_WAIT_MS = 5000, GOING_AWAY = 1001;

export class Link {
  constructor({ onMessages, onState }) {
    this.onMessages = onMessages;
    this.onState = onState;
    this.waitMs = FIRST_WAIT_MS;
    this.connect();
  }

  connect() {
    const at = new URL("live", location.href);
    at.protocol = at.protocol === "https:" ? "wss:" : "ws:";
    at.search = at.hash = "";
    this.socket = new WebSocket(at);
    this.socket.addEventListener("open", () => {
      this.waitMs = FIRST_WAIT_MS;
      this.ended = false;
      this.onState("connected");
    });
    this.socket.addEventListener("message", (event) => {
      const [number, messages] = JSON.parse(event.data);
      this.onMessages(messages);
      if (number) requestAnimationFrame(() => this.send({ type: "got", number }));
    });
    this.socket.addEventListener("close", (event) => {
      this.ended ||= event.code === GOING_AWAY;
      this.again();
    });
  }

  async again() {
    if (!this.refused) this.onState(this.ended ? "ended" : "lost");
    await new Promise((done) => setTimeout(done, this.waitMs * (0.75 + Math.random() / 2)));
    this.waitMs = Math.min(LONGEST_WAIT_MS, this.waitMs * 1.6);
    // A socket does not say why it was refused; this does.
    const answer = await fetch("alive", { cache: "no-store" }).catch(() => null);
    this.refused = answer?.status === 401;
    if (this.refused) { this.onState("refused"); this.waitMs = LONGEST_WAIT_MS; }
    if (answer?.ok) this.connect(); else this.again();
  }

  send(message) {
    if (this.socket?.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify(message));
  }
}
