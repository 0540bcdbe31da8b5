// Sends a file, and tells how far it is.

/** See Chat.upload; limits: `files` of the welcome; patience: milliseconds without progress. */
export async function upload({ server, token, limits, patience, file, onProgress, signal }) {
  if (!token || !limits) throw failure("not_now", 5);
  if (file.size > limits.most_bytes) throw failure("too_large");
  const headers = { Authorization: `Bearer ${token}`, "X-File-Name": encodeURIComponent(file.name) };
  return uploadTo(`${server}/webhooks/webchat/v1/files`, headers, { patience, file, onProgress, signal });
}

/** What the server answers. Rejects with an Error that has `why`, and `after` where the server names the seconds. */
export function uploadTo(address, headers, { patience, file, onProgress, signal }) {
  return new Promise((resolve, reject) => {
    const fail = (why, after) => reject(failure(why, after));
    if (signal?.aborted) return fail("aborted");
    const request = new XMLHttpRequest(); // fetch tells no progress
    const stop = () => request.abort();
    const watch = watchdog(patience, stop);
    request.open("POST", address);
    request.responseType = "json";
    request.setRequestHeader("Content-Type", file.type || "application/octet-stream");
    for (const [name, value] of Object.entries(headers)) request.setRequestHeader(name, value);
    request.upload.onprogress = ({ loaded, total }) => {
      watch.seen();
      onProgress?.(loaded / total);
    };
    request.onload = () => {
      if (request.status === 200 || request.status === 201) resolve(request.response);
      else fail(request.response?.error || "failed", Number(request.getResponseHeader("Retry-After")) || undefined);
    };
    request.onerror = () => fail("failed");
    request.onabort = () => fail(signal?.aborted ? "aborted" : "failed");
    request.onloadend = () => {
      watch.end();
      signal?.removeEventListener("abort", stop);
    };
    signal?.addEventListener("abort", stop);
    request.send(file);
  });
}

function failure(why, after) {
  return Object.assign(new Error(why), { why, after });
}

function watchdog(patience, bite) {
  let timer = setTimeout(bite, patience);
  const end = () => clearTimeout(timer);
  return { end, seen: () => (end(), (timer = setTimeout(bite, patience))) };
}
