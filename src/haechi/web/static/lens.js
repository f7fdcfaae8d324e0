// A magnifier over the picture: follows the pointer, or the arrow keys while it has the focus.

const ZOOMS = [1.5, 2, 3, 4, 6, 8, 12];

const loaded = (address) =>
  new Promise((resolve) => {
    const image = new Image();
    image.onload = () => resolve(image);
    image.onerror = () => resolve(null);
    image.src = address;
  });

// The picture that a stage draws by reference.
const previewOf = (stage) => {
  const use = stage.querySelector("svg > use");
  const source = use && document.querySelector(use.getAttribute("href"));
  return source ? source.getAttribute("href") : null;
};

// Where to begin: at the face with evidence for manipulation, else at the first, else in the middle.
const faceIn = (stage) => {
  const box = stage.querySelector(".boxes .for .line") || stage.querySelector(".boxes .line");
  const view = stage.querySelector("svg").viewBox.baseVal;
  if (!box || !view.width) return [0.5, 0.5];
  const at = box.getBBox();
  return [(at.x + at.width / 2) / view.width, (at.y + at.height / 2) / view.height];
};

export const lens = (told, original) => {
  const toggle = document.getElementById("loupe");
  const note = document.querySelector(".lens-note");
  if (!toggle) return () => {};
  const open = [];

  const put = async (stage) => {
    const full = original && (await loaded(original));
    const image = full || (await loaded(previewOf(stage)));
    if (!image || !toggle.checked) return;
    note.hidden = false;
    note.querySelector("span").textContent = full ? told.loupe_original : told.loupe_preview;

    const canvas = document.createElement("canvas");
    canvas.className = "lens";
    canvas.tabIndex = 0;
    canvas.setAttribute("role", "img");
    canvas.setAttribute("aria-label", told.loupe);
    stage.append(canvas);
    stage.classList.add("looking");
    let [x, y] = faceIn(stage);
    let zoom = 1;

    const draw = () => {
      const area = stage.getBoundingClientRect();
      if (!area.width) return;
      const side = canvas.clientWidth;
      const dense = devicePixelRatio || 1;
      canvas.width = canvas.height = Math.round(side * dense);
      canvas.style.left = `${x * 100}%`;
      canvas.style.top = `${y * 100}%`;
      const scale = image.naturalWidth / area.width; // pixels of the picture for one on the screen
      const seen = (side / ZOOMS[zoom]) * scale;
      const pen = canvas.getContext("2d");
      pen.imageSmoothingEnabled = seen > canvas.width / 3; // single pixels show as squares
      pen.clearRect(0, 0, canvas.width, canvas.height);
      pen.drawImage(
        image,
        x * image.naturalWidth - seen / 2,
        y * image.naturalHeight - seen / 2,
        seen,
        seen,
        0,
        0,
        canvas.width,
        canvas.height,
      );
    };
    const move = (toX, toY) => {
      x = Math.min(Math.max(toX, 0), 1);
      y = Math.min(Math.max(toY, 0), 1);
      draw();
    };
    const point = (event) => {
      const area = stage.getBoundingClientRect();
      move((event.clientX - area.left) / area.width, (event.clientY - area.top) / area.height);
    };
    const key = (event) => {
      const step = event.shiftKey ? 0.1 : 0.02;
      const by = { ArrowLeft: [-step, 0], ArrowRight: [step, 0], ArrowUp: [0, -step], ArrowDown: [0, step] }[event.key];
      if (by) move(x + by[0], y + by[1]);
      else if (event.key === "+" || event.key === "=") zoom = Math.min(zoom + 1, ZOOMS.length - 1);
      else if (event.key === "-") zoom = Math.max(zoom - 1, 0);
      else return;
      event.preventDefault();
      draw();
    };
    const wheel = (event) => {
      event.preventDefault();
      zoom = Math.min(Math.max(zoom + (event.deltaY < 0 ? 1 : -1), 0), ZOOMS.length - 1);
      draw();
    };
    stage.addEventListener("pointermove", point);
    stage.addEventListener("pointerdown", point);
    stage.addEventListener("wheel", wheel, { passive: false });
    canvas.addEventListener("keydown", key);
    addEventListener("resize", draw);
    draw();
    open.push(() => {
      stage.removeEventListener("pointermove", point);
      stage.removeEventListener("pointerdown", point);
      stage.removeEventListener("wheel", wheel);
      removeEventListener("resize", draw);
      stage.classList.remove("looking");
      canvas.remove();
    });
  };

  const close = () => {
    while (open.length) open.pop()();
    note.hidden = true;
  };
  const change = () => {
    close();
    if (toggle.checked) document.querySelectorAll(".stage:not(.print-only)").forEach(put);
  };
  toggle.addEventListener("change", change);
  return close;
};
