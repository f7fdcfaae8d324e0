// The tools of a result: the magnifier, and the player that jumps to the conspicuous seconds.
import { words } from "./text.js";
import { lens } from "./lens.js";
import { player } from "./player.js";

// Returns what gives everything back that was taken.
export const start = (result, file) => {
  const told = words(result);
  const address = file ? URL.createObjectURL(file) : null;
  const ends = [];
  if (result.dataset.kind === "image") ends.push(lens(told, address));
  else ends.push(lens(told, null), player(told, address, Number(result.dataset.span)));
  return () => {
    for (const end of ends) end();
    if (address) URL.revokeObjectURL(address);
  };
};
