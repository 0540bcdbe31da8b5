// Sends a file, and tells how far it is.

/** See Chat.upload; limits: `files` of the welcome; patience: milliseconds without progress. */
export function upload({ server, token, limits, patience, file, onProgress, signal }) {
  return new Promise((resolve, reject) => {
    const fail = (why, after) => reject(Object.assign(new Error(why), { why, after }));
    if (!token || !limits) return fail("not_now", 5);
    if (file.size > limits.most_bytes) return fail("too_large");
    if (signal?.aborted) return fail("aborted");
    const request = new XMLHttpRequest(); // fetch tells no progress
    const stop = () => request.abort();
    const watch = watchdog(patience, stop);
    request.open("POST", `${server}/webhooks/webchat/v1/files`);
    request.responseType = "json";
    request.setRequestHeader("Authorization", `Bearer ${token}`);
    request.setRequestHeader("Content-Type", file.type || "application/octet-stream");
    request.setRequestHeader("X-File-Name", encodeURIComponent(file.name));
    request.upload.onprogress = ({ loaded, total }) => {
      watch.seen();
      onProgress?.(loaded / total);
    };
    request.onload = () => {
      if (request.status === 201) resolve(request.response);
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

function watchdog(patience, bite) {
  let timer = setTimeout(bite, patience);
  const end = () => clearTimeout(timer);
  return { end, seen: () => (end(), (timer = setTimeout(bite, patience))) };
}
