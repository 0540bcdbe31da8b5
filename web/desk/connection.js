// The live socket: it comes back by itself, waits longer each time, and notices when nobody is there at the other end.

import { ask, V1 } from "./api.js";
import { language } from "./words.js";

const TIMES = {
  welcomeWithin: 10_000,
  pingEvery: 20_000, // it also says that the agent is there
  pongWithin: 10_000,
  retry: 500, // doubled each time, with as much chance again
  retryMost: 30_000,
};

/** Events: "frame" (detail: the frame), "state" ("connecting", "up", "lost"), "out" (detail: why; nobody is signed in any more). */
export class Connection extends EventTarget {
  state = "connecting";

  #socket = null;
  #tries = 0;
  #watch = null; // timer: after it the silence is the end
  #ping = null;
  #retrying = null;
  #isWanted = false;

  open() {
    this.#isWanted = true;
    addEventListener("online", () => this.#comeBack());
    addEventListener("offline", () => this.#lose());
    document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && this.#comeBack());
    this.#connect();
  }

  close() {
    this.#isWanted = false;
    this.#drop();
  }

  /** Whether the frame is on its way; what only lasts a moment is lost else. */
  send(frame) {
    const isOpen = this.#socket?.readyState === WebSocket.OPEN;
    if (isOpen) this.#socket.send(JSON.stringify(frame));
    return isOpen;
  }

  #connect() {
    clearTimeout(this.#retrying);
    this.#retrying = null;
    if (!this.#isWanted || this.#socket) return;
    const socket = new WebSocket(`${location.origin.replace(/^http/, "ws")}${V1}socket`);
    this.#socket = socket;
    this.#expect(TIMES.welcomeWithin);
    socket.onopen = () => this.send({ type: "hello", v: 1, language });
    socket.onmessage = ({ data }) => this.#take(JSON.parse(data));
    socket.onclose = () => this.#lose();
  }

  #take(frame) {
    clearTimeout(this.#watch);
    if (frame.type === "bye") return this.#end(frame);
    if (frame.type === "pong") return;
    if (frame.type === "welcome") this.#welcomed();
    this.#tell("frame", frame);
  }

  #welcomed() {
    this.#tries = 0;
    clearInterval(this.#ping);
    this.#ping = setInterval(() => this.#check(), TIMES.pingEvery);
    this.#set("up");
  }

  #check() {
    if (this.send({ type: "ping" })) this.#expect(TIMES.pongWithin);
  }

  #expect(period) {
    clearTimeout(this.#watch);
    this.#watch = setTimeout(() => this.#lose(), period);
  }

  #end({ why, after = 1 }) {
    this.#drop();
    if (why === "signed_out") return this.#tell("out", why);
    this.#set("lost");
    this.#again(after * 1000);
  }

  #lose() {
    if (!this.#isWanted) return;
    const wasUp = this.state === "up";
    this.#drop();
    this.#set("lost");
    if (!this.#retrying) this.#again(Math.min(TIMES.retryMost, TIMES.retry * 2 ** this.#tries++));
    if (!wasUp) this.#whoAmI();
  }

  /** A socket that is refused does not say why. */
  async #whoAmI() {
    const refusal = await ask("GET", "me").catch((error) => error);
    if (refusal.status === 401) this.#tell("out", "signed_out");
  }

  /** Not all at once when a server that many talked to comes back. */
  #again(period) {
    this.#retrying = setTimeout(() => this.#connect(), period * (1 + Math.random()));
  }

  #comeBack() {
    if (!this.#isWanted) return;
    if (this.#socket) this.#check();
    else this.#connect();
  }

  #drop() {
    clearTimeout(this.#watch);
    clearInterval(this.#ping);
    const socket = this.#socket;
    this.#socket = null;
    if (!socket) return;
    socket.onopen = socket.onmessage = socket.onclose = null;
    socket.close();
  }

  #set(state) {
    if (state === this.state) return;
    this.state = state;
    this.#tell("state", state);
  }

  #tell(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}
