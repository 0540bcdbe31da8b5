// Keeps in touch with the assistant: over a WebSocket, or by long polling where none comes about. Both carry the frames of
// docs/webchat-protocol.md; of these, only hello, welcome, ping, pong, bye and a refused hello are of interest here.
// Nothing is measured with the clock, which may jump: there are only periods.

const USUAL = {
  welcomeWithin: 4_000, // else long polling takes over
  socketAgain: 60_000, // after that the socket is tried beside the polling; doubled each time
  socketAgainMost: 900_000,
  poll: 25_000, // how long the server lets a request wait
  pollPatience: 10_000, // and how much longer its answer may take
  pingAfter: 25_000, // of silence
  pongWithin: 8_000,
  retry: 500, // before the second attempt; doubled each time
  retryMost: 60_000,
  anew: 500, // before a hello in the place of a refused one: meanwhile another tab may have become somebody new; doubled each time
  steadyAfter: 10_000, // a connection that lives so long is a good one
};
/** After these we may be another visitor: as the one before, nothing is waited for. */
const REPLACING = ["identify", "restart", "sign_out"];
/** Refusals that say: later. */
export const TRANSIENT = ["busy", "not_now", "too_many"];

/**
 * Events: "frame" (detail: the frame), "status", "up" (welcomed; comes after the frame), "down".
 */
export class Connection extends EventTarget {
  /** @type {"connecting"|"online"|"offline"} offline: an attempt has failed, there will be others */
  status = "connecting";

  #server;
  #hello;
  #times;
  #isWanted = false;
  #links = new Set(); // at most one that is up and one that is being tried
  #up = null;
  #tries = 0;
  #retrying = null; // timer; `isTold`: the server has named the period
  #isTold = false;
  #socketLater = null; // timer, while sockets are in disfavour
  #socketWait;

  /**
   * @param {object} options
   * @param {string} options.server  address of the assistant, without a slash at its end
   * @param {(isFirst: boolean) => object} options.hello  the frame as of this moment; isFirst: opens a connection (long polling says
   *   hello with each request)
   * @param {object} [options.times]  other periods than `USUAL`, in milliseconds
   */
  constructor({ server, hello, times }) {
    super();
    this.#server = server;
    this.#hello = hello;
    this.#times = { ...USUAL, ...times };
    this.#socketWait = this.#times.socketAgain;
  }

