// The time as the server has it: an agent's machine may be minutes off, and every clock on this page runs against the server's.

const WORTH_IT = 3000; // milliseconds: the server tells whole seconds, and an answer takes its time

let ahead = 0;

/** `date`: the Date header of an answer that has just come. */
export function hear(date) {
  const difference = Date.parse(date) - Date.now();
  if (!Number.isNaN(difference)) ahead = Math.abs(difference) > WORTH_IT ? difference : 0;
}

/** Milliseconds since 1970, as the server counts them. */
export function now() {
  return Date.now() + ahead;
}

/** Milliseconds until an instant of the protocol; negative: it has passed. */
export function until(instant) {
  return Date.parse(instant) - now();
}
