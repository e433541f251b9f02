// Footlights' beacon. In: the <video> elements of a page. Out: Segment's Video Spec, in batches, to the collector that
// this script was loaded from.
//
//   <script src="https://collect.example/footlights.js" data-key="wk_..." data-viewer="your user's id" async></script>
//   <video data-footlights-video="v100" data-footlights-source="for_you" src="..."></video>
//
// It sets no cookie, keeps nothing on the device, reads no address and looks at nothing but those elements. Where the
// browser asks not to be tracked, it does nothing at all. Without data-viewer it sends nothing: an id made anew on each
// page would turn one person into many, each with a privacy budget of their own.

const BEAT_SECONDS = 10;
const SEND_AFTER_MS = 1000;
const RETRY_MS_MAX = 60_000;
const QUEUE_MAX = 2000;
const BATCH_MAX = 50;
// What may be under way when a page ends is 64 KiB.
const BATCH_BYTES_MAX = 60_000;
const HEARD = ["playing", "pause", "seeking", "seeked", "timeupdate", "ended"];
// A second tag, as of a page that replaces its own content, is the first one's successor: what it names holds.
const TAG = Symbol.for("footlights");

const again = window[TAG];
const tag = document.currentScript;
if (tag) window[TAG] = tag;

if (tag && !again && !navigator.globalPrivacyControl && navigator.doNotTrack !== "1") begin();