  open() {
    if (this.#isWanted) return;
    this.#isWanted = true;
    addEventListener("online", this.#onSign);
    addEventListener("offline", this.#onOffline);
    addEventListener("pageshow", this.#onSign);
    document.addEventListener("visibilitychange", this.#onSign);
    this.#connect();
  }

  close() {
    this.#isWanted = false;
    removeEventListener("online", this.#onSign);
    removeEventListener("offline", this.#onOffline);
    removeEventListener("pageshow", this.#onSign);
    document.removeEventListener("visibilitychange", this.#onSign);
    this.#leave();
  }

  /** Says hello anew, over a new connection. */
  reopen() {
    if (!this.#isWanted) return;
    this.#leave();
    this.#connect();
  }

  /** @returns {boolean} whether the frame is on its way (which may be lost yet) */
  send(frame) {
    return this.#up?.send(frame) ?? false;
  }

  /** Makes sure that somebody is there at the other end. */
  check() {
    this.#up?.check();
  }

  #connect() {
    this.#stopRetrying();
    this.#open(this.#socketLater ? Polling : Socket);
  }

  #open(Kind) {
    const link = new Kind(this.#server, this.#hello, this.#times);
    link.onFrame = (frame) => this.#take(link, frame);
    link.onLost = (after) => this.#lose(link, after);
    this.#links.add(link);
    link.open();
  }

  #take(link, frame) {
    if (!this.#links.has(link)) return;
    if (frame.type === "bye") return this.#lose(link, frame.after ?? 1);
    this.#tell("frame", frame);
    if (!this.#links.has(link)) return; // whoever heard it has closed or reopened
    if (isRefusedHello(frame)) this.#helloRefused(link, frame);
    if (frame.type === "welcome") this.#welcomed(link);
  }

  #helloRefused(link, { why, after = 5 }) {
    const { anew, retryMost } = this.#times;
    if (TRANSIENT.includes(why)) this.#lose(link, after);
    else this.#lose(link, Math.min(anew * 2 ** this.#tries++, retryMost) / 1000);
  }

  #welcomed(link) {
    if (this.#up === link) return;
    for (const other of this.#links) if (other !== link) this.#drop(other);
    this.#up = link;
    if (link instanceof Socket) this.#favourSockets();
    link.steady = setTimeout(() => this.#settle(link), this.#times.steadyAfter);
    this.#set("online");
    this.#tell("up");
  }

  #settle(link) {
    link.isSteady = true;
    this.#tries = 0;
    if (link instanceof Socket) this.#socketWait = this.#times.socketAgain;
  }

  /** @param {number} [after]  seconds that the server asked for */
  #lose(link, after) {
    if (!this.#links.has(link)) return;
    const wasUp = this.#up === link;
    const failed = after === undefined && !link.isSteady;
    this.#drop(link);
    if (link instanceof Socket && failed) this.#disfavourSockets();
    if (wasUp) this.#tell("down");
    if (this.#links.size) return; // the other one goes on
    if (link instanceof Socket && failed && !wasUp) return this.#open(Polling);
    if (link instanceof Polling && failed && !wasUp) this.#favourSockets(); // it is not them: nobody is there
    this.#set(wasUp ? "connecting" : "offline");
    this.#retry(after);
  }

  #drop(link) {
    this.#links.delete(link);
    if (this.#up === link) this.#up = null;
    clearTimeout(link.steady);
    link.close();
  }

  #leave() {
    const wasUp = this.#up !== null;
    for (const link of this.#links) this.#drop(link);
    this.#stopRetrying();
    this.#favourSockets();
    if (wasUp) this.#tell("down");
    this.#set("connecting");
  }

  /** Not all at once when a server that many talked to comes back: half of each period is chance. */
  #retry(after) {
    const { retry, retryMost } = this.#times;
    this.#isTold = after !== undefined;
    const most = this.#isTold ? Math.max(2000 * after, retry) : Math.min(retryMost, retry * 2 ** this.#tries++);
    this.#retrying = setTimeout(() => this.#connect(), most * (0.5 + Math.random() / 2));
  }

  #stopRetrying() {
    clearTimeout(this.#retrying);
    this.#retrying = null;
  }

  #disfavourSockets() {
    clearTimeout(this.#socketLater);
    this.#socketLater = setTimeout(() => {
      this.#socketLater = null;
      if (this.#up) this.#open(Socket);
    }, this.#socketWait);
    this.#socketWait = Math.min(2 * this.#socketWait, this.#times.socketAgainMost);
  }

  #favourSockets() {
    clearTimeout(this.#socketLater);
    this.#socketLater = null;
  }

  /** The network, or the person, is back. */
  #onSign = ({ type }) => {
    if (type === "visibilitychange" && document.hidden) return;
    if (this.#retrying && !this.#isTold) this.#connect();
    else this.check();
  };

  #onOffline = () => {
    for (const link of this.#links) this.#drop(link);
    this.#tell("down");
    this.#set("offline");
    if (!this.#retrying) this.#retry();
  };

  #set(status) {
    if (status === this.status) return;
    this.status = status;
    this.#tell("status");
  }

  #tell(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}

function isRefusedHello({ type, of }) {
  return type === "refused" && of === "hello";
}

class Link {
  onFrame;
  onLost;
  isSteady = false;

  constructor(server, hello, times) {
    this.server = server;
    this.hello = hello;
    this.times = times;
  }
}

class Socket extends Link {
  #socket;
  #token; // of the hello that was said last
  #watch; // timer: after it, silence is suspicious or the end

  open() {
    this.#expect(this.times.welcomeWithin);
    try {
      this.#socket = new WebSocket(`${this.server.replace(/^http/, "ws")}/webhooks/webchat/v1/socket`);
    } catch {
      return this.onLost();
    }
    this.#socket.onopen = () => this.#greet();
    this.#socket.onmessage = ({ data }) => this.#take(JSON.parse(data));
    this.#socket.onclose = () => this.onLost();
  }

  close() {
    clearTimeout(this.#watch);
    if (!this.#socket) return;
    this.#socket.onopen = this.#socket.onmessage = this.#socket.onclose = null;
    this.#socket.close();
  }

  #greet() {
    const hello = this.hello(true);
    this.#token = hello.token;
    this.send(hello);
  }

  send(frame) {
    const isOpen = this.#socket.readyState === WebSocket.OPEN;
    if (isOpen) this.#socket.send(JSON.stringify(frame));
    return isOpen;
  }

  check() {
    if (this.send({ type: "ping" })) this.#expect(this.times.pongWithin);
  }

  #take(frame) {
    clearTimeout(this.#watch);
    this.#watch = setTimeout(() => this.check(), this.times.pingAfter);
    if (frame.type === "pong") return;
    const isAnswer = frame.type === "welcome" || isRefusedHello(frame);
    if (isAnswer && this.#token !== this.hello(false).token) return this.#greet(); // another tab was quicker
    this.onFrame(frame);
    if (frame.type === "welcome") this.#token = this.hello(false).token;
  }

  #expect(period) {
    clearTimeout(this.#watch);
    this.#watch = setTimeout(() => this.onLost(), period);
  }
}

class Polling extends Link {
  #frames = []; // to go out with the next request
  #isFirst = true;
  #isSending = false;
  #isOver = false;
  #waiting = null; // the AbortController of the request that waits for news

  async open() {
    while (!this.#isOver) {
      this.#waiting = new AbortController();
      await this.#exchange(this.#isFirst ? 0 : this.times.poll, this.#waiting);
    }
  }

  close() {
    this.#isOver = true;
    this.#waiting.abort();
  }

  send(frame) {
    this.#frames.push(frame);
    if (REPLACING.includes(frame.type)) this.#waiting.abort(); // the next one takes it along
    else queueMicrotask(() => this.#sendAll()); // later: a request that begins now takes it along
    return true;
  }

  check() {}

  /** Beside the request that waits. */
  async #sendAll() {
    if (this.#isSending) return;
    this.#isSending = true;
    while (this.#frames.length && !this.#isOver) await this.#exchange(0, new AbortController());
    this.#isSending = false;
  }

  async #exchange(wait, controller) {
    const hello = this.hello(this.#isFirst);
    this.#isFirst = false;
    const frames = [hello, ...this.#frames.splice(0)];
    const timer = setTimeout(() => controller.abort("late"), wait + this.times.pollPatience);
    try {
      const answer = await this.#post({ frames, wait: wait / 1000 }, controller.signal);
      if (answer.ok) this.#take((await answer.json()).frames, hello.token);
      else this.onLost(Number(answer.headers.get("Retry-After")) || undefined);
    } catch {
      if (!controller.signal.aborted || controller.signal.reason === "late") this.onLost();
    } finally {
      clearTimeout(timer);
    }
  }

  #post(body, signal) {
    return fetch(`${this.server}/webhooks/webchat/v1/exchange`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(body),
      credentials: "omit",
      signal,
    });
  }

  #take(frames, token) {
    if (token !== this.hello(false).token) return; // the answer to somebody whom we are no longer
    for (const frame of frames) if (!this.#isOver) this.onFrame(frame);
  }
}
