// Sentences come from the page itself, in its language; gaps are written {like this}.
export const words = (element) => JSON.parse(element.dataset.words);

export const fill = (template, gaps = {}) =>
  template.replace(/\{(\w+)\}/g, (whole, name) => (name in gaps ? String(gaps[name]) : whole));

// The same steps as clock() of the report: 0:03.2, 12:40.0, 1:02:03.5
export const clock = (seconds) => {
  const tenths = Math.round(Math.max(seconds, 0) * 10);
  const rest = ((tenths % 600) / 10).toFixed(1).padStart(4, "0");
  const minutes = Math.floor(tenths / 600);
  const hours = Math.floor(minutes / 60);
  return hours ? `${hours}:${String(minutes % 60).padStart(2, "0")}:${rest}` : `${minutes}:${rest}`;
};
