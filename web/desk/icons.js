// Drawings on 24 by 24 that the chat does not have.

export const ICONS = {
  search: "M11 4a7 7 0 1 0 0 14 7 7 0 0 0 0-14M16 16l4.5 4.5",
  filter: "M4 6h16M7 12h10M10 18h4",
  person: "M12 4a4 4 0 1 0 0 8 4 4 0 0 0 0-8M4.5 20c1-4 4-5.5 7.5-5.5s6.5 1.5 7.5 5.5",
  info: "M12 4a8 8 0 1 0 0 16 8 8 0 0 0 0-16M12 11v5M12 8v.01",
  clock: "M12 4.5a7.5 7.5 0 1 0 0 15 7.5 7.5 0 0 0 0-15M12 8v4l2.5 2",
  late: "M12 4l9 16H3zM12 10v4.5M12 17v.01",
  note: "M5 4h14v11l-5 5H5zM14 20v-5h5",
  replies: "M4 6h16M4 11h16M4 16h9",
  failed: "M12 4a8 8 0 1 0 0 16 8 8 0 0 0 0-16M12 8v5M12 16v.01",
  held: "M9 6v12M15 6v12",
};
