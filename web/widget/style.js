// The panel's looks. Text sizes are multiples of `medium`, which is what the shopper chose in the browser, whatever the shop's
// page makes of its root's size. Colours meet WCAG AA in both schemes; the accent's are made by colours.js.

const LIGHT = `
  color-scheme: light;
  --card: #fffdfa; --ink: #22302f; --quiet: #596664; --line: #e5ddd2; --edge: #85908d; --theirs: #f2ece3; --alarm: #a03a20;
  --fill: var(--accent, #1f5650); --on-fill: var(--on-accent, #fff);
  --pine: var(--accent-on-light, #1f5650);
  --shadow: 0 1px 2px rgb(60 45 30 / 0.06), 0 18px 50px rgb(60 45 30 / 0.22);
`;

const DARK = `
  color-scheme: dark;
  --card: #162021; --ink: #e9edeb; --quiet: #a5b2af; --line: #2a3839; --edge: #74827f; --theirs: #233132; --alarm: #f4a78c;
  --fill: var(--accent, #2a655e); --on-fill: var(--on-accent, #fff);
  --pine: var(--accent-on-dark, #8fcfc4);
  --shadow: 0 0 0 1px #2a3839, 0 18px 50px rgb(0 0 0 / 0.5);
`;

export const style = `
.root { ${LIGHT} }

@media (prefers-color-scheme: dark) {
  :host(:not([data-scheme="light"])) .root { ${DARK} }
}

:host([data-scheme="dark"]) .root { ${DARK} }

.panel, .panel *, .lightbox { box-sizing: border-box; }

h1, h2, p, ul, fieldset { margin: 0; padding: 0; border: 0; min-width: 0; }

ul { list-style: none; }

button, textarea, input { color: inherit; font: inherit; }

button { cursor: pointer; touch-action: manipulation; }

a { color: inherit; text-decoration: underline; text-underline-offset: 0.15em; }

svg {
  width: 22px;
  height: 22px;
  flex: none;
  fill: none;
  stroke: currentcolor;
  stroke-width: 2;
  stroke-linecap: round;
  stroke-linejoin: round;
}

:focus-visible { outline: 3px solid var(--pine); outline-offset: 2px; }

.panel {
  position: fixed;
  inset-block-end: var(--tendero-offset-y, 20px);
  inset-inline-end: var(--tendero-offset-x, 20px);
  z-index: 1;
  display: flex;
  flex-direction: column;
  width: var(--tendero-width, 400px);
  max-width: calc(100vw - 40px);
  height: var(--tendero-height, 680px);
  max-height: calc(100vh - 40px);
  max-height: calc(100dvh - 40px);
  overflow: hidden;
  border-radius: var(--tendero-radius, 24px);
  background: var(--card);
  color: var(--ink);
  box-shadow: var(--shadow);
  font: 1em/1.45 var(--tendero-font, system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif);
  text-align: start;
  animation: rise 0.18s ease-out;
}

.root[data-side="start"] .panel { inset-inline: var(--tendero-offset-x, 20px) auto; }

.panel:focus { outline: 0; }

:host([mode="page"]) .panel {
  position: relative;
  inset: auto;
  width: 100%;
  max-width: none;
  height: 100%;
  max-height: none;
  border-radius: 0;
  box-shadow: none;
  animation: none;
}

/* The head */

.top {
  display: flex;
  align-items: center;
  gap: 4px;
  padding: 10px 10px 10px 18px;
  padding-inline: 18px 10px;
  border-block-end: 1px solid var(--line);
}

.who { flex: 1; min-width: 0; }

h1, h2 {
  overflow: hidden;
  font: 600 1.1875em/1.25 var(--tendero-title-font, "Iowan Old Style", "Palatino Linotype", Palatino, Georgia, "Noto Serif", serif);
  text-overflow: ellipsis;
}

.who p { color: var(--quiet); font-size: 0.8125em; line-height: 1.3; }

.round {
  display: grid;
  flex: none;
  place-items: center;
  width: 44px;
  height: 44px;
  padding: 0;
  border: 0;
  border-radius: 50%;
  background: var(--card);
  color: var(--ink);
}

.plain { background: transparent; color: var(--quiet); }

.banner:not(:empty) { padding: 6px 18px; background: var(--theirs); font-size: 0.875em; }

/* The conversation */

.frame { position: relative; flex: 1; min-height: 0; }

.log { height: 100%; overflow: hidden auto; overflow-anchor: none; overscroll-behavior: contain; }

.log:focus-visible { outline-offset: -3px; }

.content { display: flow-root; padding: 16px 16px 6px; }

.entry { display: flex; flex-direction: column; align-items: flex-start; gap: 8px; margin-block-end: 12px; }

.entry.shopper:has(+ .entry.shopper), .entry.shop:has(+ .entry.shop) { margin-block-end: 8px; }

.entry.shopper:has(+ .entry.shopper) .meta, .entry.shop:has(+ .entry.shop) .meta { display: none; }

.entry.shopper { align-items: flex-end; }

.entry > .name { margin-block-end: -6px; color: var(--quiet); font-size: 0.8125em; }

.text { max-width: min(86%, 34em); padding: 9px 14px; border-radius: 18px; overflow-wrap: anywhere; }

.shop .text { border-end-start-radius: 5px; background: var(--theirs); }

.shopper .text, .shopper .row { border-end-end-radius: 5px; background: var(--fill); color: var(--on-fill); }

.line { display: block; min-height: 1.45em; white-space: pre-wrap; }

.bullet { padding-inline-start: 0.8em; text-indent: -0.8em; }

.small { color: var(--quiet); font-size: 0.8125em; }

.loose { padding: 8px 4px; color: var(--pine); }

.meta {
  display: flex;
  gap: 4px;
  align-items: center;
  margin-block-start: -5px;
  padding-inline: 4px;
  color: var(--quiet);
  font-size: 0.75em;
  line-height: 1.3;
}

.mark { display: flex; }

.mark svg { width: 16px; height: 16px; }

[data-state="read"] .mark { color: var(--pine); }

.mend {
  min-height: 32px;
  margin-block-start: -4px;
  padding: 4px;
  border: 0;
  background: transparent;
  color: var(--alarm);
  font-size: 0.875em;
  text-align: end;
  text-decoration: underline;
  text-underline-offset: 0.2em;
  overflow-wrap: anywhere;
}

[data-state="refused"] .text {
  background: transparent;
  box-shadow: inset 0 0 0 1.5px var(--alarm);
  color: var(--ink);
}

.day, .note { margin: 14px auto 12px; color: var(--quiet); font-size: 0.8125em; text-align: center; }

.frame > .note {
  position: absolute;
  inset: 0 0 auto;
  z-index: 1;
  width: fit-content;
  margin: 6px auto;
  padding: 4px 12px;
  border-radius: 20px;
  background: var(--card);
  box-shadow: var(--shadow);
}

.typing {
  display: inline-flex;
  gap: 5px;
  padding: 14px;
  border-radius: 18px 18px 18px 5px;
  background: var(--theirs);
}

.typing:empty { display: none; }

.typing i {
  width: 7px;
  height: 7px;
  border-radius: 50%;
  background: var(--quiet);
  animation: breathe 1.3s infinite ease-in-out;
}

.typing i:nth-child(3) { animation-delay: 0.18s; }

.typing i:nth-child(4) { animation-delay: 0.36s; }

.pill {
  position: absolute;
  inset-block-end: 10px;
  inset-inline: 0;
  display: flex;
  gap: 6px;
  align-items: center;
  width: fit-content;
  min-height: 40px;
  margin-inline: auto;
  padding: 6px 16px 6px 12px;
  border: 0;
  border-radius: 20px;
  background: var(--fill);
  color: var(--on-fill);
  box-shadow: var(--shadow);
  font-size: 0.875em;
}

.pill svg { width: 18px; height: 18px; }

/* What can be tapped */

.choices, .ideas { display: flex; flex-wrap: wrap; gap: 8px; max-width: 94%; }

.welcome .ideas { flex-direction: column; align-items: flex-start; }

.panel:not(.empty) .ideas { display: none; }

.choice, .idea, .again, .answers > * {
  min-height: 44px;
  padding: 8px 16px;
  border: 1.5px solid var(--pine);
  border-radius: 22px;
  background: var(--card);
  color: var(--pine);
  font-weight: 550;
  line-height: 1.35;
  text-align: start;
  text-decoration: none;
  overflow-wrap: anywhere;
}

.idea { font-weight: 400; }

.choice { display: inline-flex; gap: 8px; align-items: center; }

.choice:disabled, fieldset:disabled .choice {
  border-color: var(--line);
  color: var(--quiet);
  font-weight: 400;
  cursor: default;
}

.choice.chosen { border-color: var(--quiet); background: var(--theirs); }

.list {
  display: flex;
  flex-direction: column;
  width: min(94%, 24em);
  overflow: hidden;
  border: 1.5px solid var(--line);
  border-radius: 18px;
}

.list .choice {
  flex-direction: column;
  gap: 0;
  align-items: flex-start;
  justify-content: center;
  border: 0;
  border-radius: 0;
  border-block-start: 1px solid var(--line);
}

.list .choice:focus-visible { outline-offset: -3px; }

.list > :first-child { border-block-start: 0; }

.list .small { font-weight: 400; }

.section { padding: 12px 16px 4px; color: var(--quiet); font-size: 0.8125em; font-weight: 650; }

.row {
  display: flex;
  gap: 12px;
  align-items: center;
  max-width: 86%;
  min-height: 48px;
  padding: 10px 14px;
  border-radius: 18px;
  background: var(--theirs);
  overflow-wrap: anywhere;
  text-decoration: none;
}

a.row .name { text-decoration: underline; text-underline-offset: 0.15em; }

.row > div { display: flex; flex-direction: column; }

.row > div > a { padding-block: 3px; }

.files { display: flex; flex-direction: column; gap: 8px; align-items: flex-end; max-width: 100%; }

.files:empty { display: none; }

.picture {
  display: block;
  max-width: min(240px, 86%);
  padding: 0;
  overflow: hidden;
  border: 1px solid var(--line);
  border-radius: 18px;
  background: var(--theirs);
  cursor: zoom-in;
}

.picture img {
  display: block;
  max-width: 100%;
  min-width: 48px;
  min-height: 48px;
  max-height: 240px;
  object-fit: cover;
}

.carousel { position: relative; width: calc(100% + 16px); }

.shelf {
  display: flex;
  gap: 8px;
  padding: 4px 16px 4px 4px;
  padding-inline: 4px 16px;
  margin: -4px 0 -4px -4px;
  margin-inline: -4px 0;
  overflow-x: auto;
  scroll-snap-type: x proximity;
  scroll-padding-inline: 4px;
  overscroll-behavior-x: contain;
  scrollbar-width: thin;
}

.card {
  display: flex;
  flex: none;
  flex-direction: column;
  gap: 8px;
  width: min(212px, 74%);
  padding: 10px;
  border: 1px solid var(--line);
  border-radius: 18px;
  background: var(--card);
  scroll-snap-align: start;
  overflow-wrap: anywhere;
}

.card .picture { width: 100%; max-width: 100%; border-radius: 12px; }

.card .picture img { width: 100%; height: 140px; }

.card p { flex: 1; font-size: 0.9375em; }

.card .choice { justify-content: center; text-align: center; }

.card a.choice {
  border-color: transparent;
  background: transparent;
  font-weight: 400;
  text-decoration: underline;
}

.arrow { position: absolute; inset-block-start: 66px; width: 40px; height: 40px; box-shadow: var(--shadow); }

.arrow:nth-of-type(1) { inset-inline-start: 4px; }

.arrow:nth-of-type(2) { inset-inline-end: 12px; }

.arrow[aria-disabled="true"], .fits .arrow { visibility: hidden; }

@media (hover: none) { .arrow { display: none; } }

:dir(rtl).arrow svg { transform: scaleX(-1); }

.ask { display: flex; flex-wrap: wrap; gap: 8px; align-items: center; max-width: 94%; }

.ask input[type="date"] {
  min-height: 44px;
  padding: 4px 12px;
  border: 1.5px solid var(--edge);
  border-radius: 14px;
  background: var(--card);
  font-size: max(16px, 1em);
}

.stars { display: flex; flex-wrap: wrap; }

.star {
  position: relative;
  display: grid;
  place-items: center;
  width: 44px;
  height: 44px;
  border-radius: 50%;
  color: var(--pine);
  cursor: pointer;
}

.star input {
  position: absolute;
  inset: 0;
  width: 100%;
  height: 100%;
  margin: 0;
  opacity: 0;
  cursor: inherit;
}

.star svg { width: 30px; height: 30px; stroke-width: 1.6; }

.star:has(:checked) svg, .star:has(~ .star :checked) svg { fill: currentcolor; }

.star:has(:focus-visible) { outline: 3px solid var(--pine); }

fieldset:disabled .star { color: var(--quiet); cursor: default; }

/* Writing */

.composer { padding: 6px 12px max(12px, env(safe-area-inset-bottom)); }

.alert { padding: 2px 6px 6px; color: var(--alarm); font-size: 0.875em; overflow-wrap: anywhere; }

.alert:empty, .staged:empty { display: none; }

.line-of-tools {
  display: flex;
  align-items: flex-end;
  gap: 2px;
  padding: 4px;
  border: 1.5px solid var(--edge);
  border-radius: 27px;
}

.line-of-tools:focus-within { border-color: var(--pine); box-shadow: 0 0 0 1.5px var(--pine); }

.line-of-tools textarea {
  flex: 1;
  min-width: 0;
  min-height: 44px;
  max-height: 136px;
  margin: 0;
  padding: 10px 0 10px 6px;
  padding-inline: 6px 0;
  border: 0;
  outline: 0;
  background: transparent;
  font-size: max(16px, 1em);
  line-height: 24px;
  resize: none;
}

textarea::placeholder { color: var(--quiet); opacity: 1; }

.send { background: var(--fill); color: var(--on-fill); }

.touch { display: none; }

@media (pointer: coarse) { .touch { display: inline-grid; } }

.staged { display: flex; flex-direction: column; gap: 4px; padding-block-end: 6px; }

.staged li {
  display: flex;
  gap: 8px;
  align-items: center;
  padding-inline: 12px 4px;
  border-radius: 14px;
  background: var(--theirs);
  font-size: 0.875em;
}

.staged .name { flex: 1; min-width: 0; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }

.staged .mend { flex: 1; margin: 0; text-align: start; }

progress { width: 72px; height: 8px; accent-color: var(--pine); }

.small-round { width: 36px; height: 36px; }

.small-round svg { width: 18px; height: 18px; }

.again { margin: 6px 16px max(16px, env(safe-area-inset-bottom)); text-align: center; }

/* What comes up over it */

.menu {
  position: absolute;
  inset-block-start: 60px;
  inset-inline-end: 10px;
  z-index: 3;
  display: flex;
  flex-direction: column;
  width: min(300px, calc(100% - 20px));
  max-height: calc(100% - 72px);
  padding: 8px;
  overflow-y: auto;
  border: 1px solid var(--line);
  border-radius: 18px;
  background: var(--card);
  box-shadow: var(--shadow);
}

.menu button {
  display: flex;
  flex: none;
  align-items: center;
  justify-content: space-between;
  min-height: 42px;
  padding: 6px 12px;
  border: 0;
  border-radius: 12px;
  background: transparent;
  text-align: start;
}

.menu .section { padding: 6px 12px 2px; }

hr { flex: none; width: auto; height: 1px; margin: 6px 12px; border: 0; background: var(--line); }

[role="switch"] i {
  flex: none;
  width: 40px;
  height: 24px;
  padding: 3px;
  border: 1.5px solid var(--edge);
  border-radius: 12px;
}

[role="switch"] i::before {
  display: block;
  width: 15px;
  height: 15px;
  border-radius: 50%;
  background: var(--edge);
  content: "";
}

[role="switch"][aria-checked="true"] i { border-color: var(--pine); background: var(--pine); }

[role="switch"][aria-checked="true"] i::before { margin-inline-start: auto; background: var(--card); }

.cover {
  position: absolute;
  inset: 0;
  z-index: 4;
  display: grid;
  align-items: end;
  padding: 12px;
  overflow-y: auto;
  background: rgb(15 22 22 / 0.45);
}

.sheet { padding: 20px; border-radius: 20px; background: var(--card); box-shadow: var(--shadow); }

.answers { display: flex; flex-wrap: wrap; gap: 8px; margin-block-start: 18px; }

.answers > * { flex: 1 1 auto; text-align: center; }

.answers .strong { border-color: var(--fill); background: var(--fill); color: var(--on-fill); }

.drop {
  position: absolute;
  inset: 8px;
  z-index: 5;
  display: grid;
  place-items: center;
  border: 2.5px dashed var(--pine);
  border-radius: 18px;
  background: var(--card);
  color: var(--pine);
  font-size: 1.125em;
  pointer-events: none;
}

.lightbox {
  max-width: none;
  max-height: none;
  width: 100%;
  height: 100%;
  padding: 0;
  border: 0;
  background: transparent;
}

.lightbox::backdrop { background: rgb(10 15 15 / 0.88); }

.lightbox img {
  position: absolute;
  inset: 0;
  width: 100%;
  height: 100%;
  padding: 16px;
  object-fit: contain;
  cursor: zoom-out;
}

.lightbox .round {
  position: absolute;
  inset-block-start: max(12px, env(safe-area-inset-top));
  inset-inline-end: 12px;
  z-index: 1;
}

.unseen {
  position: absolute;
  width: 1px;
  height: 1px;
  margin: 0;
  overflow: hidden;
  clip-path: inset(50%);
  white-space: nowrap;
}

[hidden] { display: none !important; }

@keyframes rise { from { opacity: 0; transform: translateY(12px); } }

@keyframes breathe { 0%, 60%, 100% { opacity: 0.35; } 30% { opacity: 1; transform: translateY(-3px); } }

@media (hover: hover) {
  .choice:enabled:hover, a.choice:hover, .idea:hover, .plain:hover, .menu button:hover {
    background: var(--theirs);
  }
}

/* The whole screen: a phone, or a page that is enlarged so much that it is no larger than one. As in view.js. */

@media (max-width: 480px), (max-height: 480px) {
  :host(:not([mode="page"])) .panel {
    inset: var(--seen-top, 0) 0 auto;
    width: 100%;
    max-width: none;
    height: var(--seen-height, 100vh);
    max-height: none;
    border-radius: 0;
  }

  .top { padding-block-start: max(10px, env(safe-area-inset-top)); }
}

@media (max-height: 320px) {
  .top { padding-block: 0; }

  .who p { display: none; }
}

@media (prefers-reduced-motion: reduce) {
  .panel, .typing i { animation: none; }
}

@media (forced-colors: active) {
  .panel, .text, .row, .send, .pill, .menu, .sheet, .typing { border: 1px solid; }

  .typing i, [role="switch"] i::before { background: CanvasText; }

  .star:has(:checked) svg, .star:has(~ .star :checked) svg { fill: Highlight; }
}
`;