function begin() {
  const collector = new URL("v1/batch", tag.src).href;
  const videos = document.getElementsByTagName("video");
  const attached = new WeakSet();
  const playbacks = new WeakMap();
  const page = random();
  let numbers = 0;
  let warned = false;

  // ---- What plays

  function attach() {
    for (const video of videos) {
      if (attached.has(video)) continue;
      attached.add(video);
      for (const type of HEARD) video.addEventListener(type, hear);
    }
  }

  /** The playback that an element is in. One that began with another video or viewer is over. */
  function playbackOf(video) {
    const { key, viewer } = window[TAG].dataset;
    const { footlightsVideo, videoId, footlightsSource: source } = video.dataset;
    const id = footlightsVideo || videoId;
    const known = playbacks.get(video);
    if (known && known.viewer === viewer && known.id === id) return known;
    if (known) {
      playbacks.delete(video);
      if (!known.still) tell(known, "Playback Exited", known.position);
    }
    // The script may come later than the first `playing`, and the viewer, too. What still waits for data has not begun.
    if (!id || video.paused || video.seeking || video.readyState < video.HAVE_FUTURE_DATA) return;
    if (!key || !viewer) {
      if (!warned) console.warn("footlights.js sends nothing: its tag needs data-key and data-viewer.");
      warned = true;
      return;
    }
    const position = video.currentTime;
    const made = { id, viewer, source, position, session: `${page}-${++numbers}`, since: Date.now() - performance.now() };
    playbacks.set(video, made);
    tell(made, "Content Started", position);
    return made;
  }

  function hear({ type, target: video }) {
    const playback = playbackOf(video);
    if (!playback) return;
    const { currentTime, duration, playbackRate } = video;
    const now = performance.now();
    if (type === "playing") {
      const replays = playback.ended && currentTime < 1;
      if (playback.still) tell(playback, replays ? "Content Started" : "Playback Resumed", currentTime);
      playback.still = playback.ended = false;
    } else if (type === "pause") {
      // Before `ended` there is a `pause`, too.
      if (!video.ended && !playback.still) tell(playback, "Playback Paused", currentTime);
      playback.still = true;
    } else if (type === "ended") {
      tell(playback, "Content Completed", duration);
      playback.ended = playback.still = true;
    } else if (type === "seeking" && !playback.ended) {
      // The position is the new one already. The old one is where it was last seen, and what may have played since.
      const since = playback.still ? 0 : Math.min(0.5, (now - playback.at) / 1000) * playbackRate;
      const from = Math.min(duration, playback.position + (since || 0));
      if (video.loop && currentTime < 1 && duration - from < 0.75) {
        // With `loop` nothing ends: it seeks to 0.
        tell(playback, "Content Completed", duration);
        tell(playback, "Content Started", currentTime);
      } else if (!scrubbed(playback)) tell(playback, "Playback Seek Started", from);
    } else if (type === "seeked" && !playback.ended) {
      tell(playback, "Playback Seek Completed", currentTime);
    }
    if (video.seeking) return;
    playback.position = currentTime;
    playback.at = now;
    // What moves faster than double speed between two beats is taken for a seek, but for 3 seconds.
    const beat = playbackRate > 2 ? Math.min(BEAT_SECONDS, 2.5 / (playbackRate - 2)) : BEAT_SECONDS;
    if (!video.paused && now - playback.toldAt >= beat * 1000) tell(playback, "Content Playing", currentTime);
  }

  /** Whether a seek goes on from one that just ended and is not sent: then that one is forgotten. */
  function scrubbed(playback) {
    const last = queue[queue.length - 1];
    const goesOn = queue.length > flying && last.of === playback && last.event.endsWith("Seek Completed");
    if (goesOn && performance.now() - playback.toldAt < 1000) queue.pop();
    else return false;
    return true;
  }

  function tell(playback, event, position) {
    const { id, viewer, source, session, since } = playback;
    const now = (playback.toldAt = performance.now());
    queue.push({
      of: playback,
      type: "track",
      event: `Video ${event}`,
      userId: viewer,
      messageId: `${page}-${++numbers}`,
      // By a clock that only goes forward, or a clock that is put back would stop the watch time.
      timestamp: new Date(since + now).toISOString(),
      properties: { asset_id: id, session_id: session, position: Math.round(position * 1000) / 1000, source },
    });
    // In memory alone, and not without end: what was told first and is not under way goes first.
    if (queue.length > QUEUE_MAX) queue.splice(flying, 1);
    sendAfter(SEND_AFTER_MS);
  }

  // ---- What is sent

  const queue = [];
  let flying = 0;
  let timer = 0;
  let failures = 0;
  let cutOff = false;

  function sendAfter(ms) {
    timer ||= setTimeout(send, ms);
  }

  /** The body of a batch that begins at a place of the queue, and how many events it has. */
  function pack(first) {
    for (let count = BATCH_MAX; ; count >>= 1) {
      const batch = queue.slice(first, first + count).map(({ of, ...event }) => event);
      const body = JSON.stringify({ writeKey: window[TAG].dataset.key, sentAt: new Date().toISOString(), batch });
      if (count === 1 || new Blob([body]).size <= BATCH_BYTES_MAX) return [body, batch.length];
    }
  }

  async function send() {
    timer = 0;
    if (flying || !queue.length) return;
    const [body, count] = pack(0);
    flying = count;
    cutOff = false;
    let status = 0;
    let asked = 0;
    try {
      // Text, without a header of our own: the browser need not ask first whether it may.
      const signal = AbortSignal.timeout?.(30_000);
      const answer = await fetch(collector, { method: "POST", body, keepalive: true, credentials: "omit", signal });
      status = answer.status;
      asked = answer.headers.get("Retry-After") * 1000;
    } catch {
      cutOff = true;
    }
    flying = 0;
    if (!status || status === 408 || status === 429 || status >= 500) {
      // The same events go again, under the same ids, and count once. What was told meanwhile waits with them.
      clearTimeout(timer);
      timer = 0;
      const pause = Math.min(RETRY_MS_MAX, 1000 * 2 ** failures++);
      sendAfter(asked > 0 ? asked : pause * (0.5 + parseInt(random().slice(0, 2), 16) / 512));
      return;
    }
    queue.splice(0, count);
    failures = 0;
    if (status >= 400) console.warn(`footlights.js: the collector refused ${count} events (${status}).`);
    if (queue.length) sendAfter(0);
  }

  /** The page may end now. What was not answered for goes as a beacon, and stays: if the page lives on, it goes again. */
  function leave(event) {
    for (const video of videos) {
      const playback = playbacks.get(video);
      if (playback && !playback.still && !video.seeking) tell(playback, event, video.currentTime);
    }
    for (let first = 0; first < queue.length; ) {
      const [body, count] = pack(first);
      if (!navigator.sendBeacon(collector, body)) return;
      first += count;
    }
  }

  let left = false;
  attach();
  new MutationObserver(attach).observe(document, { childList: true, subtree: true });
  addEventListener("pagehide", () => {
    leave("Playback Exited");
    left = true;
  });
  addEventListener("pageshow", () => {
    left = false;
  });
  document.addEventListener("visibilitychange", () => {
    // A page that ends is hidden after `pagehide`, too.
    if (document.visibilityState === "hidden" && !left) leave("Content Playing");
  });
  addEventListener("online", () => {
    if (!cutOff) return;
    clearTimeout(timer);
    send();
  });
}

/** 128 random bits, as text. */
function random() {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
